"""Flink's REST interface, asked of a real HTTP server that answers as Flink 1.19 does."""

from typing import Any

import pytest

from runners.flink.job_table import job_rows
from runners.flink.rest import FlinkRest
from tests.support.flink_server import serving
from transforms.io.faults import InfrastructureFault

JOB = "7c36a6b019ba47f3660e90b02043fc91"
OVERVIEW = {
    "taskmanagers": 1,
    "slots-total": 4,
    "slots-available": 2,
    "jobs-running": 1,
    "flink-version": "1.19.3",
    "flink-commit": "4105f8d",
}
TRACE = (
    "org.apache.flink.runtime.taskmanager.AsynchronousException: Caught exception while processing timer.\n"
    "\tat org.apache.flink.streaming.runtime.tasks.StreamTask.run(StreamTask.java:1650)\n"
    "Caused by: java.lang.RuntimeException: Error received from SDK harness for instruction 1: Traceback (most recent call last):\n"
    '  File "apache_beam/runners/common.py", line 1498, in process\n'
    "    k, vs = el\n"
    "ValueError: too many values to unpack (expected 2)\n"
    "\n"
    "During handling of the above exception, another exception occurred:\n"
)
SAVED = {"status": {"id": "COMPLETED"}, "operation": {"location": "file:/savepoints/savepoint-7c36a6-b25de61e090d"}}
PENDING = {"status": {"id": "IN_PROGRESS"}, "operation": None}


def job(state: str = "RUNNING", running: int = 4, total: int = 4, finished: int = 0) -> dict[str, Any]:
    tasks = {"running": running, "canceling": 0, "total": total, "initializing": total - running - finished, "finished": finished}
    return {"jid": JOB, "name": "graph", "start-time": 1_000, "end-time": -1, "duration": 10, "state": state, "tasks": tasks}


def jobs(*found: dict[str, Any]) -> dict[str, Any]:
    return {"jobs": list(found)}


def test_the_cluster_tells_its_version_and_slots() -> None:
    with serving({"GET /overview": OVERVIEW}) as flink, FlinkRest(flink.address) as rest:
        seen = rest.overview()

    assert (seen.version, seen.task_managers, seen.slots, seen.free_slots) == ("1.19.3", 1, 4, 2)


@pytest.mark.parametrize(
    ("told", "works", "ended"),
    [
        (job(), True, False),
        # Flink says RUNNING as soon as it has accepted a job.
        (job(running=0), False, False),
        (job(running=3), False, False),
        (job(running=3, finished=1), True, False),
        (job(running=0, total=0), False, False),
        (job("RESTARTING", running=0), False, False),
        (job("CANCELED"), False, True),
        (job("FAILED"), False, True),
        (job("FINISHED"), False, True),
    ],
)
def test_a_job_works_only_when_every_task_does(told: dict[str, Any], works: bool, ended: bool) -> None:
    with serving({"GET /jobs/overview": jobs(told)}) as flink, FlinkRest(flink.address) as rest:
        found = rest.job(JOB)

    assert (found.works, found.ended) == (works, ended)


def test_jobs_come_oldest_first_and_one_that_is_not_there_is_told_with_those_that_are() -> None:
    younger = job() | {"jid": "younger", "start-time": 2_000}
    with serving({"GET /jobs/overview": jobs(younger, job())}) as flink, FlinkRest(flink.address) as rest:
        assert [one.id for one in rest.jobs()] == [JOB, "younger"]
        with pytest.raises(InfrastructureFault) as told:
            rest.job("nine")

    assert told.value.sentence == (
        f"Flink at {flink.address} knows no job 'nine'; it knows {JOB} (graph, RUNNING), younger (graph, RUNNING)."
    )


def test_a_savepoint_that_stops_the_job_waits_for_both() -> None:
    answers = {
        f"POST /jobs/{JOB}/stop": {"request-id": "r1"},
        f"GET /jobs/{JOB}/savepoints/r1": (PENDING, SAVED),
        "GET /jobs/overview": (jobs(job()), jobs(job("FINISHED"))),
    }
    with serving(answers) as flink, FlinkRest(flink.address) as rest:
        path = rest.savepoint(JOB, stop=True, folder="file:/elsewhere")

    assert path == "file:/savepoints/savepoint-7c36a6-b25de61e090d"
    assert flink.asked[0] == (f"POST /jobs/{JOB}/stop", {"drain": False, "targetDirectory": "file:/elsewhere"})
    assert [asked for asked, _ in flink.asked].count("GET /jobs/overview") == 2


def test_a_savepoint_beside_a_job_that_goes_on_does_not_cancel_it() -> None:
    answers = {f"POST /jobs/{JOB}/savepoints": {"request-id": "r1"}, f"GET /jobs/{JOB}/savepoints/r1": SAVED}
    with serving(answers) as flink, FlinkRest(flink.address) as rest:
        assert rest.savepoint(JOB, stop=False) == "file:/savepoints/savepoint-7c36a6-b25de61e090d"

    assert flink.asked[0] == (f"POST /jobs/{JOB}/savepoints", {"cancel-job": False})


