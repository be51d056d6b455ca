"""A DELETE with a uid ends that life and no other, in every shape in which agents write one."""

from typing import Any

import pytest

from tests.support.play import Sent, graph_of, live, standing
from tests.support.wire import AT, RESOURCES, TOPOLOGY, UID

OLD, NEW = UID, "1f9b3a52-7c1d-4e0a-9d57-3b1f6f1f2a11"
POD = "pod:shop:web-0"


def said(op: str, uid: str | None, at: str = AT) -> Sent:
    body = {"op": op, "at": at, "kind": "Pod", "namespace": "shop", "name": "web-0"}
    return (RESOURCES, POD, body | ({"uid": uid} if uid else {}))


def _object(uid: str | None) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0", "namespace": "shop"} | ({"uid": uid} if uid else {})}


def envelope(uid: str | None) -> dict[str, Any]:
    return {"op": "DELETE", "at": "2026-03-01T09:00:00Z", "kind": "Pod", "namespace": "shop", "name": "web-0"} | (
        {"uid": uid} if uid else {}
    )


def watch(uid: str | None) -> dict[str, Any]:
    return {"type": "DELETED", "object": _object(uid)}


def cloud(uid: str | None) -> dict[str, Any]:
    told = {"specversion": "1.0", "id": "1", "source": "/k8s", "type": "dev.knative.apiserver.resource.delete"}
    return told | {"datacontenttype": "application/json", "data": _object(uid)}


SHAPES = pytest.mark.parametrize("shape", [envelope, watch, cloud])


@SHAPES
@pytest.mark.parametrize("at", ["2026-03-01T08:00:00Z", "2026-03-01T08:00:01Z"])
def test_a_late_delete_leaves_the_new_life_whatever_the_times_say(shape: Any, at: str) -> None:
    graph = graph_of(said("UPSERT", OLD), said("UPSERT", NEW, at), (RESOURCES, POD, shape(OLD)))
    assert live(graph)[POD]["uid"] == NEW


@SHAPES
def test_the_delete_of_the_life_that_is_there_ends_it(shape: Any) -> None:
    assert live(graph_of(said("UPSERT", OLD), (RESOURCES, POD, shape(OLD)))) == {}


@SHAPES
def test_a_delete_with_a_uid_ends_what_was_there_without_one(shape: Any) -> None:
    assert live(graph_of(said("UPSERT", None), (RESOURCES, POD, shape(OLD)))) == {}
    # Not what is newer than it.
    assert POD in live(graph_of((RESOURCES, POD, shape(OLD)), said("UPSERT", None, "2026-03-01T08:00:00.5Z")))


@SHAPES
def test_a_delete_without_a_uid_and_a_tombstone_end_every_life_up_to_their_time(shape: Any) -> None:
    assert live(graph_of(said("UPSERT", OLD), said("UPSERT", NEW), (RESOURCES, POD, shape(None)))) == {}
    assert live(graph_of(said("UPSERT", OLD), said("UPSERT", NEW), (RESOURCES, POD, None))) == {}


def test_relationships_die_with_the_life_and_stand_while_another_goes_on() -> None:
    edge = (TOPOLOGY, "e", {"op": "UPSERT", "at": AT, "id": "e", "from": POD, "to": "node::n1", "type": "RUNS_ON"})
    gone = (RESOURCES, POD, envelope(OLD))
    assert standing(graph_of(said("UPSERT", OLD), edge, gone)) == set()
    # What is known of the object by its name alone is gone as well.
    assert standing(graph_of(edge, gone)) == set()
    assert standing(graph_of(said("UPSERT", OLD), edge, said("UPSERT", NEW), gone)) == {("RUNS_ON", POD, "node::n1")}


def test_a_delete_that_is_read_before_its_life_ends_it() -> None:
    graph = graph_of((RESOURCES, POD, envelope(OLD)), said("UPSERT", NEW), said("UPSERT", OLD, "2026-03-01T07:00:00Z"))
    assert live(graph)[POD]["uid"] == NEW
