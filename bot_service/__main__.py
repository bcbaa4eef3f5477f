"""The `stepwise` command."""

from __future__ import annotations

import sys

import click

from bot_service.cli.commands import stepwise
from bot_service.errors import BotServiceError
from plans.loading import PlanErrors


def main() -> None:
    """Run a command: 0 on success, 1 with one line on a problem that it explains, 2 on wrong usage."""
    try:
        # Out of standalone mode click hands a command's exit code back instead of leaving with it.
        sys.exit(stepwise(prog_name="stepwise", standalone_mode=False))
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except (click.exceptions.Abort, KeyboardInterrupt):
        sys.exit(130)
    except (BotServiceError, PlanErrors) as error:
        click.echo(_one_line(error), err=True)
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)


def _one_line(error: Exception) -> str:
    text = str(error).strip()
    start = text[:1].upper() if text.split()[0].isalpha() else text[:1]  # an address or a name stays as it was written
    return start + text[1:] + ("" if text.endswith((".", "!", "?", ":")) or "\n" in text else ".")


if __name__ == "__main__":
    main()
