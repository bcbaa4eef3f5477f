"""With CI set a skipped test fails the run; without it, it is only a skip."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.source_tree import ROOT

# No skips of ours: the texts of little suites that are run to see that CI refuses each way of skipping.
SKIPPED = {
    "in a test": "import pytest\ndef test_it():\n    pytest.skip('no browser')\n",  # to be refused
    "by a mark": "import pytest\n@pytest.mark.skip(reason='later')\ndef test_it(): pass\n",  # to be refused
    "in a fixture": "import pytest\n@pytest.fixture\ndef gone(): pytest.skip('no server')\ndef test_it(gone): pass\n",  # to be refused
    "a whole file": "import pytest\npytest.skip('not here', allow_module_level=True)\n",  # to be refused
}


@pytest.mark.parametrize("how", SKIPPED)
@pytest.mark.parametrize(("ci", "code"), [("true", {1, 2}), ("", {0, 5})])
def test_a_skip_fails_the_run_only_in_ci(tmp_path: Path, how: str, ci: str, code: set[int]) -> None:
    (tmp_path / "test_it.py").write_text(SKIPPED[how])
    environment = {**os.environ, "CI": ci, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.no_skips",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        "--rootdir",
        ".",
        "test_it.py",
    ]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode in code, result.stdout
    assert ("nothing may be" in result.stdout) == bool(ci)
