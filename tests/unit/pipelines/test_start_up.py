"""What a command needs before it does anything: `--help` and errors of use wait for no driver and not for Beam."""

import subprocess
import sys

import pytest

HEAVY = ("apache_beam", "neo4j", "confluent_kafka", "fastavro", "grpc", "numpy", "pyarrow")
COMMANDS = (
    "pipelines.graph_build",
    *(f"pipelines.{name}.commands" for name in ("backfill", "console", "deadletters", "doctor", "tenants", "topics")),
)


@pytest.mark.parametrize("module", COMMANDS)
def test_the_command_line_is_there_without_drivers_and_beam(module: str) -> None:
    asked = f"import sys, {module}; print(*sorted(set(sys.modules) & set({HEAVY!r})))"

    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []
