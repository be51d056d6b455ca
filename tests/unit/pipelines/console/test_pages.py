"""Pages over the sample fleet: what a person finds on them, and that the JSON twin has the same."""

import re
from collections import Counter
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest

from pipelines.console.app import VIEWS
from tests.support.console_client import BROWSER, client, page, twin
from tests.support.console_world import HOSTILE, INCIDENT_ID, NOW_MS, fleet
from transforms.testing.memory_source import MemoryGraphSource

ADDRESSES = [
    "/",
    "/?sort=tenant&q=af&state=ACTIVE",
    "/search?q=cart",
    "/deadletters",
    "/tenants/af-10",
    "/tenants/af-10?ns=shop",
    "/tenants/af-10/object?rid=deployment:shop:checkout&hops=3",
    "/tenants/af-10/object?rid=node::node-1&type=RUNS_ON",
    "/tenants/af-10/incidents?show=all",
    f"/tenants/af-10/incident?iid={INCIDENT_ID}",
    "/tenants/af-10/map",
    "/tenants/af-10/map?view=nodes&show=sick&as=table",
    "/tenants/af-11",
    "/tenants/af-11/map?as=table",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_page_has_a_twin(address: str) -> None:
    with client() as asked:
        assert "<main" in page(asked, address)
        assert isinstance(twin(asked, address), dict)


def test_pages_call_objects_ailing_as_the_property_does() -> None:
    with client() as asked:
        words = [re.sub(r"<[^>]*>", " ", page(asked, address)) for address in ("/tenants/af-10", "/tenants/af-10/map?as=table")]

    assert all("ailing" in text.lower() for text in words)
    assert not [text for text in words if "sick" in text.lower()]


def test_the_fleet_shows_the_tenant_in_trouble_first() -> None:
    with client() as asked:
        rows = twin(asked, "/")["tenants"]
        html = page(asked, "/")

    assert [row["client_id"] for row in rows] == ["af-13", "af-12", "af-10", "af-11"]
    first, second, third, _ = rows
    assert first["quarantine_reason"] == "the transaction ran out of time"
    assert first["quarantined_ms"] == 5 * 60_000
    assert (second["state"], second["resync_needed"]) == ("STALE", True)
    assert (third["incidents"], third["freshness_ms"], third["lag_ms"]) == (1, 4_000, 0)
    assert third["objects"] == len(fleet()[0].resources)
    assert "quarantined 5 min" in html
    assert html.index("af-13") < html.index("af-12") < html.index(">af-10<")


def test_a_fleet_is_found_and_sorted_by_what_is_asked() -> None:
    with client() as asked:
        assert [row["client_id"] for row in twin(asked, "/?q=shop-prod")["tenants"]] == ["af-10"]
        assert [row["client_id"] for row in twin(asked, "/?state=STALE")["tenants"]] == ["af-12"]
        assert twin(asked, "/?sort=objects")["tenants"][0]["client_id"] == "af-10"
        assert [row["client_id"] for row in twin(asked, "/?sort=tenant")["tenants"]] == ["af-10", "af-11", "af-12", "af-13"]


def test_an_empty_fleet_says_how_a_cluster_is_added() -> None:
    with client(MemoryGraphSource([], NOW_MS)) as asked:
        assert "helm install" in page(asked, "/")


def test_a_tenant_shows_open_incidents_before_everything_else() -> None:
    with client() as asked:
        html, found = page(asked, "/tenants/af-10"), twin(asked, "/tenants/af-10")

    assert html.index("its liveness probe asks port 50052") < html.index("Workloads</h2>") < html.index("Nodes</h2>")
    assert [one["iid"] for one in found["incidents"]] == [INCIDENT_ID]
    shop = next(one for one in found["namespaces"] if one["ns"] == "shop")
    assert next((row["object"]["name"], row["ready"], row["wanted"]) for row in shop["workloads"]) == ("checkout", 0, 2)
    assert {one["object"]["name"]: one["object"]["ails"] for one in found["nodes"]} == {
        "node-1": None,
        "node-2": None,
        "node-3": "NotReady",
    }
    assert sum(one["number"] for one in found["kinds"]) == found["tenant"]["objects"] == len(fleet()[0].resources)


class CountingSource(MemoryGraphSource):
    """Counts what is asked of it."""

    def __init__(self) -> None:
        super().__init__(fleet(), NOW_MS)
        self.asked: Counter[str] = Counter()

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("_") and name not in ("asked", "close"):
            self.asked[name] += 1
        return super().__getattribute__(name)


def test_a_page_of_a_tenant_costs_at_most_ten_queries() -> None:
    source = CountingSource()
    with client(source) as asked:
        page(asked, "/tenants/af-10")
    assert 0 < source.asked.total() <= 10, source.asked


def test_readers_of_the_same_page_share_an_answer() -> None:
    source = CountingSource()
    with client(source, shared_s=60) as asked:
        first = page(asked, "/tenants/af-10")
        before = source.asked.total()
        assert page(asked, "/tenants/af-10") == first
        assert source.asked.total() == before
        page(asked, "/tenants/af-12")
        assert source.asked.total() > before


def test_an_object_shows_what_is_around_it_and_what_goes_with_it() -> None:
    with client() as asked:
        found = twin(asked, "/tenants/af-10/object?rid=node::node-1")
        html = page(asked, "/tenants/af-10/object?rid=node::node-1")

    runs = next(one for one in found["relations"] if one["type"] == "RUNS_ON")
    assert (runs["says"], runs["number"]) == ("runs here", 4)
    assert {one["object"]["kind"] for one in found["blast"]["lost"]} >= {"Pod"}
    weak = {(one["object"]["rid"], one["lost"], one["all"]) for one in found["blast"]["weakened"] if one["type"] == "SELECTS"}
    assert ("service:shop:frontend", 1, 3) in weak
    assert "<svg" in html
    assert len(re.findall(r'<a class="box ', html)) == len(found["around"]["nodes"]) + len(found["around"]["folded"])


def test_an_object_that_is_only_referred_to_is_shown_as_that() -> None:
    with client() as asked:
        assert "only referred to" in page(asked, "/tenants/af-10/object?rid=secret:shop:payments-key")


def test_a_neighbourhood_grows_hop_by_hop_and_by_relationship() -> None:
    address = "/tenants/af-10/object?rid=deployment:shop:checkout"
    with client() as asked:
        sizes = [len(twin(asked, f"{address}&hops={hops}")["around"]["nodes"]) for hops in (1, 2, 3)]
        filtered = twin(asked, f"{address}&hops=3&type=CONTROLS")["around"]

    assert sizes[0] < sizes[1] < sizes[2]
    assert {one["type"] for one in filtered["relationships"]} == {"CONTROLS"}
    assert len(filtered["nodes"]) == 4


def test_an_incident_has_its_sentence_causes_remedy_and_what_was_set_aside() -> None:
    address = f"/tenants/af-10/incident?iid={INCIDENT_ID}"
    with client() as asked:
        html, found = page(asked, address), twin(asked, address)
        by_alias = twin(asked, "/tenants/af-10/incident?iid=0a0a0a0a0a")

    assert by_alias["incident"]["iid"] == INCIDENT_ID
    assert [one["rid"] for one in found["causes"]] == ["deployment:shop:checkout", "node::node-3"]
    assert "almost certain" in html
    assert "0.91" not in html.replace("<!--", "")
    assert "correct the probe&#39;s port" in html
    assert "the service account exists now" in html
    assert [one["iid"] for one in found["earlier"]] == ["00e1"]
    assert {one["eid"] for one in found["episodes"]} == {"e1", "e2", "e3", "e5"}
    assert html.count("role-cause") == 1
    assert html.count("role-further-cause") == 1
    assert html.count("role-affected") == 3
    assert "image 1.8 to 1.9" in html
    assert "events.normalized[0]@17" in html
    assert found["incident"]["members"] == 4
    assert {one["rid"] for one in found["objects"]} >= {"replicaset:shop:checkout-7d9f", "service:shop:checkout"}


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("cart-7d9f-0", {"af-10", "af-12"}),
        ("app=grafana", {"af-10"}),
        ("shop/frontend:2.4", {"af-10"}),
        ("10.4.8.11", {"af-10"}),
        ("uid-af-12-pod", {"af-12"}),
        ("cart shop", {"af-10", "af-12"}),
        ("no-such-thing", set()),
        ("*", set()),
    ],
)
def test_a_search_finds_names_labels_images_addresses_and_uids(q: str, expected: set[str]) -> None:
    with client() as asked:
        assert {one["client_id"] for one in twin(asked, f"/search?q={q.replace('=', '%3D')}")["hits"]} == expected


