"""A line's own level, in the ways that programs write it; what merely mentions a level has none of it."""

import pytest

from transforms.records.logs.failure_table import failure_table
from transforms.records.logs.line_level import line_level
from transforms.records.severity import BAD, severity_of

LEVELS = [
    ("E0301 08:00:00.000000       1 main.go:7] no", "E", "ERROR"),
    ("F0301 08:00:00.000000       1 main.go:7] no", "F", "FATAL"),
    ("W0301 08:00:00.000000       1 main.go:7] ERROR", "W", "WARNING"),
    ("I0301 08:00:00.000000       1 main.go:7] [ERROR]", "I", "INFO"),
    ("2026-03-01T08:00:00.123456789Z E0301 08:00:00.000000 1 main.go:7] no", "E", "ERROR"),
    ('{"level":"error","msg":"no"}', "error", "ERROR"),
    ('{"msg":"ERROR","level":"info"}', "info", "INFO"),
    ('{"severity": "CRITICAL", "message": "no"}', "CRITICAL", "FATAL"),
    ('{"msg":"say \\"level\\":\\"error\\"","level":"debug"}', "debug", "DEBUG"),
    ('{"level":50,"msg":"no"}', "50", "ERROR"),
    ('{"level":30,"msg":"ERROR"}', "30", "INFO"),
    ('{"t":{"$date":"2026-03-01T08:00:00Z"},"s":"E", "c":"STORAGE","msg":"no"}', "E", "ERROR"),
    ('time="2026-03-01T08:00:00Z" level=error msg="no"', "error", "ERROR"),
    ('ts=1 lvl=crit msg="no"', "crit", "FATAL"),
    ('time="2026-03-01T08:00:00Z" level=info msg="level=error"', "info", "INFO"),
    ("17:33:16.821 ERROR o.s.Orders#384 no", "ERROR", "ERROR"),
    ("17:33:16.821 INFO  o.s.Orders#384 ERROR", "INFO", "INFO"),
    ("2026-03-01 08:00:00.123 UTC [1] FATAL:  no", "FATAL", "FATAL"),
    ("2026/03/01 08:00:00 [error] 31#31: *1 no", "error", "ERROR"),
    ("[ERROR] plugin/errors: 2 no", "ERROR", "ERROR"),
    ("2026-03-01T08:00:00Z|00001|db|ERR|no", "ERR", "ERROR"),
    ("ERROR:root:no", "ERROR", "ERROR"),
    ("2026-03-01 08:00:00,123 - app - CRITICAL - no", "CRITICAL", "FATAL"),
    ("Mar 01, 2026 8:00:00 AM org.Example run\nSEVERE: no", "SEVERE", "ERROR"),
    ("fail: Microsoft.AspNetCore.Server[13]", "fail", "ERROR"),
    ("Error: cannot find module", "Error", "ERROR"),
    ("<PANIC> no", "PANIC", "FATAL"),
]


@pytest.mark.parametrize(("line", "raw", "severity"), LEVELS)
def test_the_level_of_a_line_is_found_where_its_program_writes_it(line: str, raw: str, severity: str) -> None:
    assert line_level(line) == (raw, severity)


@pytest.mark.parametrize(("line", "severity"), [(line, severity) for line, _, severity in LEVELS if severity in BAD])
def test_every_bad_line_is_a_candidate_of_the_one_pass(line: str, severity: str) -> None:
    assert failure_table().hits(line).level, severity


@pytest.mark.parametrize(
    "line",
    [
        "",
        "no level here",
        "an error occurred",
        "errors=0",
        "ERRORS found: 0",
        "terror: level 5",
        "GET /error/42 200",
        "E0301 is a code",
        "errorlevel=error_free",
        "x" * 200 + " ERROR",
    ],
)
def test_a_line_that_merely_mentions_errors_has_no_level(line: str) -> None:
    assert line_level(line).severity not in BAD


@pytest.mark.parametrize(
    ("raw", "severity"),
    [("ERROR", "ERROR"), (" Warn ", "WARNING"), (50, "ERROR"), ("60", "FATAL"), (7, "UNKNOWN"), (True, "UNKNOWN"), ("9" * 5000, "UNKNOWN")]
    + [(other, "UNKNOWN") for other in (None, "", "?", 1.5, ("ERROR",), "\u0665\u0660")],
)
def test_a_severity_is_one_of_the_closed_set(raw: object, severity: str) -> None:
    assert severity_of(raw) == severity
