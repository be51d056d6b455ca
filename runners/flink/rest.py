"""Flink's REST interface: what runs, how it is, and the few things that are asked of it.

Answers are read for the fields that are needed, and anything else that comes is an InfrastructureFault that names the
address. No proxy is used, whatever the environment says: the JobManager is within the same network.
"""

import time
from collections.abc import Sequence
from typing import Any, Final, TypeVar
from urllib.parse import quote

import httpx2
import msgspec

from runners.flink.answers import Checkpoints, Exceptions, Job, Jobs, Metric, Overview, Plan, TaskManagers, Trigger, Triggered, Vertex
from runners.flink.causes import root_cause
from transforms.io.faults import InfrastructureFault

_REQUEST_S: Final = 10.0
_POLL_S: Final = 0.2
# Names of metrics in one request: Flink takes no address longer than 4,096 bytes.
_AT_ONCE: Final = 15
_NOT_FOUND: Final = 404
_SUCCESS: Final = range(200, 300)

T = TypeVar("T")


class FlinkRest:
    """The JobManager at host:port; close it with the owner. All faults are InfrastructureFault."""

    def __init__(self, address: str, timeout_s: float = _REQUEST_S) -> None:
        self.address = address
        self._client = httpx2.Client(base_url=f"http://{address}", timeout=timeout_s, trust_env=False)

    def __enter__(self) -> "FlinkRest":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    def overview(self) -> Overview:
        """The cluster's version, TaskManagers and slots."""
        return self._get("/overview", Overview)

    def task_managers(self) -> TaskManagers:
        return self._get("/taskmanagers", TaskManagers)

    def jobs(self) -> Sequence[Job]:
        """Every job that the JobManager remembers, the oldest first."""
        return sorted(self._get("/jobs/overview", Jobs).jobs, key=lambda job: job.start_ms)

    def job(self, job: str) -> Job:
        """The job of this id; InfrastructureFault where the JobManager knows none."""
        found = next((one for one in self.jobs() if one.id == job), None)
        if found is None:
            known = ", ".join(f"{one.id} ({one.name}, {one.state})" for one in self.jobs()) or "none"
            raise InfrastructureFault(f"Flink at {self.address} knows no job {job!r}; it knows {known}.")
        return found

    def cause(self, job: str) -> str:
        """Why the job failed last, in one line; "" where it never did."""
        return root_cause(self._get(f"/jobs/{quote(job)}/exceptions?maxExceptions=1", Exceptions).latest())

    def checkpoints(self, job: str) -> Checkpoints:
        """How many there were, and the last; none of a bounded job, which takes none."""
        content = self._try("GET", f"/jobs/{quote(job)}/checkpoints")
        return Checkpoints() if content is None else self._read(content, Checkpoints)

    def restarts(self, job: str) -> int:
        """How often the job began again since it was submitted, as Flink knew when it last gathered its metrics (10 s, unless set)."""
        found = self._get(f"/jobs/{quote(job)}/metrics?get=numRestarts", list[Metric])
        return int(float(found[0].value)) if found and found[0].value else 0

    def vertices(self, job: str) -> list[Vertex]:
        """The job's steps, as they are fused."""
        return self._get(f"/jobs/{quote(job)}", Plan).vertices

    def metric_names(self, job: str, vertex: str) -> list[str]:
        """The metrics that the subtasks of a vertex have; Flink looks for them on being asked, and may answer as of 10 s ago."""
        return [one.id for one in self._get(f"/jobs/{quote(job)}/vertices/{quote(vertex)}/subtasks/metrics", list[Metric])]

    def vertex_metrics(self, job: str, vertex: str, names: Sequence[str]) -> dict[str, float]:
        """The sum over subtasks of each metric that the vertex has."""
        path = f"/jobs/{quote(job)}/vertices/{quote(vertex)}/subtasks/metrics"
        asked = (f"{path}?get={_listed(names[at : at + _AT_ONCE])}&agg=sum" for at in range(0, len(names), _AT_ONCE))
        return {one.id: float(one.sum) for query in asked for one in self._get(query, list[Metric]) if one.sum is not None}

    def subtask_metric(self, job: str, vertex: Vertex, name: str) -> list[str]:
        """What each subtask of a vertex says of a metric, as Flink writes it; a subtask that has none is absent."""
        paths = (f"/jobs/{quote(job)}/vertices/{quote(vertex.id)}/subtasks/{at}/metrics" for at in range(vertex.parallelism))
        found = (one for path in paths for one in self._get(f"{path}?get={_listed([name])}", list[Metric]))
        return [one.value for one in found if one.value is not None]

    def cancel(self, job: str, within_s: float = 60.0) -> None:
        """Return when the job has ended; what it has not checkpointed is done again by whoever resumes."""
        self._ask("PATCH", f"/jobs/{quote(job)}?mode=cancel")
        self._await_end(job, within_s)

    def savepoint(self, job: str, stop: bool, folder: str = "", within_s: float = 600.0) -> str:
        """Take a savepoint and return its path.

        stop: end the job with it. Nothing is processed after what the savepoint holds, so who resumes from it does nothing twice.
        folder: where it goes, "" for the cluster's own.
        """
        body: dict[str, Any] = {"drain": False} if stop else {"cancel-job": False}
        if folder:
            body["targetDirectory" if stop else "target-directory"] = folder
        trigger = self._read(self._ask("POST", f"/jobs/{quote(job)}/{'stop' if stop else 'savepoints'}", body), Trigger)
        path = self._await_savepoint(job, trigger.request_id, within_s)
        if stop:
            self._await_end(job, within_s)
        return path

    def _await_savepoint(self, job: str, trigger: str, within_s: float) -> str:
        limit = time.monotonic() + within_s
        while True:
            found = self._get(f"/jobs/{quote(job)}/savepoints/{quote(trigger)}", Triggered)
            if found.done and found.location:
                return found.location
            if found.done:
                why = root_cause(found.failure) or "no reason is given"
                raise InfrastructureFault(f"Flink at {self.address} could not take a savepoint of job {job}: {why}")
            if time.monotonic() > limit:
                raise InfrastructureFault(
                    f"Flink at {self.address} took no savepoint of job {job} within {within_s:.0f} s; a bundle that waits for Neo4j "
                    "or Kafka holds it, see `scripts/flink status`."
                )
            time.sleep(_POLL_S)

    def _await_end(self, job: str, within_s: float) -> None:
        limit = time.monotonic() + within_s
        while not self.job(job).ended:
            if time.monotonic() > limit:
                raise InfrastructureFault(f"Job {job} on Flink at {self.address} did not end within {within_s:.0f} s; see its log.")
            time.sleep(_POLL_S)

    def _get(self, path: str, kind: type[T]) -> T:
        return self._read(self._ask("GET", path), kind)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
        content = self._try(method, path, body)
        if content is None:
            raise InfrastructureFault(f"Flink at {self.address} knows nothing at {path}; `scripts/flink status` lists its jobs.")
        return content

    def _try(self, method: str, path: str, body: dict[str, Any] | None = None) -> bytes | None:
        """The answer; None where Flink has nothing there."""
        try:
            answer = self._client.request(method, path, json=body)
        except httpx2.HTTPError as error:
            said = str(error) or type(error).__name__
            raise InfrastructureFault(
                f"Flink's JobManager does not answer at {self.address} ({said[:120]}); start it with `scripts/flink up`, or name "
                "another with --flink_master."
            ) from None
        if answer.status_code == _NOT_FOUND and path.startswith("/jobs/"):
            return None
        if answer.status_code not in _SUCCESS:
            raise InfrastructureFault(
                f"Flink at {self.address} answered {path} with {answer.status_code} ({answer.text[:200]!r}); its log says why."
            )
        return answer.content

    def _read(self, content: bytes, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(content, type=kind)
        except msgspec.MsgspecError as error:
            raise InfrastructureFault(
                f"What answers at {self.address} is not Flink's REST interface ({error}: {content[:80]!r}); name the JobManager's with "
                "--flink_master."
            ) from None


def _listed(names: Sequence[str]) -> str:
    return ",".join(quote(name, safe="[]{}/") for name in names)