class Tags(HTMLParser):
    """The tags of a page, as a browser would see them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


HOSTILE_RID = "pod:evil:" + quote(HOSTILE, safe="")
HOSTILE_PAGES = (
    "/",
    "/tenants/af-11",
    f"/tenants/af-11/object?rid={HOSTILE_RID}",
    "/tenants/af-11/map?as=table",
    "/search?q=script",
    f"/search?q={quote(HOSTILE)}",
)


@pytest.mark.parametrize("address", [*ADDRESSES, *HOSTILE_PAGES])
def test_no_page_has_a_script_or_a_style_of_its_own_and_none_of_the_graphs(address: str) -> None:
    """A pod named as a script, an image that is a tag, a message that closes attributes: nothing of it becomes markup."""
    with client() as asked:
        html = page(asked, address)

    for tag, attributes in Tags(html).found:
        assert tag not in ("style", "img", "iframe", "object", "embed", "base")
        assert tag != "script" or (attributes["src"] or "").startswith("/static/")
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("src", "href", "action"):
            assert not (attributes.get(name) or "").lower().startswith(("http", "//", "javascript:", "data:"))


def test_hostile_text_is_shown_as_it_is_but_for_what_would_hide_or_turn() -> None:
    with client() as asked:
        html = page(asked, f"/tenants/af-11/object?rid={HOSTILE_RID}")
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
        assert "app={{7*7}}" in html
        assert "\\u202egnp" in html
        assert "\u202e" not in html
        assert twin(asked, f"/tenants/af-11/object?rid={HOSTILE_RID}")["object"]["name"] == HOSTILE


@pytest.mark.parametrize(
    "address",
    [
        "/?sort=nothing",
        "/?unknown=1",
        "/tenants/af-10/object?rid=node::node-1&hops=5",
        "/tenants/af-10/object?rid=node::node-1&hops=1e3",
        "/tenants/af-10/object?rid=node::node-1&type=DELETE",
        "/tenants/af-10/map?view=3d",
        f"/search?q={'x' * 200}",
        "/deadletters/one?at=nonsense",
    ],
)
def test_a_wrong_parameter_is_named(address: str) -> None:
    with client() as asked:
        answer = asked.get(address, headers={"accept": "application/json"})
    assert answer.status_code == 400
    assert "parameter" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "path", ["/nothing", "/tenants/none", "/tenants/NODE", "/tenants/af-10/object?rid=pod:x:y", "/tenants/af-10/incident?iid=x"]
)
def test_what_is_not_there_is_not_found(path: str) -> None:
    with client() as asked:
        assert asked.get(path, headers=BROWSER).status_code == 404


def test_the_description_names_every_page_and_parameter() -> None:
    with client() as asked:
        found = twin(asked, "/openapi.json")
    assert set(found["paths"]) == {view.path for view in VIEWS}
    for view in VIEWS:
        names = [one["name"] for one in found["paths"][view.path]["get"]["parameters"] if one["in"] == "query"]
        assert names == list(view.parameters)


def test_nothing_can_be_written() -> None:
    with client() as asked:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert asked.request(method, "/tenants/af-10").status_code == 405
