"""./run as a newcomer meets it: real runs on a stand-in clone, in which each failure is one sentence that says what to do."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.clone import BASE_PYTHON, Clone, build_wheel
from tests.patience import PATIENT_S

HOSTILE = {
    "PYTHONHOME": "/nonexistent",
    "PYTHONPATH": "/nonexistent",
    "PYTHONWARNINGS": "error",
    "PIP_TARGET": "/nonexistent",
    "PIP_USER": "1",
}
NO_NETWORK = {"PIP_NO_INDEX": "", "PIP_FIND_LINKS": "", "PIP_INDEX_URL": "http://127.0.0.1:9/none", "UV_FIND_LINKS": ""}


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "a clone", tmp_path / "wheels")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone in a path with spaces, set up by two `./run` at once, with variables set that send Python and pip astray."""
    folder = tmp_path_factory.mktemp("made")
    clone = Clone(folder / "two at once", folder / "wheels")
    clone.with_python()
    both = [clone.start(**HOSTILE) for _ in range(2)]
    for process in both:
        out, complaint = process.communicate(timeout=5 * PATIENT_S)
        assert (process.returncode, complaint) == (0, "")
        assert out == f"ran up 1.0 {clone.folder}/bot_service/__init__.py\n"
    return clone


@pytest.fixture(scope="module")
def empty_venv(made: Clone) -> Path:
    """The environment as `python -m venv` leaves it, to be copied; pip's thousand files are shared by a link."""
    empty, shared = made.folder.parent / "empty", made.folder.parent / "pip"
    shutil.copytree(made.venv, empty, symlinks=True, ignore=shutil.ignore_patterns("tiny*", "stepwise.pth", ".stepwise-*"))
    pip = next(empty.glob("lib/python3*/site-packages/pip"))
    pip.rename(shared)
    pip.symlink_to(shared)
    return empty


def assert_one_sentence(complaint: str, *words: str) -> None:
    assert complaint.count("\n") == 1
    assert len(re.findall(r"[.!?](?:\s|$)", complaint)) == 1, complaint
    assert [word for word in words if word not in complaint] == []


def test_help_lists_every_command_and_needs_no_environment(clone: Clone) -> None:
    code, out, complaint = clone.run("--help")
    assert (code, complaint) == (0, "")
    assert [word for word in ("test", "check", "bench", "demo", "stepwise") if f"./run {word}" not in out] == []
    assert not clone.venv.exists()


def test_an_unknown_command_is_wrong_usage(clone: Clone) -> None:
    code, _, complaint = clone.run("dance")
    assert code == 2
    assert_one_sentence(complaint, "dance", "--help")


@pytest.mark.parametrize("old", [None, "exit 1"], ids=["none", "too old"])
def test_without_a_new_enough_python_it_says_what_to_install(clone: Clone, old: str | None) -> None:
    if old:
        clone.script("python3", old)
    code, _, complaint = clone.run()
    assert code == 1
    assert_one_sentence(complaint, "Python 3.11", "apt install", "brew install")
    assert not clone.venv.exists()


def test_uv_that_finds_and_fetches_no_python_is_the_same_sentence(clone: Clone) -> None:
    clone.script("uv", '[ "$1" = --version ]')
    code, _, complaint = clone.run()
    assert code == 1
    assert_one_sentence(complaint, "Python 3.11")


def test_without_the_venv_module_it_says_what_to_install(clone: Clone) -> None:
    clone.script("python3", f'case "$*" in *ensurepip*) exit 1 ;; esac\nexec "{BASE_PYTHON}" "$@"')
    code, _, complaint = clone.run()
    assert code == 1
    assert_one_sentence(complaint, "python3-venv")


def test_a_half_made_environment_is_removed(clone: Clone) -> None:
    """Debian's venv without ensurepip leaves a folder behind that looks like an environment."""
    half = clone.folder.parent / "half"
    clone.script("half-python", f'mkdir -p "{clone.venv}/bin"\n: >"{half}"\nexit 1')
    clone.script("python3", f'case "$*" in *" -m venv "*) exit 1 ;; esac\necho "{clone.bin}/half-python"')
    code, _, complaint = clone.run()
    assert code == 1
    assert_one_sentence(complaint, "python3-venv")
    assert half.exists()
    assert not clone.venv.exists()


