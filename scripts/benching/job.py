"""One run of the job as its own process, with what it used."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import psutil

_LOOK_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class JobRun:
    """What a run reported, and what its Python process used with those it started; java_cpu_s: what it made the Java side use."""

    report: dict[str, Any]
    wall_s: float
    cpu_s: float
    peak_rss_mb: float
    java_cpu_s: float


def run_job(flags: list[str], environment: dict[str, str], java: psutil.Process | None) -> JobRun:
    """Run the job to its end; RuntimeError with what it said where it fails."""
    before = _cpu(java)
    started = time.perf_counter()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        command = [sys.executable, "-m", "pipelines.graph_build", "--json", "--log_level=ERROR", *flags]
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=out, stderr=err)
        children = _ChildrensMemory(process.pid)
        _, status, used = os.wait4(process.pid, 0)
        children.join()
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode:
            raise RuntimeError(f"the job ended with {process.returncode}: {err.read()[-2000:].decode(errors='replace')}")
        report = msgspec.json.decode(out.read())
    return JobRun(report, wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024 + children.peak_mb, _cpu(java) - before)


class _ChildrensMemory(threading.Thread):
    """The most that the processes which a process started took at one time, while it runs."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak_mb = 0.0
        self._process = psutil.Process(pid)
        self.start()

    def run(self) -> None:
        with suppress(psutil.NoSuchProcess):
            while self._process.is_running() and self._process.status() != psutil.STATUS_ZOMBIE:
                self.peak_mb = max(self.peak_mb, sum(self._sizes()) / 2**20)
                time.sleep(_LOOK_S)

    def _sizes(self) -> Iterator[int]:
        for child in self._process.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                yield child.memory_info().rss


def _cpu(process: psutil.Process | None) -> float:
    if process is None:
        return 0.0
    times = process.cpu_times()
    return times.user + times.system


def watch(flags: list[str], environment: dict[str, str], seconds: int, each_second: Callable[[], object]) -> dict[str, float]:
    """CPU and memory of the job while it follows; each_second is called once a second meanwhile."""
    command = [sys.executable, "-m", "pipelines.graph_build", "--follow", "--every_s=10", "--log_level=ERROR", *flags]
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        seen = psutil.Process(process.pid)
        _settle(lambda: seen.cpu_percent(1.0) < 20)  # noqa: PLR2004 - started, and no longer importing
        before, started = _cpu(seen), time.perf_counter()
        for second in range(seconds):
            each_second()
            time.sleep(max(0.0, started + second + 1 - time.perf_counter()))
        spent = (_cpu(seen) - before) / (time.perf_counter() - started)
        return {"cpu_percent": round(100 * spent, 2), "rss_mb": round(seen.memory_info().rss / 2**20, 1)}
    finally:
        process.terminate()
        process.wait(60)


def _settle(is_quiet: Callable[[], bool]) -> None:
    for _ in range(60):
        if is_quiet():
            return
