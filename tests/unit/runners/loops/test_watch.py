"""A streaming job is looked after: its end is told, new partitions begin it anew, silence is judged only behind what was there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pytest

from runners.loops.watch import JobFailed, JobLook, Stands, Watch
from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.offsets import Place

A, B = ("a", 0), ("b", 0)
RUNS = JobLook("RUNNING", True, False)


@dataclass
class Job:
    """Shows these looks in turn, the last one again and again; an exception is raised."""

    name: str
    looks: list[JobLook | InfrastructureFault]
    told: list[str]

    def look(self) -> JobLook:
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(look, InfrastructureFault):
            raise look
        return look

    def cancel(self) -> None:
        self.told.append(f"cancel {self.name}")


@dataclass
class Scene:
    """A bus, an observer and a stopper in virtual time; asks to stop after so many waits."""

    waits_left: int
    there: list[Place] = field(default_factory=lambda: [A])
    end: dict[Place, int] = field(default_factory=dict)
    committed: dict[Place, int] = field(default_factory=dict)
    now: float = 0.0
    waits: list[float] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    lag: Mapping[Place, int] = field(default_factory=dict)

    def places(self) -> list[Place]:
        return list(self.there)

    def stands(self, places: Iterable[Place]) -> Stands:
        wanted = list(places)
        done = {place: self.committed[place] for place in wanted if place in self.committed}
        return Stands(done, {place: self.end.get(place, 0) for place in wanted})

    def looked(self, look: JobLook) -> None:
        self.told.append(look.state)

    def lagging(self, lag: Mapping[Place, int]) -> None:
        self.lag = lag

    def caught_up(self) -> None:
        self.told.append("caught up")

    def asked(self) -> bool:
        return len(self.waits) >= self.waits_left

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.now += seconds
        return self.asked()

    def watch(self, job: Job, **settings: float) -> None:
        def submit(places: list[Place]) -> Job:
            self.told.append(f"submit {places}")
            return Job("again", [RUNS], self.told)

        found = Watch(submit, self, self, self, clock=lambda: self.now, **settings)  # type: ignore[arg-type]
        found.run(job, [A])


def test_a_job_that_runs_is_left_running_when_the_watch_is_told_to_stop() -> None:
    scene = Scene(3)
    scene.watch(Job("one", [RUNS], scene.told), look_s=2, discovery_s=100)
    assert scene.told == ["RUNNING"] * 3
    assert scene.waits == [2, 2, 2]


def test_a_job_that_has_ended_is_told_with_its_cause() -> None:
    scene = Scene(9)
    failed = JobLook("FAILED", False, True, 3, "Neo4j is away")
    with pytest.raises(JobFailed, match=r"one has ended as FAILED \(Neo4j is away\); mend that"):
        scene.watch(Job("one", [RUNS, failed], scene.told))
    assert scene.told == ["RUNNING", "FAILED"]


def test_new_partitions_begin_the_job_anew_once_the_old_one_has_ended() -> None:
    scene = Scene(6, there=[A, B])
    scene.watch(Job("one", [RUNS], scene.told), look_s=1, discovery_s=3)
    assert scene.told == ["RUNNING"] * 4 + ["cancel one", f"submit {[A, B]}"] + ["RUNNING"] * 2


def test_a_partition_that_is_gone_is_no_reason_to_begin_anew() -> None:
    scene = Scene(5, there=[])
    scene.watch(Job("one", [RUNS], scene.told), look_s=1, discovery_s=2)
    assert scene.told == ["RUNNING"] * 5


def test_a_job_that_does_not_run_for_a_topic_that_may_not_be_read_begins_anew_without_it() -> None:
    scene = Scene(6, there=[A])
    restarts = JobLook("RESTARTING", False, False, 2, "Not authorized to access topics")

    def submit(places: list[Place]) -> Job:
        scene.told.append(f"submit {places}")
        return Job("again", [RUNS], scene.told)

    watch = Watch(submit, scene, scene, scene, look_s=1, discovery_s=3, clock=lambda: scene.now)
    watch.run(Job("one", [restarts], scene.told), [A, B])

    assert scene.told == ["RESTARTING"] * 4 + ["cancel one", f"submit {[A]}"] + ["RUNNING"] * 2


def test_a_job_that_does_not_run_for_another_reason_is_left_to_its_cluster() -> None:
    scene = Scene(5, there=[A])
    scene.watch(Job("one", [JobLook("RESTARTING", False, False, 2, "Neo4j is away")], scene.told), look_s=1, discovery_s=2)
    assert scene.told == ["RESTARTING"] * 5


def test_it_has_caught_up_only_with_what_was_there_at_an_earlier_look() -> None:
    scene = Scene(1, end={A: 10}, committed={A: 4})
    watch = Watch(lambda _: Job("", [RUNS], []), scene, scene, scene, clock=lambda: scene.now)
    job = Job("one", [RUNS], scene.told)
    watch._places = [A]
    for end, done in ((10, 4), (12, 9), (14, 10), (14, 13), (14, 14)):
        scene.end[A], scene.committed[A] = end, done
        watch._look(job)
    # The goals: 10 at the first look, reached at the third, and 14 from there on.
    assert scene.told == ["RUNNING"] * 3 + ["caught up"] + ["RUNNING"] * 2 + ["caught up"]
    assert scene.lag == {A: 0}


def test_a_job_that_does_not_run_has_not_caught_up() -> None:
    scene = Scene(4, end={A: 1}, committed={A: 1})
    scene.watch(Job("one", [JobLook("RESTARTING", False, False, 1, "x")], scene.told))
    assert "caught up" not in scene.told


def test_looks_that_fail_are_waited_out_up_to_a_limit() -> None:
    away = InfrastructureFault("Flink is away.")
    scene = Scene(9)
    with pytest.raises(InfrastructureFault, match="Flink is away"):
        scene.watch(Job("one", [RUNS, away], scene.told), look_s=1, max_faults=3)
    assert scene.waits == [1, 2, 4]

    scene = Scene(6)
    scene.watch(Job("one", [away, RUNS, away, away, RUNS], scene.told), look_s=1, max_faults=3)
    assert scene.waits == [2, 1, 2, 4, 1, 1]
