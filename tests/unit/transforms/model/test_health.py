"""What counts as sick, by the properties that the job keeps."""

from typing import Any

import pytest

from tests.support.console_world import conditions
from transforms.model.health import SICKNESSES, ailment, ailment_of
from transforms.model.kinds import KINDS

CASES: list[tuple[dict[str, Any], str | None]] = [
    ({"rid": "pod:a:b", "phase": "Running", "status": conditions(Ready="True")}, None),
    ({"rid": "pod:a:b", "phase": "Running", "status": conditions(Ready="False")}, "NotReady"),
    ({"rid": "pod:a:b", "waiting_reason": "CrashLoopBackOff", "phase": "Running"}, "CrashLoopBackOff"),
    ({"rid": "pod:a:b", "waiting_reason": "ContainerCreating", "phase": "Pending"}, "Pending"),
    ({"rid": "pod:a:b", "phase": "Succeeded", "status": conditions(Ready="False").replace("Running", "Succeeded")}, None),
    ({"rid": "pod:a:b", "stub": True, "phase": "Failed"}, None),
    ({"rid": "node::n", "status": conditions(Ready="True")}, None),
    ({"rid": "node::n", "status": conditions(Ready="Unknown")}, "NotReady"),
    ({"rid": "node::n", "status": conditions(DiskPressure="True", Ready="True")}, "Pressure"),
    ({"rid": "node::n", "status": conditions(Ready="True"), "unschedulable": True}, "Cordoned"),
    ({"rid": "deployment:a:b", "replicas": 3, "ready_replicas": 2}, "NotAllReady"),
    ({"rid": "deployment:a:b", "replicas": 3}, "NotAllReady"),
    ({"rid": "deployment:a:b", "replicas": 0}, None),
    ({"rid": "daemonset:a:b", "number_unavailable": 1}, "NotAllReady"),
    ({"rid": "job:a:b", "failed": 2}, "Failed"),
    ({"rid": "job:a:b", "failed": 2, "succeeded": 1}, None),
    ({"rid": "persistentvolumeclaim:a:b", "phase": "Pending"}, "Pending"),
    ({"rid": "namespace::a", "phase": "Terminating"}, "Terminating"),
    ({"rid": "gateway.networking.istio.io:a:b", "phase": "Failed"}, None),
]


@pytest.mark.parametrize(("props", "expected"), CASES)
def test_an_ailment_is_told_by_the_properties(props: dict[str, Any], expected: str | None) -> None:
    assert ailment_of(props) == expected


def test_sicknesses_speak_of_properties_that_kinds_have() -> None:
    common = {"status", "replicas"}
    for one in SICKNESSES:
        for kind in KINDS:
            if kind.name in one.kinds:
                held = {*common, *(prop.name for prop in kind.status), *kind.spec}
                named = {one.of, *one.zero, *([one.more_than] if one.more_than else [])}
                if one.of == "number_unavailable" or named <= held:
                    continue
                raise AssertionError((kind.name, named - held))
    assert "n.waiting_reason" in ailment("n")
