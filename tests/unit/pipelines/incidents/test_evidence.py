"""Evidence names the object that an episode is about, and never the episode's hash."""

import json

from pipelines.incidents import explain, show

HASH = "finding:47a51bf6"
SOURCES = [[HASH, "state.k8s.resource[0]@4"], ["pod:shop:cart-1", "state.k8s.resource[0]@4"], ["deployment:shop:cart", "t[1]@2"]]
EPISODES = [{"eid": HASH, "subject": "pod:shop:cart-1"}, {"eid": "finding:of-nothing"}]


def test_the_evidence_of_an_incident_names_objects() -> None:
    why = [{"finding": "IMAGE_PULL_FAILING", "text": "", "sources": SOURCES}]
    causes = json.dumps([{"rid": "deployment:shop:cart", "why": why}])
    props = {"iid": "i1", "client_id": "af-10", "state": "open", "opened": "2026-03-01T08:00:00Z", "causes": causes}

    lines = show.lines_of(props, show.subjects_of(EPISODES))

    assert lines[-2:] == [
        "  IMAGE_PULL_FAILING: pod:shop:cart-1 in state.k8s.resource[0]@4",
        "  IMAGE_PULL_FAILING: deployment:shop:cart in t[1]@2",
    ]


def test_an_explanation_names_objects() -> None:
    found = {
        "object": "pod:shop:cart-1",
        "how_sure": "likely",
        "findings": [{"text": "its image cannot be pulled", "sources": SOURCES}],
        "caused_by": [],
        "causes": [],
        "incident": None,
    }

    lines = explain.lines_of(found, show.subjects_of(EPISODES))

    assert lines[2:] == ["     pod:shop:cart-1 in state.k8s.resource[0]@4", "     deployment:shop:cart in t[1]@2"]
