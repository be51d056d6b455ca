"""Lists and watches against a real HTTP server: what came is given, what may be missing is said."""

import threading
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tests.support.api_server import Answer, ApiServer, Broken, Pause, bookmark, status
from transforms.io.cluster.api import ApiFault
from transforms.io.cluster.discovery import Collection
from transforms.io.cluster.stream import Change, ListAnew, ObjectStream

PODS = Collection("Pod", "v1", "/api/v1/pods", "pods")
SILENCE_S = 0.5


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as server:
        yield server


def pod(name: str, version: int) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": name, "namespace": "shop", "uid": name, "resourceVersion": str(version)},
    }


def told(kind: str, name: str, version: int) -> dict[str, Any]:
    return {"type": kind, "object": pod(name, version)}


def stream_of(server: ApiServer, stop: threading.Event | None = None) -> ObjectStream:
    return ObjectStream(server.client(), PODS, stop or threading.Event(), SILENCE_S)


def names(objects: Iterator[msgspec.Raw]) -> list[str]:
    return [msgspec.json.decode(one)["metadata"]["name"] for one in objects]


def name_of(change: Change) -> str:
    name: str = msgspec.json.decode(change.object)["metadata"]["name"]
    return f"-{name}" if change.is_gone else name


def taken(stream: ObjectStream, number: int) -> list[str]:
    found = []
    for change in stream.changes():
        found.append(name_of(change))
        if len(found) == number:
            break
    return found


def test_a_streamed_list_ends_with_the_servers_bookmark_and_changes_follow_on_the_same_connection(server: ApiServer) -> None:
    lines = [
        told("ADDED", "a", 3),
        told("ADDED", "b", 4),
        bookmark(9, is_end=True),
        told("ADDED", "c", 10),
        told("DELETED", "a", 11),
        Pause(5),
    ]
    server.play(PODS.path, lines)
    stream = stream_of(server)
    assert names(stream.objects()) == ["a", "b"]
    assert stream.version == "9"
    assert taken(stream, 2) == ["c", "-a"]
    (asked,) = server.asked_of(PODS.path)
    assert asked["sendInitialEvents"] == asked["allowWatchBookmarks"] == "true"
    assert asked["resourceVersionMatch"] == "NotOlderThan"
    assert "resourceVersion" not in asked


@pytest.mark.parametrize("code", [400, 422])
def test_a_server_that_refuses_to_stream_is_listed_in_pages_and_asked_once(server: ApiServer, code: int) -> None:
    page = {"metadata": {"resourceVersion": "20", "continue": "more"}, "items": [pod("a", 3)]}
    last = {"metadata": {"resourceVersion": "20"}, "items": [pod("b", 19)]}
    server.play(
        PODS.path, Answer(status(code, "sendInitialEvents is forbidden"), code), Answer(page), Answer(last), Answer(page), Answer(last)
    )
    stream = stream_of(server)
    assert names(stream.objects()) == ["a", "b"]
    # The list's version, not that of its last object.
    assert stream.version == "20"
    assert names(stream.objects()) == ["a", "b"]
    assert ["watch" in one for one in server.asked_of(PODS.path)] == [True, False, False, False, False]
    assert [one.get("continue") for one in server.asked_of(PODS.path)[1:]] == [None, "more", None, "more"]


def test_a_server_that_ignores_the_wish_to_stream_falls_silent_and_is_listed(server: ApiServer) -> None:
    last = {"metadata": {"resourceVersion": "20"}, "items": [pod("a", 3), pod("b", 19)]}
    server.play(PODS.path, [told("ADDED", "a", 3), Pause(3)], Answer(last))
    assert names(stream_of(server).objects()) == ["a", "a", "b"]


@pytest.mark.parametrize(
    "lines", [[told("ADDED", "a", 3)], [told("ADDED", "a", 3), Broken()], [told("ADDED", "a", 3), told("MODIFIED", "a", 4)]]
)
def test_a_streamed_list_without_its_end_is_a_fault(server: ApiServer, lines: list[Any]) -> None:
    server.play(PODS.path, lines)
    with pytest.raises(ApiFault):
        names(stream_of(server).objects())


