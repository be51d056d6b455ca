"""The scripts of the checkout: setup survives whatever ends it, and nobody who asks for help installs anything."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.places import CHECKOUT

SCRIPTS = sorted(path.name for path in (CHECKOUT / "scripts").iterdir() if path.is_file() and not path.suffix)
NEEDED = ("requirements.lock", "requirements-uv.lock", "pyproject.toml")
# Stands for uv. Each of its three calls leaves something half made, and then goes on; KILL_AT ends the whole setup in between.
UV = """#!/usr/bin/env bash
set -eu
step=$(cat steps 2>/dev/null || echo 0); step=$((step + 1)); echo "$step" > steps
case "$1 ${2:-}" in
  "venv "*) rm -rf .venv; mkdir -p .venv/bin; out=.venv/bin/python ;;
  "pip sync") out=.venv/synced ;;
  "pip install") out=.venv/installed ;;
esac
echo half > "$out"
if [ "$step" = "${KILL_AT:-0}" ]; then kill -9 "$PPID"; exit 1; fi
echo whole > "$out"
chmod +x "$out"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with its scripts and locks, and a uv that leaves traces, without an environment."""
    made = tmp_path / "checkout"
    shutil.copytree(CHECKOUT / "scripts", made / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    for name in NEEDED:
        shutil.copy(CHECKOUT / name, made)
    (tmp_path / "bin").mkdir()
    uv = tmp_path / "bin" / "uv"
    uv.write_text(UV)
    uv.chmod(0o755)
    return made


def run(checkout: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{checkout.parent / 'bin'}:{os.environ['PATH']}", **variables}
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)


def whole(checkout: Path) -> bool:
    made = [checkout / ".venv" / name for name in ("bin/python", "synced", "installed")]
    return all(path.exists() and path.read_text() == "whole\n" for path in made)


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_setup_that_was_killed_in_any_step_is_whole_after_the_next(checkout: Path, step: int) -> None:
    killed = run(checkout, "scripts/setup", KILL_AT=str(step))
    assert killed.returncode != 0
    assert run(checkout, "scripts/setup", "--check").returncode == 1, "what is half made does not count"

    assert run(checkout, "scripts/setup").returncode == 0

    assert whole(checkout)
    assert run(checkout, "scripts/setup", "--check").returncode == 0


def test_an_environment_that_is_there_is_left_alone_and_one_that_was_moved_is_made_anew(checkout: Path) -> None:
    run(checkout, "scripts/setup")
    run(checkout, "scripts/setup")
    assert (checkout / "steps").read_text() == "3\n"

    moved = checkout.rename(checkout.parent / "elsewhere")

    assert run(moved, "scripts/setup", "--check").returncode == 1
    assert run(moved, "scripts/setup").returncode == 0
    assert (moved / "steps").read_text() == "6\n"


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_installs_nothing(checkout: Path, script: str) -> None:
    before = sorted(checkout.rglob("*"))

    shown = run(checkout, f"scripts/{script}", "--help")

    assert shown.returncode == 0
    head = (checkout / "scripts" / script).read_text().splitlines()[1].removeprefix("# ")
    assert shown.stdout.startswith(head)
    assert sorted(checkout.rglob("*")) == before
