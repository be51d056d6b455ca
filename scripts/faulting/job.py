"""A run of the job, or of another command, as its own process: killed, stopped, waited for, and held to what it says."""

import json
import signal
import subprocess
from typing import Any, Final, NamedTuple, Self

from scripts.faulting.round import must
from scripts.world import Process, World
from transforms.records.outcomes import Outcome

# Small slices and batches, so that a run has many moments to die at.
SMALL: Final = ("--slice_bytes=100000", "--batch_rows=50")
FOLLOW: Final = ("--follow", "--every_s=1")
READERS: Final = ("bounded", "beam")
# Around all times of the samples; fixed, so that a second run is one of the same range.
SINCE: Final = "2026-01-01T00:00:00Z"
UNTIL: Final = "2026-06-01T00:00:00Z"
STOP_S: Final = 30.0
_END_S: Final = 240.0
OUTCOMES: Final = tuple(one.value for one in Outcome)


class Ended(NamedTuple):
    """How a run ended: exit code, the object it printed ({} for none), and what it said on stderr."""

    code: int
    report: dict[str, Any]
    said: str

    def must_be(self, code: int) -> "Ended":
        must(self.code == code, f"the run ended with {self.code} instead of {code} and said {self.said[-600:]!r}")
        return self

    def must_say_one_sentence(self, *beginnings: str) -> str:
        """The only line that a run said that had to stop."""
        lines = self.said.strip().splitlines()
        must(len(lines) == 1 and lines[0].startswith(beginnings), f"instead of one sentence the run said {self.said[-600:]!r}")
        return lines[0]

    def must_count_every_record_once(self) -> int:
        """How many records it read: the sum of their outcomes."""
        counted: int = sum(self.report[outcome] for outcome in OUTCOMES)
        must(counted == self.report["read"], f"{self.report['read']} records were read and {counted} outcomes counted")
        return counted


class Command:
    """A command that has begun; killed at the end of the block where it still goes on."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def goes_on(self) -> bool:
        return self._process.poll() is None

    def ends_within(self, seconds: float) -> bool:
        """Wait so long; whether it ended meanwhile."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """kill -9, whatever it is at."""
        if self._process.stdout is not None and not self._process.stdout.closed:
            self._process.kill()
            self._process.communicate()

    def end(self, within_s: float = _END_S) -> Ended:
        """Wait for its end; DoesNotHold where it goes on for longer."""
        try:
            out, err = self._process.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            must(False, f"the run did not end within {within_s:.0f} s")
        return Ended(self._process.returncode, json.loads(out) if out.strip() else {}, err)

    def stop(self) -> Ended:
        """SIGTERM; it must end by itself within 30 s."""
        self._process.send_signal(signal.SIGTERM)
        return self.end(STOP_S)


class Job(Command):
    """A run of the job."""

    def __init__(self, world: World, *flags: str) -> None:
        super().__init__(world.start_job("--log_level=ERROR", *flags))


class Backfill(Command):
    """A backfill of all that there is."""

    def __init__(self, world: World, *flags: str) -> None:
        super().__init__(
            world.start("pipelines.backfill", "run", "--json", "--log_level=ERROR", f"--from={SINCE}", f"--to={UNTIL}", *flags)
        )