def test_a_savepoint_that_fails_and_one_that_takes_too_long_are_told() -> None:
    trace = "a.CompletionException: x\nCaused by: org.apache.flink.CheckpointException: Not all required tasks are running.\n"
    failed = {"status": {"id": "COMPLETED"}, "operation": {"failure-cause": {"class": "x", "stack-trace": trace}}}
    begun = {f"POST /jobs/{JOB}/savepoints": {"request-id": "r1"}}
    with (
        serving(begun | {f"GET /jobs/{JOB}/savepoints/r1": failed}) as flink,
        FlinkRest(flink.address) as rest,
        pytest.raises(InfrastructureFault, match=r"could not take a savepoint of job 7c36.*: Not all required tasks are running\."),
    ):
        rest.savepoint(JOB, stop=False)
    with (
        serving(begun | {f"GET /jobs/{JOB}/savepoints/r1": PENDING}) as flink,
        FlinkRest(flink.address) as rest,
        pytest.raises(InfrastructureFault, match=r"took no savepoint of job 7c36.* within 0 s"),
    ):
        rest.savepoint(JOB, stop=False, within_s=0)


def test_cancelling_returns_when_the_job_has_ended() -> None:
    answers = {f"PATCH /jobs/{JOB}?mode=cancel": {}, "GET /jobs/overview": (jobs(job()), jobs(job("CANCELED")))}
    with serving(answers) as flink, FlinkRest(flink.address) as rest:
        rest.cancel(JOB)

    assert [asked for asked, _ in flink.asked] == [f"PATCH /jobs/{JOB}?mode=cancel", "GET /jobs/overview", "GET /jobs/overview"]


def test_the_row_of_a_job_says_how_often_it_failed_and_why() -> None:
    completed = {
        "id": 7,
        "latest_ack_timestamp": 1_795_600_306_889,
        "state_size": 49854,
        "end_to_end_duration": 16,
        "external_path": "file:/c",
    }
    answers = {
        "GET /jobs/overview": jobs(job()),
        f"GET /jobs/{JOB}/metrics?get=numRestarts": [{"id": "numRestarts", "value": "2"}],
        f"GET /jobs/{JOB}/checkpoints": {"counts": {"completed": 5, "failed": 1, "restored": 2}, "latest": {"completed": completed}},
        f"GET /jobs/{JOB}/exceptions?maxExceptions=1": {"root-exception": None, "exceptionHistory": {"entries": [{"stacktrace": TRACE}]}},
    }
    with serving(answers) as flink, FlinkRest(flink.address) as rest:
        rows = list(job_rows(rest))

    cause = "ValueError: too many values to unpack (expected 2)"
    assert rows == [
        (JOB, "graph", "RUNNING", "4 of 4", "2", "5 done, 1 failed", "7 at 09:51:46 UTC, 49854 bytes, 16 ms", cause),
    ]


def test_a_bounded_job_has_no_checkpoints_which_flink_tells_by_a_404_and_one_that_ended_no_restarts() -> None:
    answers = {
        "GET /jobs/overview": jobs(job("FINISHED", running=0, finished=4)),
        f"GET /jobs/{JOB}/exceptions?maxExceptions=1": {"root-exception": None, "exceptionHistory": {"entries": []}},
    }
    with serving(answers) as flink, FlinkRest(flink.address) as rest:
        assert list(job_rows(rest)) == [(JOB, "graph", "FINISHED", "4 of 4", "-", "0 done, 0 failed", "-", "")]
        with pytest.raises(InfrastructureFault, match="knows nothing at /jobs/gone"):
            rest.restarts("gone")


def test_metrics_of_a_step_are_summed_and_those_it_lacks_are_left_out() -> None:
    path = f"GET /jobs/{JOB}/vertices/v1/subtasks/metrics?get=numRecordsIn,none&agg=sum"
    with serving({path: [{"id": "numRecordsIn", "sum": 12.0}]}) as flink, FlinkRest(flink.address) as rest:
        assert rest.vertex_metrics(JOB, "v1", ["numRecordsIn", "none"]) == {"numRecordsIn": 12.0}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"<html>a proxy's page</html>", "is not Flink's REST interface"),
        ({"jobs": 3}, "is not Flink's REST interface"),
        ([], "is not Flink's REST interface"),
        (500, "answered /overview with 500"),
        (302, "answered /overview with 302"),
    ],
)
def test_what_is_not_flink_is_told_with_its_address(answer: Any, said: str) -> None:
    with serving({"GET /overview": answer}) as flink, FlinkRest(flink.address) as rest, pytest.raises(InfrastructureFault) as told:
        rest.overview()

    assert said in told.value.sentence
    assert flink.address in told.value.sentence


def test_nobody_there_is_told_with_the_remedy() -> None:
    with serving({}) as flink:
        address = flink.address
    with FlinkRest(address) as rest, pytest.raises(InfrastructureFault) as told:
        rest.overview()

    assert told.value.sentence.startswith(f"Flink's JobManager does not answer at {address} (")
    assert told.value.sentence.endswith("; start it with `scripts/flink up`, or name another with --flink_master.")
