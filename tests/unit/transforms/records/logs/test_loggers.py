"""The loggers that people use: a line of each at level error is kept as such, and one at level info is filtered."""

# ruff: noqa: E501 - a logger's line is best read as it is written

import json
from typing import Any

import pytest

from transforms.records.logs.failure_table import NO_HITS, failure_table
from transforms.records.logs.line_level import line_level, without_colours
from transforms.records.severity import BAD

# (logger, line at an error, its severity, the same logger's line at level info). "cannot save" is in no family of failures.
LOGGERS: list[tuple[str, str, str, str]] = [
    ("klog", "E0301 08:00:00.000000       1 a.go:7] cannot save", "ERROR", "I0301 08:00:00.000000       1 a.go:7] saved"),
    ("klog within containerd's line", "2026-03-01T08:00:00.1Z stderr F E0301 08:00:00.000000 1 a.go:7] cannot save", "ERROR", "2026-03-01T08:00:00.1Z stderr F I0301 08:00:00.000000 1 a.go:7] saved"),
    ("glog with a year", "E20260301 08:00:00.000000 1 a.cc:7] cannot save", "ERROR", "I20260301 08:00:00.000000 1 a.cc:7] saved"),
    ("Abseil", "2026-03-01 08:00:00.123: E shop/cart.cc:7] cannot save", "ERROR", "2026-03-01 08:00:00.123: I shop/cart.cc:7] saved"),
    ("zap, JSON", '{"level":"error","ts":1772352000.1,"caller":"a.go:7","msg":"cannot save"}', "ERROR", '{"level":"info","ts":1772352000.1,"msg":"saved"}'),
    ("zap, short keys", '{"L":"ERROR","T":"2026-03-01T08:00:00Z","M":"cannot save"}', "ERROR", '{"L":"INFO","T":"2026-03-01T08:00:00Z","M":"saved"}'),
    ("zap, console", "2026-03-01T08:00:00.123Z\terror\tshop/a.go:7\tcannot save", "ERROR", "2026-03-01T08:00:00.123Z\tinfo\tshop/a.go:7\tsaved"),
    ("zap, coloured", "2026-03-01T08:00:00.123Z\t\x1b[31mERROR\x1b[0m\tshop/a.go:7\tcannot save", "ERROR", "2026-03-01T08:00:00.123Z\t\x1b[34mINFO\x1b[0m\tsaved"),
    ("zap, panic in development", '{"level":"dpanic","msg":"cannot save"}', "FATAL", '{"level":"debug","msg":"saved"}'),
    ("logrus", 'time="2026-03-01T08:00:00Z" level=error msg="cannot save"', "ERROR", 'time="2026-03-01T08:00:00Z" level=info msg="saved"'),
    ("logrus on a terminal", "\x1b[31mERRO\x1b[0m[0000] cannot save", "ERROR", "\x1b[36mINFO\x1b[0m[0000] saved"),
    ("log15", "t=2026-03-01T08:00:00+0000 lvl=eror msg=\"cannot save\"", "ERROR", "t=2026-03-01T08:00:00+0000 lvl=info msg=saved"),
    ("go-ethereum", "ERROR[03-01|08:00:00.000] cannot save", "ERROR", "INFO [03-01|08:00:00.000] saved"),
    ("zerolog, JSON", '{"level":"fatal","time":1772352000,"message":"cannot save"}', "FATAL", '{"level":"info","time":1772352000,"message":"saved"}'),
    ("zerolog, console", "8:00AM ERR cannot save order=7", "ERROR", "8:00AM INF saved order=7"),
    ("slog, JSON", '{"time":"2026-03-01T08:00:00Z","level":"ERROR","msg":"cannot save"}', "ERROR", '{"time":"2026-03-01T08:00:00Z","level":"INFO","msg":"saved"}'),
    ("slog, above error", '{"time":"2026-03-01T08:00:00Z","level":"ERROR+4","msg":"cannot save"}', "ERROR", '{"level":"INFO+2","msg":"saved"}'),
    ("slog, text", 'time=2026-03-01T08:00:00Z level=ERROR msg="cannot save"', "ERROR", "time=2026-03-01T08:00:00Z level=INFO msg=saved"),
    ("hclog, JSON", '{"@level":"error","@message":"cannot save","@module":"agent"}', "ERROR", '{"@level":"info","@message":"saved"}'),
    ("hclog", "2026-03-01T08:00:00.123Z [ERROR] agent: cannot save", "ERROR", "2026-03-01T08:00:00.123Z [INFO]  agent: saved"),
    ("Logback", "2026-03-01 08:00:00,123 [main] ERROR c.e.Shop - cannot save", "ERROR", "2026-03-01 08:00:00,123 [main] INFO  c.e.Shop - saved"),
    ("logstash-logback-encoder", '{"@timestamp":"2026-03-01T08:00:00Z","message":"cannot save","level":"ERROR","level_value":40000}', "ERROR", '{"message":"saved","level":"INFO","level_value":20000}'),
    ("level_value alone", '{"message":"cannot save","level_value":40000}', "ERROR", '{"message":"saved","level_value":20000}'),
    ("Log4j2, JSON", '{"instant":{"epochSecond":1772352000},"level":"FATAL","message":"cannot save"}', "FATAL", '{"level":"INFO","message":"saved"}'),
    ("ECS", '{"@timestamp":"2026-03-01T08:00:00Z","log.level":"ERROR","message":"cannot save"}', "ERROR", '{"log.level":"INFO","message":"saved"}'),
    ("ECS, nested", '{"@timestamp":"2026-03-01T08:00:00Z","log":{"level":"error"},"message":"cannot save"}', "ERROR", '{"log":{"level":"info"},"message":"saved"}'),
    ("java.util.logging", "Mar 01, 2026 8:00:00 AM org.Shop run SEVERE: cannot save", "ERROR", "Mar 01, 2026 8:00:00 AM org.Shop run INFO: saved"),
    ("Spring Boot, coloured", "2026-03-01T08:00:00.123Z \x1b[31mERROR\x1b[0;39m \x1b[35m1\x1b[0;39m --- [main] Shop : cannot save", "ERROR", "2026-03-01T08:00:00.123Z \x1b[32m INFO\x1b[0;39m 1 --- Shop : saved"),
    ("Elasticsearch", "[2026-03-01T08:00:00,123][ERROR][o.e.b.Shop] [n1] cannot save", "ERROR", "[2026-03-01T08:00:00,123][INFO ][o.e.b.Shop] [n1] saved"),
    ("Kafka", "[2026-03-01 08:00:00,123] ERROR [Broker 1] cannot save (kafka.Shop)", "ERROR", "[2026-03-01 08:00:00,123] INFO [Broker 1] saved (kafka.Shop)"),
    ("Python's logging", "ERROR:root:cannot save", "ERROR", "INFO:root:saved"),
    ("python-json-logger", '{"asctime":"2026-03-01 08:00:00,123","levelname":"ERROR","message":"cannot save"}', "ERROR", '{"levelname":"INFO","message":"saved"}'),
    ("Python's number", '{"levelno":40,"message":"cannot save"}', "ERROR", '{"levelno":20,"message":"saved"}'),
    ("structlog, padded", "2026-03-01 08:00:00 [error    ] cannot save", "ERROR", "2026-03-01 08:00:00 [info     ] saved"),
    ("structlog, coloured", "\x1b[2m2026-03-01 08:00:00\x1b[0m [\x1b[31m\x1b[1merror    \x1b[0m] cannot save", "ERROR", "\x1b[2m2026-03-01 08:00:00\x1b[0m [\x1b[32minfo     \x1b[0m] saved"),
    ("loguru", "2026-03-01 08:00:00.123 | ERROR    | shop:save:7 - cannot save", "ERROR", "2026-03-01 08:00:00.123 | INFO     | shop:save:7 - saved"),
    ("loguru, serialized", '{"text":"cannot save","record":{"level":{"icon":"x","name":"ERROR","no":40}}}', "ERROR", '{"text":"saved","record":{"level":{"name":"INFO","no":20}}}'),
    ("Celery", "[2026-03-01 08:00:00,123: ERROR/MainProcess] cannot save", "ERROR", "[2026-03-01 08:00:00,123: INFO/MainProcess] saved"),
    ("gunicorn", "[2026-03-01 08:00:00 +0000] [7] [CRITICAL] cannot save", "FATAL", "[2026-03-01 08:00:00 +0000] [7] [INFO] saved"),
    ("uvicorn, coloured", "\x1b[31mERROR\x1b[0m:    cannot save", "ERROR", "\x1b[32mINFO\x1b[0m:     saved"),
    ("pino", '{"level":50,"time":1772352000000,"pid":1,"hostname":"h","msg":"cannot save"}', "ERROR", '{"level":30,"time":1772352000000,"hostname":"h","msg":"saved"}'),
    ("bunyan, fatal", '{"name":"shop","hostname":"h","pid":1,"level":60,"msg":"cannot save","v":0}', "FATAL", '{"name":"shop","level":20,"msg":"saved","v":0}'),
    ("winston, JSON", '{"level":"error","message":"cannot save"}', "ERROR", '{"level":"info","message":"saved"}'),
    ("winston, colours in JSON", '{"level":"\\u001b[31merror\\u001b[39m","message":"cannot save"}', "ERROR", '{"level":"\\u001b[32minfo\\u001b[39m","message":"saved"}'),
    ("winston, simple and coloured", "\x1b[31merror\x1b[39m: cannot save", "ERROR", "\x1b[32minfo\x1b[39m: saved"),
    ("NestJS", "\x1b[31m[Nest] 1  - \x1b[39m03/01/2026, 8:00:00 AM \x1b[31m  ERROR\x1b[39m \x1b[33m[Cart] \x1b[39m\x1b[31mcannot save\x1b[39m", "ERROR", "\x1b[32m[Nest] 1  - \x1b[39m03/01/2026, 8:00:00 AM \x1b[32m    LOG\x1b[39m saved"),
    ("npm", "npm ERR! cannot save", "ERROR", "npm notice saved"),
    ("Serilog, compact", '{"@t":"2026-03-01T08:00:00Z","@mt":"cannot save {Cart}","@l":"Error","Cart":7}', "ERROR", '{"@t":"2026-03-01T08:00:00Z","@mt":"saved"}'),
    ("Serilog, JSON", '{"Timestamp":"2026-03-01T08:00:00Z","Level":"Fatal","MessageTemplate":"cannot save"}', "FATAL", '{"Level":"Information","MessageTemplate":"saved"}'),
    ("Serilog, console", "[08:00:00 FTL] cannot save", "FATAL", "[08:00:00 INF] saved"),
    (".NET, JSON console", '{"EventId":0,"LogLevel":"Critical","Category":"Shop","Message":"cannot save"}', "FATAL", '{"LogLevel":"Information","Category":"Shop","Message":"saved"}'),
    (".NET, console and coloured", "\x1b[41m\x1b[30mfail\x1b[39m\x1b[22m\x1b[49m: Shop.Cart[0] cannot save", "ERROR", "\x1b[40m\x1b[32minfo\x1b[39m\x1b[22m\x1b[49m: Shop.Cart[0] saved"),
    ("NLog", "2026-03-01 08:00:00.1234|ERROR|Shop.Cart|cannot save", "ERROR", "2026-03-01 08:00:00.1234|INFO|Shop.Cart|saved"),
    ("Azure", '{"message":"cannot save","severityLevel":3}', "ERROR", '{"message":"saved","severityLevel":1}'),
    ("GELF", '{"version":"1.1","host":"h","short_message":"cannot save","level":3}', "ERROR", '{"version":"1.1","host":"h","short_message":"saved","level":6}'),
    ("syslog's number in a level", '{"message":"cannot save","level":2}', "FATAL", '{"message":"saved","level":6}'),
    ("journald", '{"MESSAGE":"cannot save","PRIORITY":"3","_SYSTEMD_UNIT":"shop.service"}', "ERROR", '{"MESSAGE":"saved","PRIORITY":"6"}'),
    ("a priority before the line", "<11>1 2026-03-01T08:00:00Z h shop 7 - - cannot save", "ERROR", "<14>1 2026-03-01T08:00:00Z h shop 7 - - saved"),
    ("sd-daemon", "<3>cannot save", "ERROR", "<6>saved"),
    ("syslog's programs", "Mar  1 08:00:00 n1 sshd[7]: fatal: cannot save", "FATAL", "Mar  1 08:00:00 n1 sshd[7]: saved"),
    ("OpenTelemetry, capitals", '{"SeverityText":"ERROR","SeverityNumber":17,"Body":"cannot save"}', "ERROR", '{"SeverityText":"INFO","SeverityNumber":9,"Body":"saved"}'),
    ("OpenTelemetry, a number alone", '{"severityNumber":21,"body":"cannot save"}', "FATAL", '{"severityNumber":9,"body":"saved"}'),
    ("OpenTelemetry, snake case", '{"severity_text":"Error","severity_number":17,"body":"cannot save"}', "ERROR", '{"severity_number":10,"body":"saved"}'),
    ("Google Cloud", '{"severity":"CRITICAL","message":"cannot save"}', "FATAL", '{"severity":"NOTICE","message":"saved"}'),
    ("Google Cloud, a number", '{"severity":500,"message":"cannot save"}', "ERROR", '{"severity":200,"message":"saved"}'),
    ("Monolog, JSON", '{"message":"cannot save","context":{},"level":400,"level_name":"ERROR","channel":"app"}', "ERROR", '{"message":"saved","level":200,"level_name":"INFO"}'),
    ("Monolog, a number alone", '{"message":"cannot save","level":550}', "FATAL", '{"message":"saved","level":250}'),
    ("Monolog, a line", "[2026-03-01T08:00:00+00:00] app.ERROR: cannot save [] []", "ERROR", "[2026-03-01T08:00:00+00:00] app.INFO: saved [] []"),
    ("Laravel", "[2026-03-01 08:00:00] production.CRITICAL: cannot save", "FATAL", "[2026-03-01 08:00:00] production.INFO: saved"),
    ("Ruby's Logger", "E, [2026-03-01T08:00:00.123456 #7] ERROR -- : cannot save", "ERROR", "I, [2026-03-01T08:00:00.123456 #7]  INFO -- : saved"),
    ("Elixir", "08:00:00.123 [error] cannot save", "ERROR", "08:00:00.123 [info] saved"),
    ("Erlang", "=ERROR REPORT==== 1-Mar-2026::08:00:00 === cannot save", "ERROR", "=INFO REPORT==== 1-Mar-2026::08:00:00 === saved"),
    ("env_logger", "[2026-03-01T08:00:00Z ERROR shop::cart] cannot save", "ERROR", "[2026-03-01T08:00:00Z INFO  shop::cart] saved"),
    ("tracing, coloured", "\x1b[2m2026-03-01T08:00:00.1Z\x1b[0m \x1b[31mERROR\x1b[0m \x1b[2mshop::cart\x1b[0m\x1b[2m:\x1b[0m cannot save", "ERROR", "\x1b[2m2026-03-01T08:00:00.1Z\x1b[0m \x1b[32m INFO\x1b[0m shop: saved"),
    ("tracing, JSON", '{"timestamp":"2026-03-01T08:00:00Z","level":"ERROR","fields":{"message":"cannot save"}}', "ERROR", '{"level":"INFO","fields":{"message":"saved"}}'),
    ("slog-rs", "Mar 01 08:00:00.123 ERRO cannot save", "ERROR", "Mar 01 08:00:00.123 INFO saved"),
    ("swift-log", "2026-03-01T08:00:00+0000 error shop : cannot save", "ERROR", "2026-03-01T08:00:00+0000 info shop : saved"),
    ("katip", '{"at":"2026-03-01T08:00:00Z","sev":"Error","msg":"cannot save"}', "ERROR", '{"sev":"Info","msg":"saved"}'),
    ("nginx", "2026/03/01 08:00:00 [crit] 31#31: *1 cannot save", "FATAL", "2026/03/01 08:00:00 [notice] 31#31: saved"),
    ("Apache", "[Sun Mar 01 08:00:00.123 2026] [core:error] [pid 7] cannot save", "ERROR", "[Sun Mar 01 08:00:00.123 2026] [core:info] [pid 7] saved"),
    ("Envoy", "[2026-03-01 08:00:00.123][1][critical][main] [a.cc:7] cannot save", "FATAL", "[2026-03-01 08:00:00.123][1][info][main] [a.cc:7] saved"),
    ("PostgreSQL", "2026-03-01 08:00:00.123 UTC [7] FATAL:  cannot save", "FATAL", "2026-03-01 08:00:00.123 UTC [7] LOG:  saved"),
    ("MySQL", "2026-03-01T08:00:00.123456Z 0 [ERROR] [MY-010119] [Server] cannot save", "ERROR", "2026-03-01T08:00:00.123456Z 0 [System] [MY-010116] [Server] saved"),
    ("MongoDB, JSON", '{"t":{"$date":"2026-03-01T08:00:00Z"},"s":"E","c":"STORAGE","msg":"cannot save"}', "ERROR", '{"s":"I","c":"STORAGE","msg":"saved"}'),
    ("MongoDB 4.2", "2026-03-01T08:00:00.123+0000 E  STORAGE  [conn7] cannot save", "ERROR", "2026-03-01T08:00:00.123+0000 I  STORAGE  [conn7] saved"),
    ("Open vSwitch", "2026-03-01T08:00:00Z|00001|db|ERR|cannot save", "ERROR", "2026-03-01T08:00:00Z|00001|db|INFO|saved"),
    ("HAProxy", "[ALERT]    (1) : cannot save", "FATAL", "[NOTICE]   (1) : saved"),
    ("Heroku", 'at=error code=H12 desc="cannot save"', "ERROR", "at=info method=GET path=/"),
    ("Docker's JSON around a line", '{"log":"ERROR cannot save\\n","stream":"stderr","time":"2026-03-01T08:00:00Z"}', "ERROR", '{"log":"INFO saved\\n","stream":"stderr"}'),
    ("Docker's JSON around JSON", json.dumps({"log": '{"level":"error","msg":"cannot save"}\n'}), "ERROR", json.dumps({"log": '{"level":"info","msg":"saved"}\n'})),
    ("containerd's line around JSON", '2026-03-01T08:00:00.1Z stdout F {"level":"error","msg":"cannot save"}', "ERROR", '2026-03-01T08:00:00.1Z stdout F {"level":"info","msg":"saved"}'),
    ("colours that lost their escape", "[31mERROR[0m cannot save", "ERROR", "[32mINFO[0m saved"),
    ("colours through rsyslog", "#033[31mERROR#033[0m cannot save", "ERROR", "#033[32mINFO#033[0m saved"),
]  # fmt: skip
NAMES = [logger for logger, *_ in LOGGERS]


