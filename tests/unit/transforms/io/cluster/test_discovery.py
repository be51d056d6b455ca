"""Which collections are watched: the declared kinds that the server has, and custom kinds by name."""

from collections.abc import Iterator

import pytest

from tests.support.api_server import Answer, ApiServer
from transforms.io.cluster.discovery import collections

PLURALS = {"Pod": "pods", "Secret": "secrets", "Endpoints": "endpoints", "Event": "events"}


def resources(*names: tuple[str, str]) -> Answer:
    listed = [{"name": name, "kind": kind, "verbs": ["get", "list", "watch"]} for kind, name in names]
    return Answer(
        {
            "resources": [
                *listed,
                {"name": "pods/status", "kind": "Pod", "verbs": ["get"]},
                {"name": "b", "kind": "Binding", "verbs": ["create"]},
            ]
        }
    )


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as server:
        server.play("/api/v1", resources(*PLURALS.items()))
        groups = {"apps": "v1", "autoscaling": "v2", "networking.istio.io": "v1", "gone.io": "v1"}
        listed = [{"name": name, "preferredVersion": {"groupVersion": f"{name}/{version}"}} for name, version in groups.items()]
        server.play("/apis", Answer({"groups": listed}))
        server.play("/apis/apps/v1", resources(("Deployment", "deployments"), ("ControllerRevision", "controllerrevisions")))
        server.play("/apis/autoscaling/v2", resources(("HorizontalPodAutoscaler", "horizontalpodautoscalers")))
        server.play("/apis/networking.istio.io/v1", resources(("Gateway", "gateways"), ("VirtualService", "virtualservices")))
        yield server


def kinds(server: ApiServer, named: frozenset[str] = frozenset(), custom: tuple[str, ...] = ()) -> list[str]:
    return [one.token for one in collections(server.client(), named, custom)]


def test_the_declared_kinds_but_endpoints_are_watched_unless_some_are_named(server: ApiServer) -> None:
    assert kinds(server) == ["deployment", "horizontalpodautoscaler", "pod", "secret"]
    assert kinds(server, frozenset({"Pod", "Endpoints"})) == ["endpoints", "pod"]


def test_custom_kinds_are_watched_by_name_or_by_group_and_kubernetes_own_are_not(server: ApiServer) -> None:
    pods = frozenset({"Pod"})
    assert kinds(server, pods, ("gateways.networking.istio.io",)) == ["gateway.networking.istio.io", "pod"]
    assert kinds(server, pods, ("*.networking.istio.io",)) == ["gateway.networking.istio.io", "pod", "virtualservice.networking.istio.io"]
    assert kinds(server, pods, ("*.apps", "*.gone.io", "*.nowhere.io")) == ["pod"]


def test_the_version_that_the_server_prefers_is_asked(server: ApiServer) -> None:
    (autoscaler,) = (one for one in collections(server.client(), frozenset({"HorizontalPodAutoscaler"}), ()))
    assert autoscaler.path == "/apis/autoscaling/v2/horizontalpodautoscalers"
    assert autoscaler.api_version == "autoscaling/v2"
