"""Watching a streaming job: what runs on a cluster is looked after from outside, and goes on when nobody looks."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

import structlog

from runners.loops.retries import fault_retries
from runners.loops.stop import Stopper
from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.offsets import Place

_LOG: Final = structlog.get_logger("watch")
_LONGEST_WAIT_S: Final = 60.0


class CheckpointLook(NamedTuple):
    """A completed checkpoint. ended_ms: since 1970, by the cluster's clock. failed: how many were not completed so far."""

    ended_ms: int
    took_ms: int
    size_bytes: int
    failed: int


class JobLook(NamedTuple):
    """A job as its cluster shows it. state: the cluster's word. restarts: since it began. cause: of the last one, "" for none.

    is_ended: nothing of it runs any more. checkpoint: the newest that was completed; None where there is none yet.
    """

    state: str
    is_running: bool
    is_ended: bool
    restarts: int = 0
    cause: str = ""
    checkpoint: CheckpointLook | None = None


class StreamJob(Protocol):
    """A job on a cluster. All raise InfrastructureFault where the cluster cannot be asked."""

    name: str

    def look(self) -> JobLook: ...

    def cancel(self) -> None:
        """Return when nothing of it runs any more."""


class Stands(NamedTuple):
    """How far the job has come, and how far there is to go, by partition.

    done: the offsets before which all is in the graph, or in the dead letters; a partition without one is absent.
    ends: the offsets that follow the last records that can be read now.
    """

    done: dict[Place, int]
    ends: dict[Place, int]


class Bus(Protocol):
    """What there is to read, and how far the job's group has come."""

    def places(self) -> list[Place]:
        """Every partition of every topic that is to be read now."""

    def stands(self, places: Iterable[Place]) -> Stands: ...


class WatchObserver(Protocol):
    """Told how the job goes on."""

    def looked(self, look: JobLook) -> None: ...

    def lagging(self, lag: Mapping[Place, int]) -> None:
        """So many offsets are not in the graph yet, by partition."""

    def caught_up(self) -> None:
        """All that was there at an earlier look has been taken in."""


class JobFailed(InfrastructureFault):
    """The cluster gave the job up."""


@dataclass(slots=True)
class Watch:
    """Looks after a streaming job until asked to stop, which leaves the job running; raises JobFailed where it has ended.

    submit: begins a job that reads these partitions' topics. look_s: seconds between two looks. discovery_s: how often new
    topics and partitions are looked for; where there are any, the job is cancelled and begun anew with them, and reads on
    from what is committed, behind which the graph stands; one that does not run while topics may not be read begins anew
    without these. max_faults: so many looks in a row that fail end the watch.
    """

    submit: Callable[[list[Place]], StreamJob]
    bus: Bus
    observer: WatchObserver
    stopper: Stopper
    look_s: float = 2.0
    discovery_s: float = 30.0
    max_faults: int = 10
    clock: Callable[[], float] = time.monotonic
    _places: list[Place] = field(default_factory=list)
    _goals: dict[Place, int] = field(default_factory=dict)
    _next_discovery: float = 0.0
    _restarts: int = 0

    def run(self, job: StreamJob, places: list[Place]) -> StreamJob:
        """Watch the job, which reads these partitions; the job that runs at the end."""
        self._places, self._next_discovery = places, self.clock() + self.discovery_s
        retries = fault_retries(self.stopper, 2 * self.look_s, self.max_faults, _LOG, final=(JobFailed,))
        while not self.stopper.asked():
            job = retries(self._look_unless_asked, job)
            if not self.stopper.asked():
                self.stopper.wait(min(self.look_s, _LONGEST_WAIT_S))
        return job

    def _look_unless_asked(self, job: StreamJob) -> StreamJob:
        return job if self.stopper.asked() else self._look(job)

    def _look(self, job: StreamJob) -> StreamJob:
        look = job.look()
        self.observer.looked(look)
        if look.is_ended:
            raise JobFailed(f"The Flink job {job.name} has ended as {look.state}" + _because(look.cause))
        if look.restarts > self._restarts:
            _LOG.warning("job restarted", job=job.name, restarts=look.restarts, cause=look.cause)
        self._restarts = look.restarts
        if look.is_running:
            self._measure()
            if self.clock() >= self._next_discovery:
                return self._discover(job)
        elif self.clock() >= self._next_discovery:
            return self._leave_out(job)
        return job

    def _leave_out(self, job: StreamJob) -> StreamJob:
        """A job that does not come to run because it may not read a topic any more is begun anew without that."""
        self._next_discovery = self.clock() + self.discovery_s
        places = self.bus.places()
        lost = sorted(set(self._places) - set(places))
        if not lost or not places:
            return job
        _LOG.error("partitions cannot be read: the job begins anew without", partitions=[f"{topic}[{number}]" for topic, number in lost])
        return self._begin_anew(job, places)

    def _measure(self) -> None:
        """The lag; and whether the goal of an earlier look has been reached, which makes the next one."""
        done, ends = self.bus.stands(self._places)
        self.observer.lagging({place: max(0, end - done.get(place, 0)) for place, end in ends.items()})
        if all(done.get(place, 0) >= goal for place, goal in self._goals.items()):
            if self._goals:
                self.observer.caught_up()
            self._goals = {place: end for place, end in ends.items() if end}

    def _discover(self, job: StreamJob) -> StreamJob:
        self._next_discovery = self.clock() + self.discovery_s
        places = self.bus.places()
        new = sorted(set(places) - set(self._places))
        if not new:
            return job
        _LOG.info("new partitions: the job begins anew with them", partitions=[f"{topic}[{number}]" for topic, number in new])
        return self._begin_anew(job, places)

    def _begin_anew(self, job: StreamJob, places: list[Place]) -> StreamJob:
        job.cancel()
        self._places, self._goals, self._restarts = places, {}, 0
        return self.submit(places)


def _because(cause: str) -> str:
    return (
        f" ({cause}); mend that, then submit it again: it reads on behind what the graph holds." if cause else "; see the JobManager's log."
    )
