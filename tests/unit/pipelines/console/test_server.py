"""The console's process: it says where it listens, and to be stopped is how it ends."""

import os
import signal
import subprocess
import sys

import pytest


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_console_that_is_stopped_ends_with_0(number: int) -> None:
    command = [sys.executable, "-m", "pipelines.console", "--port=0", "--no_deadletters", "--neo4j_uri=bolt://127.0.0.1:1"]
    settings = {"NEO4J_PASSWORD": "unused", "KAFKA_BROKERS": "127.0.0.1:1"}
    with subprocess.Popen(command, env={**os.environ, **settings}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as console:
        assert console.stdout is not None
        assert console.stdout.readline().startswith("Console: http://127.0.0.1:")
        console.send_signal(number)

        assert console.wait(20) == 0
