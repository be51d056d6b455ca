"""A command that the fork server starts behaves as one that a person starts: the same tests for both."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.world import Launch, spawn
from tests.support.forked import ForkingLauncher
from tests.support.full_disk import full_disk

# What a command is here: a module that shows how it was started, and ends as it is told.
PROGRAM = "tests.support.shown_start"
ENVIRONMENT = {"PATH": os.environ["PATH"], "ONLY": "here"}


@pytest.fixture(scope="module")
def forking() -> Iterator[ForkingLauncher]:
    launcher = ForkingLauncher()
    yield launcher
    launcher.close()


@pytest.fixture(params=["spawned", "forked"])
def launch(request: pytest.FixtureRequest, forking: ForkingLauncher) -> Launch:
    return forking if request.param == "forked" else spawn


def test_it_has_its_own_arguments_environment_and_streams(launch: Launch) -> None:
    process = launch(PROGRAM, ["exit", "3"], ENVIRONMENT, subprocess.PIPE)
    out, err = process.communicate(timeout=60)
    shown = json.loads(out)
    assert process.returncode == 3
    assert shown["arguments"] == ["exit", "3"]
    assert {name: value for name, value in shown["environment"].items() if name != "LC_CTYPE"} == ENVIRONMENT
    assert shown["pid"] == process.pid
    assert shown["threads"] == 1, "no thread of the server's is here"
    assert not shown["terminal"]
    assert shown["name"] == "__main__"
    assert err == "said\nat exit\n"


def test_an_exception_is_told_and_ends_it_with_1(launch: Launch) -> None:
    process = launch(PROGRAM, ["raise"], ENVIRONMENT, subprocess.PIPE)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "RuntimeError: as told" in err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_it(launch: Launch, number: signal.Signals) -> None:
    process = launch(PROGRAM, ["wait"], ENVIRONMENT, subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("{")
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.05)
    process.send_signal(number)
    assert process.wait(30) == process.poll() == -number
    process.kill()
    process.communicate(timeout=30)


def test_what_it_printed_before_a_timeout_is_not_lost(launch: Launch) -> None:
    process = launch(PROGRAM, ["wait"], ENVIRONMENT, subprocess.PIPE)
    with pytest.raises(subprocess.TimeoutExpired):
        process.communicate(timeout=0.2)
    limit = time.monotonic() + 60
    while process.poll() is None:
        process.terminate()
        assert time.monotonic() < limit
    out, _ = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGTERM
    assert not out or json.loads(out)["arguments"] == ["wait"]


def test_standard_error_may_go_to_a_file(launch: Launch, tmp_path: Path) -> None:
    with (tmp_path / "said").open("w+") as said:
        process = launch(PROGRAM, ["exit", "0"], ENVIRONMENT, said)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err or "") == (0, "")
    assert json.loads(out)["version"] == sys.version
    assert (tmp_path / "said").read_text() == "said\nat exit\n"


def test_its_files_have_the_limit_of_whoever_starts_it(launch: Launch) -> None:
    with full_disk(4096):
        process = launch(PROGRAM, ["exit", "0"], ENVIRONMENT, subprocess.PIPE)
    out, _ = process.communicate(timeout=60)
    assert json.loads(out)["file_size"] == 4096


def test_many_at_once_are_told_apart(forking: ForkingLauncher) -> None:
    processes = [forking(PROGRAM, ["exit", str(number)], ENVIRONMENT, subprocess.PIPE) for number in range(20)]
    shown = [json.loads(process.communicate(timeout=60)[0])["arguments"][1] for process in processes]
    assert shown == [str(process.returncode) for process in processes] == [str(number) for number in range(20)]
