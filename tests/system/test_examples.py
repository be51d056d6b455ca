"""The examples of docs/records.md and the program that sends them, as people paste both, on a real broker."""

import json
import subprocess
import sys

from tests.support.examples import EXAMPLES, PRODUCER
from tests.system.world import World


def test_the_program_to_paste_sends_the_examples_and_the_job_takes_them_as_the_document_says(world: World) -> None:
    lines = "".join(json.dumps({name: getattr(one, name) for name in ("topic", "key", "headers", "value")}) + "\n" for one in EXAMPLES)
    tombstone = {"topic": "state.k8s.resource", "key": "af-10::pod:shop:cart-2", "value": None}

    sent = subprocess.run(
        [sys.executable, "-c", PRODUCER],
        input=lines + json.dumps(tombstone) + "\n",
        env={"KAFKA_BROKERS": world.brokers},
        capture_output=True,
        text=True,
        check=False,
    )
    report = world.run_job()

    assert sent.returncode == 0, sent.stderr
    assert report["read"] == len(EXAMPLES) + 1
    assert report["control"] == sum(one.outcome == "control" for one in EXAMPLES)
    assert report["written"] == sum(one.outcome == "written" for one in EXAMPLES) + 1, "the tombstone too"
