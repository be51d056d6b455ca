"""Each family of failures matches the lines that tell of it, and not those that only use its words."""

import pytest

from transforms.records.logs.failure_table import (
    MATCHED_CHARACTERS,
    MOST_FAMILIES,
    MOST_PATTERNS,
    NO_HITS,
    PATTERN_CHARACTERS,
    BadPattern,
    failure_table,
    parse_families,
)
from transforms.records.logs.failures import FAMILIES

MATCHES = {
    "LOG_OOM": [
        "Memory cgroup out of memory: Killed process 4711 (java)",
        "Container web was OOMKilled",
        'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space',
        "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
        "std::bad_alloc",
    ],
    "LOG_PANIC": [
        "panic: assignment to entry in nil map",
        "panic: runtime error: invalid memory address or nil pointer dereference",
        "Traceback (most recent call last):",
        "Caused by: org.example.pay.CardException: declined",
        "Unhandled exception. System.InvalidOperationException: no",
        "Segmentation fault (core dumped)",
        "thread 'main' panicked at src/main.rs:4:5",
    ],
    "LOG_DISK": [
        "write /data/wal/0001: no space left on device",
        "open /var/lib/x: read-only file system",
        "accept: too many open files",
        "MountVolume.SetUp failed: Unable to attach or mount volumes: unmounted volumes=[data]",
        "Unable to mount volumes for pod",
    ],
    "LOG_IMAGE": [
        "Back-off pulling: ImagePullBackOff",
        'Failed to pull image "registry.example/x:1": not found',
        "exec /usr/bin/app: exec format error",
    ],
    "LOG_CRASH": [
        "Back-off restarting failed container",
        "Liveness probe failed: HTTP probe failed with statuscode: 503",
        "process exited with code 137",
        "worker 7 terminated unexpectedly",
        "exit status 1",
    ],
    "LOG_DNS": [
        "dial tcp: lookup cart on 10.96.0.10:53: no such host",
        "java.net.UnknownHostException: db",
        "getaddrinfo ENOTFOUND db",
        "could not translate: Temporary failure in name resolution",
    ],
    "LOG_TLS": [
        "x509: certificate signed by unknown authority",
        "http: TLS handshake error from 10.0.0.1:4242: EOF",
        "javax.net.ssl.SSLHandshakeException: PKIX path building failed",
        "remote error: tls: bad certificate",
    ],
    "LOG_AUTH": [
        "pq: password authentication failed for user app",
        "request rejected: Unauthorized",
        "token has expired",
        "upstream said status code 401",
        "NOAUTH Authentication required.",
    ],
    "LOG_PERMISSION": [
        "open /etc/x: permission denied",
        'pods is forbidden: User "system:serviceaccount:a:b" cannot list resource',
        "AccessDenied: not yours",
    ],
    "LOG_QUOTA": [
        "exceeded quota: compute, requested: cpu=2",
        "429 Too Many Requests",
        "FATAL: sorry, too many clients already",
        "rpc error: code = ResourceExhausted desc = slow down",
    ],
    "LOG_DATA": [
        'ERROR: duplicate key value violates unique constraint "orders_pkey"',
        "index 7 is corrupted",
        "failed to decode message at offset 12",
        "json.decoder.JSONDecodeError: Expecting value",
        "Deadlock found when trying to get lock",
        "checksum mismatch in block 4",
    ],
    "LOG_CONNECTION": [
        "dial tcp 10.0.0.1:5432: connect: connection refused",
        "read tcp 10.0.0.1:1->10.0.0.2:2: read: connection reset by peer",
        "write: broken pipe",
        "connect ECONNREFUSED 10.0.0.1:6379",
        "connect: no route to host",
        "it is not possible to connect to the cache",
    ],
    "LOG_TIMEOUT": [
        "context deadline exceeded",
        "read tcp 10.0.0.1:1: i/o timeout",
        "the request timed out",
        "net/http: request canceled while waiting (Client.Timeout exceeded while awaiting headers)",
        "ReadTimeoutError: pool",
    ],
    "LOG_DEPENDENCY": [
        "503 Service Unavailable",
        "rpc error: code = Unavailable desc = try later",
        "upstream connect error or disconnect/reset before headers",
        "backend answered with status 502",
        "raft: lost leader 17 at term 4",
        "failed to list *v1.Node: why",
    ],
}
HARMLESS = {
    "LOG_OOM": ["memory limit is 512Mi", "heap usage 40 %", "room for 3 more"],
    "LOG_PANIC": ["don't panic", "panic button enabled", "installing exception handler", "handled exception mapping registered"],
    "LOG_DISK": ["disk usage 40 %", "mounted /data", "disk quota is 10Gi"],
    "LOG_IMAGE": ['Successfully pulled image "x:1"', "image x:1 already present on machine", "manifest written"],
    "LOG_CRASH": ["Liveness probe succeeded", "process exited with code 0", "exit status 0", '"health":true'],
    "LOG_DNS": ["resolved db to 10.0.0.4", "DNS cache holds 7 entries", "host found"],
    "LOG_TLS": ["loaded TLS certificate", "certificate expires in 300 days", "serving https with tls 1.3"],
    "LOG_AUTH": ["authentication succeeded for user app", "token refreshed", "took 401 ms", "authorization policy loaded"],
    "LOG_PERMISSION": ["permissions loaded", "access granted", "403 rules loaded"],
    "LOG_QUOTA": ["quota is 10 requests", "rate limit set to 100/s", "took 429 ms", "pool size 10"],
    "LOG_DATA": ["decoded 7 messages", "key written", "parser ready", "checksum ok"],
    "LOG_CONNECTION": ["connection established", "connection closed", "connected to 10.0.0.1", "transport is closing"],
    "LOG_TIMEOUT": ["timeout is 30s", "GET /x?timeout=32s 200", "Timeout: (time.Duration) 2m0s", "request timeout=30s"],
    "LOG_DEPENDENCY": ["took 503 ms", "GET /x 200 502 bytes", "tracing unavailable, going on", "retrieved 7 items", "leader elected"],
}
_REASONS = [reason for reason, _ in FAMILIES]