def test_a_page_that_fails_is_a_fault_and_no_end(server: ApiServer) -> None:
    page = {"metadata": {"resourceVersion": "20", "continue": "more"}, "items": [pod("a", 3)]}
    server.play(PODS.path, Answer(status(422, "off"), 422), Answer(page), Answer(status(410, "expired"), 410))
    with pytest.raises(ApiFault, match="410"):
        names(stream_of(server).objects())


def begun(server: ApiServer, *then: Any) -> ObjectStream:
    server.play(PODS.path, [bookmark(9, is_end=True)], *then)
    stream = stream_of(server)
    assert names(stream.objects()) == []
    return stream


def test_a_watch_goes_on_where_it_was_after_its_end_a_broken_line_and_an_overloaded_server(server: ApiServer) -> None:
    stream = begun(
        server,
        [told("ADDED", "a", 10), bookmark(15)],
        [told("ADDED", "b", 16), Broken()],
        Answer(status(429, "later"), 429),
        Answer(status(503, "etcd"), 503),
        [told("ADDED", "c", 17), Pause(5)],
    )
    assert taken(stream, 3) == ["a", "b", "c"]
    versions = [one.get("resourceVersion") for one in server.asked_of(PODS.path)[1:]]
    assert versions == ["9", "15", "16", "16", "16"]


@pytest.mark.parametrize(
    "gone",
    [Answer(status(410, "too old"), 410), [{"type": "ERROR", "object": status(410, "too old resource version")}]],
    ids=["http", "line"],
)
def test_a_version_that_the_server_no_longer_has_calls_for_a_new_list(server: ApiServer, gone: Any) -> None:
    with pytest.raises(ListAnew, match="410"):
        taken(begun(server, gone), 1)


def test_a_silent_watch_is_begun_anew_and_after_another_silence_everything_is_read(server: ApiServer) -> None:
    with pytest.raises(ListAnew, match="nothing came"):
        taken(begun(server, [bookmark(10), Pause(3)], [Pause(3)]), 1)
    assert len(server.asked_of(PODS.path)) >= 3


def test_a_collection_without_bookmarks_may_be_silent_for_as_long_as_nothing_happens(server: ApiServer) -> None:
    server.play(
        PODS.path, [bookmark(5, is_end=True), Pause(SILENCE_S * 2)], [Pause(SILENCE_S * 2)], [Pause(SILENCE_S * 2)], [told("ADDED", "b", 9)]
    )
    stream = ObjectStream(server.client(), PODS, threading.Event(), SILENCE_S, bookmarks=False)
    assert list(stream.objects()) == []
    assert msgspec.json.decode(next(stream.changes()).object)["metadata"]["name"] == "b"
    assert [one["resourceVersion"] for one in server.asked_of(PODS.path)[1:]] == ["5"] * 3


def test_one_silence_costs_nothing(server: ApiServer) -> None:
    stream = begun(server, [Pause(3)], [told("ADDED", "a", 10), Pause(3)])
    assert taken(stream, 1) == ["a"]


def test_a_line_that_is_no_json_calls_for_a_new_list(server: ApiServer) -> None:
    with pytest.raises(ListAnew):
        taken(begun(server, [b'{"type":"ADDED"']), 1)


def test_a_collection_that_is_forbidden_is_a_fault_that_names_it(server: ApiServer) -> None:
    with pytest.raises(ApiFault, match="pods is forbidden"):
        taken(begun(server, Answer(status(403, "pods is forbidden"), 403)), 1)


def test_a_stream_ends_when_it_is_told_to_stop(server: ApiServer) -> None:
    server.play(PODS.path, [bookmark(9, is_end=True)], [told("ADDED", "a", 10), told("ADDED", "b", 11), Pause(3)])
    stop = threading.Event()
    stream = stream_of(server, stop)
    assert names(stream.objects()) == []
    found = []
    for change in stream.changes():
        found.append(name_of(change))
        stop.set()
    assert found == ["a"]


def test_a_line_without_an_end_is_not_kept_for_ever(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transforms.io.cluster.api.LINE_BYTES", 100_000)
    server.play(PODS.path, [b'{"type":"' + b"x" * 300_000])
    with pytest.raises(ApiFault, match="more than 100000 bytes"):
        names(stream_of(server).objects())
