"""What a command needs before it does anything: `--help` and errors of use wait for no driver, not for Beam, and for no logs or tables."""

import subprocess
import sys

import pytest

from pipelines.cli import COMMANDS

HEAVY = ("apache_beam", "neo4j", "confluent_kafka", "fastavro", "grpc", "numpy", "pyarrow")
# Each takes as long as all of a command line's own modules.
LATER = ("structlog", "rich", "jinja2", "starlette", "asyncio", "transforms.records.topics", "transforms.model.graph")
# An error of use takes all that `--help` takes, and the parsing of flags on top.
AT_ONCE = (
    ("--version",),
    ("nope",),
    ("run", "--help"),
    ("tenants", "--help"),
    ("run", "--every_s", "soon"),
    *((name, "--nope") for name in COMMANDS),
    *((name, "list", "--nope") for name in ("tenants", "deadletters", "incidents")),
    ("topics", "create", "--nope"),
    ("agent", "deregister", "--nope"),
)


@pytest.mark.parametrize("arguments", AT_ONCE, ids=" ".join)
def test_help_and_errors_of_use_wait_for_nothing(arguments: tuple[str, ...]) -> None:
    asked = (
        "import contextlib, io, sys\n"
        f"sys.argv = ['graph-build', *{arguments!r}]\n"
        "from pipelines.cli import app\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    app()\n"
        f"print(*sorted(set(sys.modules) & set({HEAVY + LATER!r})))"
    )

    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []


@pytest.mark.parametrize("module", ["pipelines.tenants.list", "pipelines.incidents.list"])
def test_what_looks_at_a_graph_waits_for_its_driver_and_for_no_library_of_tables(module: str) -> None:
    asked = f"import sys, {module}; print(*sorted({{*sys.modules}} & {{'apache_beam', 'neo4j', 'numpy', 'pandas', 'pyarrow'}}))"

    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["neo4j"]