def test_reasons_are_unique_and_each_has_lines_for_and_against() -> None:
    assert len(set(_REASONS)) == len(_REASONS)
    assert set(MATCHES) == set(HARMLESS) == set(_REASONS)


@pytest.mark.parametrize(("reason", "line"), [(reason, line) for reason, lines in MATCHES.items() for line in lines])
def test_a_line_that_tells_of_a_failure_has_the_reason_of_its_family(reason: str, line: str) -> None:
    assert failure_table().hits(line).family in _REASONS[: _REASONS.index(reason) + 1]
    assert _only(reason, line), f"no pattern of {reason} matches {line!r}"


def _only(reason: str, line: str) -> bool:
    """Whether the family itself matches, whichever comes before it."""
    patterns = dict(FAMILIES)[reason]
    own = parse_families({"families": {"LOG_ONLY": list(patterns)}})
    return failure_table(own).hits(line).family == "LOG_ONLY"


@pytest.mark.parametrize(("reason", "line"), [(reason, line) for reason, lines in HARMLESS.items() for line in lines])
def test_a_line_that_only_uses_the_words_of_a_family_is_no_failure(reason: str, line: str) -> None:
    assert failure_table().hits(line) is NO_HITS


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("dial tcp: lookup db: no such host", "LOG_DNS"),
        ("dial tcp 10.0.0.1:5432: connect: connection refused", "LOG_CONNECTION"),
        ("dial tcp 10.0.0.1:5432: i/o timeout", "LOG_TIMEOUT"),
        ("remote error: tls: bad certificate, connection reset", "LOG_TLS"),
        ("java.lang.OutOfMemoryError: Java heap space", "LOG_OOM"),
        ('rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing"', "LOG_CONNECTION"),
    ],
)
def test_the_first_family_in_declared_order_gives_the_reason(line: str, reason: str) -> None:
    assert failure_table().hits(line).family == reason
    assert failure_table().hits(line.upper()).family == reason


def test_families_of_a_file_come_first_and_the_declared_ones_stay() -> None:
    own = parse_families({"families": {"LOG_PAYMENT": [r"card \w+ declined"], "LOG_TIMEOUT": ["too slow"]}})
    table = failure_table(own)
    assert own == (("LOG_PAYMENT", (r"card \w+ declined",)), ("LOG_TIMEOUT", ("too slow",)))
    assert table.hits("Card visa declined: connection refused").family == "LOG_PAYMENT"
    assert table.hits("too slow").family == "LOG_TIMEOUT"
    assert table.hits("connection refused").family == "LOG_CONNECTION"
    assert failure_table().hits("card visa declined") is NO_HITS


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, "`families`"),
        ({"families": []}, "`families`"),
        ({"families": {}, "more": 1}, "nothing else"),
        ({"families": {"PAYMENT": ["x"]}}, "LOG_ and then"),
        ({"families": {"LOG_lower": ["x"]}}, "LOG_ and then"),
        ({"families": {"LOG_" + "X" * 61: ["x"]}}, "at most 64"),
        ({"families": {"LOG_X": "x"}}, "a list of patterns"),
        ({"families": {"LOG_X": []}}, "a list of patterns"),
        ({"families": {"LOG_X": [7]}}, "a list of patterns"),
        ({"families": {"LOG_X": ["("]}}, "'(' of LOG_X is no RE2 pattern"),
        ({"families": {"LOG_X": [r"(a)\1"]}}, "no RE2 pattern"),
        ({"families": {"LOG_X": ["(a{1000}){1000}"]}}, "no RE2 pattern"),
        ({"families": {"LOG_X": ["x*"]}}, "matches an empty line"),
        ({"families": {"LOG_X": ["x" * (PATTERN_CHARACTERS + 1)]}}, "513 characters, at most 512"),
        ({"families": {f"LOG_X{number}": ["x"] for number in range(MOST_FAMILIES + 1)}}, "65 families, at most 64"),
        ({"families": {"LOG_X": ["x"] * (MOST_PATTERNS + 1)}}, "513 patterns, at most 512"),
        ({"families": {"LOG_X": [f"x{number}.{{400}}y" for number in range(MOST_PATTERNS)]}}, "too large together"),
    ],
)
def test_families_that_cannot_be_used_are_told_in_one_sentence(found: object, said: str) -> None:
    with pytest.raises(BadPattern) as raised:
        parse_families(found)
    assert said in str(raised.value)
    assert len(str(raised.value)) < 400


def test_only_the_beginning_of_a_long_line_is_looked_at() -> None:
    table = failure_table()
    assert table.hits("connection refused" + " x" * 50_000).family == "LOG_CONNECTION"
    assert table.hits("x" * MATCHED_CHARACTERS + " connection refused") is NO_HITS
