"""`./run bench`: every benchmark, to the screen and to benchmarks/results.json."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import delivering, listing, mutation, playing, sending, understanding

MUTANTS = 300  # a sample: all of them take half an hour, `python -m benchmarks.mutation`
RESULTS = Path(__file__).with_name("results.json")


def main() -> None:
    """Run them all and write down what came of it."""
    read = understanding.measure()
    print(understanding.table(read))
    print()
    noticed = mutation.measure(MUTANTS)
    print(mutation.table(noticed))
    print()
    sent = delivering.measure()
    print(delivering.table(sent))
    print()
    through = sending.measure()
    print(sending.table(through))
    print()
    played = playing.measure()
    print(playing.table(played))
    print()
    listed = listing.measure()
    print(listing.table(listed))
    results = {"understanding": read, "mutation": noticed._asdict(), "delivering": sent, "sending": through, "playing": played}
    results["listing"] = listed
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
