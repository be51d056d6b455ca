"""What Flink's REST interface answers, as far as it is used; absent fields have a value that claims nothing."""

from typing import Final

import msgspec

ENDED: Final = frozenset({"FINISHED", "CANCELED", "FAILED"})


class Overview(msgspec.Struct, frozen=True):
    """The cluster. `version` is such as 1.19.3."""

    version: str = msgspec.field(name="flink-version")
    task_managers: int = msgspec.field(name="taskmanagers")
    slots: int = msgspec.field(name="slots-total")
    free_slots: int = msgspec.field(name="slots-available")


class TaskManager(msgspec.Struct, frozen=True):
    id: str


class TaskManagers(msgspec.Struct, frozen=True):
    taskmanagers: list[TaskManager]


class Tasks(msgspec.Struct, frozen=True):
    """How many of a job's tasks are in each state that is looked at."""

    total: int = 0
    running: int = 0
    finished: int = 0


class Job(msgspec.Struct, frozen=True):
    """One job; times in milliseconds, `start_ms` since the epoch by the JobManager's clock."""

    id: str = msgspec.field(name="jid")
    name: str
    state: str
    start_ms: int = msgspec.field(name="start-time")
    duration_ms: int = msgspec.field(name="duration", default=0)
    tasks: Tasks = msgspec.field(default_factory=Tasks)

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def works(self) -> bool:
        """Whether every task runs, or has done its share: Flink says RUNNING as soon as a job has been accepted."""
        return self.state == "RUNNING" and 0 < self.tasks.total == self.tasks.running + self.tasks.finished


class Jobs(msgspec.Struct, frozen=True):
    jobs: list[Job]


class _Entry(msgspec.Struct, frozen=True):
    stacktrace: str = ""


class _History(msgspec.Struct, frozen=True):
    entries: list[_Entry] = []


class Exceptions(msgspec.Struct, frozen=True):
    root: str | None = msgspec.field(name="root-exception", default=None)
    history: _History = msgspec.field(name="exceptionHistory", default_factory=_History)

    def latest(self) -> str:
        """The newest stack trace; "" where nothing failed."""
        return self.history.entries[0].stacktrace if self.history.entries else self.root or ""


class Counts(msgspec.Struct, frozen=True):
    completed: int = 0
    failed: int = 0
    restored: int = 0
    in_progress: int = 0


class Checkpoint(msgspec.Struct, frozen=True):
    """A completed one. `path` may be resumed from like a savepoint where it was retained."""

    id: int
    ended_ms: int = msgspec.field(name="latest_ack_timestamp", default=0)
    size_bytes: int = msgspec.field(name="state_size", default=0)
    took_ms: int = msgspec.field(name="end_to_end_duration", default=0)
    path: str = msgspec.field(name="external_path", default="")


class _Latest(msgspec.Struct, frozen=True):
    completed: Checkpoint | None = None


class Checkpoints(msgspec.Struct, frozen=True):
    counts: Counts = msgspec.field(default_factory=Counts)
    latest: _Latest = msgspec.field(default_factory=_Latest)


class Vertex(msgspec.Struct, frozen=True):
    """Steps that run as one, on so many subtasks."""

    id: str
    name: str
    parallelism: int


class Plan(msgspec.Struct, frozen=True):
    vertices: list[Vertex]


class Metric(msgspec.Struct, frozen=True):
    """A job's has a value, a vertex's the sum over its subtasks."""

    id: str
    value: str | None = None
    sum: float | None = None


class Trigger(msgspec.Struct, frozen=True):
    request_id: str = msgspec.field(name="request-id")


class _Status(msgspec.Struct, frozen=True):
    id: str


class _Failure(msgspec.Struct, frozen=True):
    trace: str = msgspec.field(name="stack-trace", default="")


class _Operation(msgspec.Struct, frozen=True):
    location: str | None = None
    failure: _Failure | None = msgspec.field(name="failure-cause", default=None)


class Triggered(msgspec.Struct, frozen=True):
    """How far a savepoint is."""

    status: _Status
    operation: _Operation | None = None

    @property
    def done(self) -> bool:
        return self.status.id == "COMPLETED"

    @property
    def location(self) -> str:
        return (self.operation and self.operation.location) or ""

    @property
    def failure(self) -> str:
        return self.operation.failure.trace if self.operation and self.operation.failure else ""