def test_without_network_it_says_so_and_an_interrupted_install_is_redone(clone: Clone, empty_venv: Path) -> None:
    clone.with_quick_python(empty_venv)
    code, _, complaint = clone.run(**NO_NETWORK)
    assert code == 1
    assert_one_sentence(complaint, "network")
    assert not clone.venv.exists()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/never"
        process = clone.start(**{**NO_NETWORK, "PIP_INDEX_URL": address, "PIP_DEFAULT_TIMEOUT": "600"})
        silent.settimeout(PATIENT_S)
        connection, _ = silent.accept()  # pip has asked, and waits
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        connection.close()
    assert clone.venv.exists()
    code, out, complaint = clone.run()
    assert (code, complaint) == (0, "")
    assert out.startswith("ran up 1.0")
    assert not os.path.lexists(clone.folder / ".venv.lock")


def test_a_made_environment_is_used_as_it_is_even_without_network(made: Clone) -> None:
    before = (made.folder / "var" / "install.log").stat().st_mtime_ns
    code, out, _ = made.run("stepwise", "plans", "a b", **NO_NETWORK)
    assert (code, out.split(" 1.0 ")[0]) == (0, "ran plans a b")
    assert made.run("demo", "--weeks", "1", **NO_NETWORK)[1].startswith("ran simulate --weeks 1")
    assert (made.folder / "var" / "install.log").stat().st_mtime_ns == before


def test_running_and_testing_do_not_undo_each_other(made: Clone) -> None:
    assert made.run("test", "-q")[1].startswith("ran -q 1.0")
    for arguments in ((), ("test",), ()):
        code, _, complaint = made.run(*arguments, **NO_NETWORK)
        assert (code, complaint) == (0, "")


def test_a_tampered_lock_installs_nothing(made: Clone) -> None:
    lock = made.folder / "requirements.lock"
    good = lock.read_text()
    build_wheel(Path(made.environment["PIP_FIND_LINKS"]), "1.1")
    lock.write_text(good.replace("==1.0", "==1.1"))
    try:
        code, _, complaint = made.run()
        assert code == 1
        assert_one_sentence(complaint, "requirements.lock", "git checkout")
    finally:
        lock.write_text(good)
    code, out, complaint = made.run(**NO_NETWORK)
    assert (code, complaint) == (0, ""), "the environment was good before and nothing had changed in it"
    assert " 1.0 " in out


def test_a_changed_lock_is_installed(made: Clone) -> None:
    made.lock("requirements.lock", build_wheel(Path(made.environment["PIP_FIND_LINKS"]), "2.0"))
    assert " 2.0 " in made.run()[1]


def test_a_moved_clone_makes_its_environment_anew(clone: Clone, made: Clone, empty_venv: Path) -> None:
    clone.with_quick_python(empty_venv)
    shutil.copytree(made.venv, clone.venv, symlinks=True)
    (clone.venv / "left over").write_text("")
    code, out, _ = clone.run()
    assert (code, out) == (0, f"ran up 1.0 {clone.folder}/bot_service/__init__.py\n")
    assert not (clone.venv / "left over").exists()


def test_an_environment_whose_python_vanished_is_made_anew(clone: Clone, empty_venv: Path) -> None:
    clone.with_quick_python(empty_venv)
    assert clone.run()[0] == 0
    for python in (clone.venv / "bin").glob("python*"):
        python.unlink()
        python.symlink_to("/nonexistent/python")
    assert clone.run()[1].startswith("ran up 1.0")


def test_uv_is_used_where_it_is_and_a_broken_one_is_not(clone: Clone, empty_venv: Path) -> None:
    clone.with_python()
    clone.with_uv(empty_venv)
    assert clone.run()[1].startswith("ran up 1.0")
    clone.script("uv", "exit 127")
    clone.lock("requirements.lock", build_wheel(Path(clone.environment["PIP_FIND_LINKS"]), "2.0"))
    assert clone.run()[1].startswith("ran up 2.0")


def test_the_lock_of_a_run_that_died_is_taken_over(made: Clone) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    (made.folder / ".venv.lock").symlink_to(str(dead.pid))
    lock = made.folder / "requirements.lock"
    lock.write_text(lock.read_text() + "# changed\n")
    code, out, _ = made.run()
    assert (code, out.split()[0]) == (0, "ran")
    assert not os.path.lexists(made.folder / ".venv.lock")


@pytest.mark.parametrize("shell", [name for name in ("sh", "dash", "bash", "ksh", "zsh") if shutil.which(name)])
def test_it_is_plain_sh(shell: str, clone: Clone) -> None:
    checked = subprocess.run([shell, "-n", clone.folder / "run"], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