def test_there_are_many_loggers_each_once() -> None:
    assert len(set(NAMES)) == len(NAMES) >= 30


@pytest.mark.parametrize(("line", "severity"), [row[1:3] for row in LOGGERS], ids=NAMES)
def test_an_error_of_a_logger_is_found_in_the_one_pass_and_then_by_its_level(line: str, severity: str) -> None:
    hits = failure_table().hits(without_colours(line))
    assert (hits.family, hits.level) == ("", True), "the line's level alone keeps it"
    assert line_level(line).severity == severity


@pytest.mark.parametrize("line", [row[3] for row in LOGGERS], ids=NAMES)
def test_what_the_same_logger_says_at_a_lower_level_is_no_failure(line: str) -> None:
    assert line_level(line).severity not in BAD
    assert failure_table().hits(without_colours(line)).family == ""


@pytest.mark.parametrize(
    "line",
    [
        '{"logger":"shop","level":1,"msg":"verbosity of logr"}',
        '{"logger":"shop","level":3,"msg":"verbosity of logr"}',
        '{"priority":1,"message":"of a job"}',
        '{"level":8,"message":"of a game"}',
        '{"level":"high","message":"of a flood"}',
        '{"request":{"level":"error"},"level":"info"}',
        '{"error":"none","level":"info","message":"ok"}',
        '{"l":"e","s":"f","message":"letters"}',
        '{"level":true,"severity":null,"message":"odd"}',
        '{"message":"INFO an ERROR in the text"}',
        "handler: wrapped: error: not a level",
        "2026-03-01 08:00:00 I am a sentence",
        "<999>not a priority",
        "<b>bold</b>",
        "GET /errors/ERROR_PAGE 200",
        "[31mred[0m without a level",
    ],
)
def test_what_merely_looks_like_a_level_is_none(line: str) -> None:
    assert line_level(line).severity not in BAD


@pytest.mark.parametrize(
    "line",
    [
        "\x1b[" * 40_000,
        "\x1b[31m" * 40_000,
        "[1m" * 40_000,
        '{"level":' * 9_000,
        "{" * 60_000,
        "\x1b]" * 40_000,
        '\\"log\\":\\"' * 9_000,
        " E, [" * 20_000,
    ],
)
def test_no_line_takes_long(line: str) -> None:
    assert line_level(without_colours(line)).severity not in BAD


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[38;5;3m[x]\x1b[m", "[x]"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b[2Kline", "line"),
        ("array[0m] stays", "array[0m] stays"),
        ("plain", "plain"),
        ("\x1b", "\x1b"),
    ],
)
def test_colours_go_and_the_text_stays(line: str, shown: str) -> None:
    assert without_colours(line) == shown


def test_nothing_beyond_the_table_is_needed_to_be_harmless() -> None:
    rows: list[Any] = [line for _, _, _, line in LOGGERS if failure_table().hits(without_colours(line)) is NO_HITS]
    assert len(rows) > len(LOGGERS) // 2
