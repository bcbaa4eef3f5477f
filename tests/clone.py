"""A small stand-in for a fresh clone, with the real ./run, in which the locks name one tiny package that the test builds itself."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.patience import PATIENT_S
from tests.source_tree import ROOT

TOOLS = ["cat", "cksum", "cp", "dash", "dirname", "env", "grep", "ln", "ls", "mkdir", "readlink", "rm", "rmdir", "sed", "sh", "sleep"]
BASE_PYTHON: str = sys._base_executable  # type: ignore[attr-defined]  # what `venv` itself uses
SAYS_WHAT_RAN = "import sys, tiny, bot_service\nprint('ran', *sys.argv[1:], tiny.VERSION, bot_service.__file__)\n"


class Clone:
    """A folder with ./run in it, and an environment in which nothing of this machine is found but what the test put there."""

    def __init__(self, folder: Path, wheels: Path) -> None:
        self.folder = folder
        self.venv = folder / ".venv"
        self.bin = wheels.parent / f"bin-{folder.parent.name}"
        self.environment = {
            "PATH": str(self.bin),
            "HOME": str(wheels.parent),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(wheels),
            "PIP_RETRIES": "0",
            "UV_NO_CONFIG": "1",
            "UV_OFFLINE": "1",
            "UV_FIND_LINKS": str(wheels),
            "UV_PYTHON_DOWNLOADS": "never",
        }
        self._lay_out(wheels)

    def _lay_out(self, wheels: Path) -> None:
        (self.folder / "bot_service").mkdir(parents=True)
        shutil.copy(ROOT / "run", self.folder)
        (self.folder / "bot_service" / "__init__.py").write_text("")
        (self.folder / "bot_service" / "__main__.py").write_text(SAYS_WHAT_RAN)
        (self.folder / "pytest.py").write_text(SAYS_WHAT_RAN)
        self.lock("requirements.lock", build_wheel(wheels, "1.0"))
        self.lock("requirements-dev.lock", build_wheel(wheels, "1.0"), build_wheel(wheels, "1.0", name="extra"))
        self.bin.mkdir(parents=True)
        for tool in TOOLS:
            self.command(tool, shutil.which(tool) or tool)

    def lock(self, name: str, *wheels: Path) -> None:
        """Write a lock that names these wheels."""
        lines = [
            f"{'=='.join(wheel.name.split('-')[:2])} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}" for wheel in wheels
        ]
        (self.folder / name).write_text("\n".join(lines) + "\n")

    def command(self, name: str, target: str) -> None:
        """Let the script find `target` under this name."""
        (self.bin / name).unlink(missing_ok=True)
        (self.bin / name).symlink_to(target)

    def script(self, name: str, text: str) -> None:
        """Let the script find a program of the test's own."""
        (self.bin / name).unlink(missing_ok=True)
        (self.bin / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.bin / name).chmod(0o755)

    def with_python(self) -> None:
        """Let the script find this machine's Python, the one that made the environment of these tests."""
        self.command("python3", BASE_PYTHON)

    def with_quick_python(self, empty_venv: Path) -> None:
        """The same, but `-m venv` copies an environment made before, because making one takes seconds."""
        making = f'*" -m venv "*) shift 3 && exec cp -R "{empty_venv}" "$1" ;;'
        self.script("python3", f'case "$*" in\n{making}\n*_base_executable*) echo "$0" && exit ;;\nesac\nexec "{BASE_PYTHON}" "$@"')

    def with_uv(self, empty_venv: Path) -> None:
        """A stand-in for uv with the commands and options that ./run uses; pip does the work."""
        making = f'"venv --quiet --no-project --python "*) shift 5 && exec cp -R "{empty_venv}" "$1" ;;'
        installing = '"pip install --quiet --python "*) python=$5 && shift 5 && exec "$python" -m pip install "$@" ;;'
        self.script("uv", f'case "$*" in\n--version) exit ;;\n{making}\n{installing}\n*) exit 2 ;;\nesac')

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        command = [str(self.folder / "run"), *arguments]
        changed = {**self.environment, **environment}
        return subprocess.Popen(command, env=changed, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0)

    def run(self, *arguments: str, **environment: str) -> tuple[int, str, str]:
        """Exit code, what it printed and what it complained of."""
        process = self.start(*arguments, **environment)
        out, complaint = process.communicate(timeout=5 * PATIENT_S)
        return process.returncode, out, complaint


def build_wheel(folder: Path, version: str, name: str = "tiny") -> Path:
    """A package of one file, the same bytes every time."""
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    record = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{record}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{record}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{record}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{record}/RECORD"])
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return wheel
