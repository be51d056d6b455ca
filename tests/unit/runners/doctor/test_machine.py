"""This machine, the clocks and the Java side are judged; what is printed of it all."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.doctor.report import checks_summary, ending, plain_lines
from runners.doctor.clocks import judge_kafka_clock, judge_neo4j_clock
from runners.doctor.connector import judge_java_side, not_needed
from runners.doctor.doctor import Subject
from runners.doctor.humanize import spoken_bytes, spoken_ms, spoken_s
from runners.doctor.machine import (
    FileMode,
    Folder,
    judge_java,
    judge_kept,
    judge_open_files,
    judge_packages,
    judge_rust,
    judge_secrets,
    judge_temporary,
)
from runners.doctor.this_machine import check_kept, machine_checks
from runners.doctor.verdict import Check, Status, failed, ok, warning
from transforms.io.answers import ProbeError
from transforms.io.graph_admin.probe import ClockTold
from transforms.io.kafka.target import KafkaTarget
from transforms.io.neo4j.target import Neo4jTarget
from transforms.io.secrets import Secret
from transforms.records.dead_letters.selection import LetterPlace

NOW_S = 1_772_352_000.0


@pytest.mark.parametrize(
    ("size", "said"), [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1 KiB"), (1536, "1.5 KiB"), (2**24, "16 MiB"), (5 * 2**29, "2.5 GiB")]
)
def test_sizes_are_said_in_the_greatest_unit_that_they_fill(size: int, said: str) -> None:
    assert spoken_bytes(size) == said


@pytest.mark.parametrize(
    ("ms", "said"),
    [(0, "0 ms"), (999, "999 ms"), (1000, "1 second"), (5400000, "1.5 hours"), (86400000, "1 day"), (400 * 86400000, "400 days")],
)
def test_durations_are_said_in_the_greatest_unit_that_they_fill(ms: int, said: str) -> None:
    assert spoken_ms(ms) == spoken_s(ms / 1000) == said


@pytest.mark.parametrize(
    ("versions", "faults", "status", "said"),
    [
        ({"a": "1", "b": "2"}, {}, Status.OK, "a 1, b 2"),
        ({"a": "1", "b": None}, {"b": "No module named 'b'"}, Status.FAILED, "not installed: b"),
        ({"a": "1", "b": "2"}, {"b": "libx.so is missing"}, Status.FAILED, "b cannot be imported (libx.so is missing)"),
    ],
)
def test_packages_must_be_there_and_importable(versions: dict[str, str | None], faults: dict[str, str], status: Status, said: str) -> None:
    check = judge_packages(versions, faults)
    assert (check.status, check.said) == (status, said)


def test_a_driver_without_its_rust_extension_is_a_warning() -> None:
    assert [judge_rust(active).status for active in (True, False, None)] == [Status.OK, Status.WARNING, Status.SKIPPED]


def test_a_missing_java_is_only_a_warning() -> None:
    assert judge_java("/usr/bin/java", "") == ok("java", "/usr/bin/java")
    assert judge_java("", "`java` is not on the PATH.").status is Status.WARNING


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_secret_that_only_its_owner_may_read_is_ok(mode: int) -> None:
    assert judge_secrets([FileMode("/s", mode)]).status is Status.OK


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610])
def test_a_secret_that_is_open_to_others_is_a_warning_that_names_it(mode: int) -> None:
    check = judge_secrets([FileMode("/fine", 0o600), FileMode("/open", mode)])
    assert (check.status, check.said) == (Status.WARNING, f"others may read /open ({mode:04o})")


def test_a_secret_that_cannot_be_read_is_fatal_and_none_is_ok() -> None:
    assert judge_secrets([FileMode("/s", None, "No such file or directory")]).status is Status.FAILED
    assert judge_secrets([]) == ok("secrets", "none is in a file")


@pytest.mark.parametrize(
    ("folder", "status"),
    [
        (Folder("/data", 2**30), Status.OK),
        (Folder("/data", 2**30 - 1), Status.WARNING),
        (Folder("/data", 2**40, "Read-only file system"), Status.FAILED),
    ],
)
def test_what_the_job_keeps_needs_a_folder_and_room(folder: Folder, status: Status) -> None:
    check = judge_kept("archive", folder, "--archive")
    assert check.status is status
    assert ("--archive" in check.remedy) is (status is not Status.OK)


def test_where_a_url_leads_is_not_asked() -> None:
    assert check_kept("archive", "s3://bucket/archive", "--archive").status is Status.SKIPPED


def test_temporary_files_need_a_folder_and_room() -> None:
    assert judge_temporary(Folder("/tmp", 2**30)).status is Status.OK
    assert judge_temporary(Folder("/tmp", 2**30 - 1)).status is Status.WARNING
    assert judge_temporary(Folder("/tmp", 2**40, "Read-only file system")).status is Status.FAILED


def test_few_open_files_are_a_warning() -> None:
    assert [judge_open_files(limit).status for limit in (None, 1024, 1023)] == [Status.OK, Status.OK, Status.WARNING]


def test_this_machine_is_asked_and_no_secret_is_shown(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("hunter2-hunter2")
    secret.chmod(0o644)

    checks = {check.name: check for check in machine_checks([str(secret), ""])}

    assert list(checks) == ["packages", "rust extension", "java", "secrets", "temporary folder", "open files"]
    assert checks["packages"].status is checks["rust extension"].status is Status.OK
    assert checks["secrets"].said == f"others may read {secret} (0644)"
    assert "hunter2" not in str(checks)


def test_only_secrets_that_are_used_are_looked_at() -> None:
    neo4j = Neo4jTarget("bolt://n", "u", Secret("NEO4J_PASSWORD"))
    kafka = KafkaTarget("k:9092", "g", sasl_password=Secret(file="/sasl"), keypair_file="/pair")
    assert Subject(kafka, neo4j, (), LetterPlace("d"), "bounded").secret_files() == ["/pair"]
    sasl = KafkaTarget("k:9092", "g", "SASL_SSL", sasl_password=Secret(file="/sasl"))
    with_file = Neo4jTarget("bolt://n", "u", Secret(file="/neo4j"))
    assert Subject(sasl, with_file, (), LetterPlace("d"), "bounded").secret_files() == ["/neo4j", "/sasl"]


@pytest.mark.parametrize(
    ("ahead_s", "within_s", "status"),
    [(0.0, 0.1, Status.OK), (5.0, 0.0, Status.OK), (5.2, 0.1, Status.WARNING), (-5.2, 0.1, Status.WARNING), (9.0, 5.0, Status.OK)],
)
def test_a_clock_is_off_only_where_that_is_certain(ahead_s: float, within_s: float, status: Status) -> None:
    assert judge_neo4j_clock(ClockTold(ahead_s, within_s)).status is status


def test_which_clock_is_ahead_is_told() -> None:
    assert judge_neo4j_clock(ClockTold(60.0, 0.1)).said == "1 minute ahead of this machine's"
    assert judge_neo4j_clock(ClockTold(-60.0, 0.1)).said == "1 minute behind this machine's"
    assert judge_neo4j_clock(ProbeError("no")).status is Status.SKIPPED


def test_only_a_record_from_the_future_tells_of_a_clock_that_is_off() -> None:
    past, future = int((NOW_S - 3600) * 1000), int((NOW_S + 60) * 1000)
    assert judge_kafka_clock({("a", 0): past}, NOW_S) == ok("Kafka clock", "no record is from the future; the newest is 1 hour old")
    check = judge_kafka_clock({("a", 0): past, ("b", 1): future}, NOW_S)
    assert (check.status, check.said) == (Status.WARNING, "the newest record of b[1] is 1 minute ahead of this machine's clock")
    assert judge_kafka_clock({("a", 0): int((NOW_S + 4) * 1000)}, NOW_S).status is Status.OK
    assert judge_kafka_clock({}, NOW_S).status is judge_kafka_clock(ProbeError("no"), NOW_S).status is Status.SKIPPED


@pytest.mark.parametrize(
    ("told", "statuses"),
    [
        ("2.70.0", [Status.OK, Status.OK]),
        ("2.69.0", [Status.OK, Status.WARNING]),
        ("", [Status.OK, Status.SKIPPED]),
        (ProbeError("does not answer"), [Status.FAILED, Status.SKIPPED]),
    ],
)
def test_the_java_side_must_answer_and_should_be_of_the_same_version(told: str | ProbeError, statuses: list[Status]) -> None:
    assert [check.status for check in judge_java_side("e:8097", told, "2.70.0")] == statuses


def test_a_reader_without_a_java_side_skips_it() -> None:
    assert [check.status for check in not_needed("bounded")] == [Status.SKIPPED] * 2


CHECKS = [ok("one", "fine"), warning("two", "so so", "mend it"), failed("three", "bad", "start it")]


def test_plain_lines_tell_the_remedy_below() -> None:
    assert plain_lines(CHECKS) == [
        "ok       one: fine",
        "warning  two: so so",
        "         -> mend it",
        "failed   three: bad",
        "         -> start it",
    ]


@pytest.mark.parametrize(
    ("choose", "said"),
    [
        (lambda: CHECKS, "1 ok, 1 warning, 1 failed: the job cannot run here."),
        (lambda: CHECKS[:2], "1 ok, 1 warning: the job can run here; see the warnings."),
        (lambda: CHECKS[:1], "1 ok: the job can run here."),
    ],
)
def test_the_ending_says_whether_the_job_can_run(choose: Callable[[], list[Check]], said: str) -> None:
    assert ending(choose()) == said


def test_the_object_holds_the_overall_status_and_every_check() -> None:
    summary = checks_summary(CHECKS)
    assert summary["status"] == "failed"
    assert summary["checks"][1] == {"name": "two", "status": "warning", "said": "so so", "remedy": "mend it"}
