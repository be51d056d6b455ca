"""Who sees what: tokens, sessions, a proxy's header; a reader of one tenant learns nothing of another."""

from pathlib import Path
from typing import Any

import pytest
import typer

from pipelines.console.auth import BadTokens, Tokens, TrustedHeader, read_tokens
from pipelines.console.guard import RateLimit
from pipelines.console.options import LOOPBACK_NAMES, AuthOptions
from pipelines.console.principal import BadTenants, Principal, parse_tenants, principal_of
from tests.support.console_client import BROWSER, PROGRAM, client, page, twin
from tests.support.console_world import INCIDENT_ID, fleet
from tests.unit.pipelines.console.test_pages import ADDRESSES, CountingSource

OPS = "ops-token-0123456789abcdef"
SHOP = "shop-token-0123456789abcdef"
NOTHING = "idle-token-0123456789abcdef"


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    file = tmp_path / "tokens"
    file.write_text(f"# who may read\nops {OPS}\nshop {SHOP}\n\nidle {NOTHING}\n")
    return Tokens(read_tokens(str(file)), parse_tenants(["ops=*", "shop=af-12"]))


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_nobody_sees_anything_without_a_token(tokens: Tokens) -> None:
    with client(authenticator=tokens) as asked:
        for address in (*ADDRESSES, "/openapi.json", "/nothing"):
            answer = asked.get(address, headers=PROGRAM)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
            browser = asked.get(address, headers=BROWSER)
            assert browser.status_code == 303
            assert browser.headers["location"].startswith("/login?to=")
        for token in ("", "x", OPS[:-1], f"{OPS}x", NOTHING, "\u00fc" * 20):
            given = {b"accept": b"application/json", b"authorization": f"Bearer {token}".encode()}
            assert asked.get("/", headers=given).status_code == 401


OTHERS = [
    "/tenants/af-10",
    "/tenants/af-10/map",
    "/tenants/af-10/object?rid=node::node-1",
    "/tenants/af-10/incidents",
    f"/tenants/af-10/incident?iid={INCIDENT_ID}",
    f"/tenants/af-12/incident?iid={INCIDENT_ID}",
    "/tenants/af-12/object?rid=deployment:shop:checkout",
    "/tenants/*",
    "/tenants/af-12%2F..%2Faf-10",
    "/tenants/AF-10",
    "/tenants/af-10%00",
]


@pytest.mark.parametrize("address", OTHERS)
def test_a_token_reads_no_other_tenant_and_is_told_what_is_told_of_none(tokens: Tokens, address: str) -> None:
    with client(authenticator=tokens) as asked:
        answer = asked.get(address, headers=PROGRAM | bearer(SHOP))
        none = asked.get("/tenants/none", headers=PROGRAM | bearer(SHOP))
    assert (answer.status_code, answer.text) == (404, none.text)


def test_another_tenant_is_refused_before_the_graph_is_asked(tokens: Tokens) -> None:
    """So neither the time nor the load tells whether it exists."""
    source = CountingSource()
    with client(source, tokens) as asked:
        for client_id in ("af-10", "none"):
            for page_ in ("", "/map", "/incidents", "/object?rid=node::node-1", f"/incident?iid={INCIDENT_ID}"):
                assert asked.get(f"/tenants/{client_id}{page_}", headers=PROGRAM | bearer(SHOP)).status_code == 404
    assert source.asked.total() == 0


def test_the_fleet_and_the_search_of_a_token_hold_its_tenants_alone(tokens: Tokens) -> None:
    with client(authenticator=tokens) as asked:
        mine = twin(asked, "/", **bearer(SHOP))
        assert [row["client_id"] for row in mine["tenants"]] == ["af-12"]
        assert (mine["counts"]["all"], mine["incidents"], mine["states"]) == (1, 0, {"STALE": 1})
        for q in ("cart", "node-1", "uid-af", "checkout", "af-10", "shop"):
            for tenant in ("", "&tenant=af-10", "&tenant=af-12", "&tenant=*"):
                hits = twin(asked, f"/search?q={q}{tenant}", **bearer(SHOP))["hits"]
                assert {one["client_id"] for one in hits} <= {"af-12"}, q
        assert {one["client_id"] for one in twin(asked, "/search?q=cart", **bearer(OPS))["hits"]} == {"af-10", "af-12"}
        html = page(asked, "/", **bearer(SHOP)) + page(asked, "/search?q=cart", **bearer(SHOP))
        assert "af-10" not in html
        assert "af-13" not in html


def test_readers_with_different_tenants_share_no_answer(tokens: Tokens) -> None:
    with client(authenticator=tokens, shared_s=60) as asked:
        assert len(twin(asked, "/", **bearer(OPS))["tenants"]) == len(fleet())
        assert len(twin(asked, "/", **bearer(SHOP))["tenants"]) == 1


def test_a_session_begins_with_a_token_and_ends_by_signing_out(tokens: Tokens) -> None:
    with client(authenticator=tokens) as asked:
        assert 'type="password"' in asked.get("/login", headers=BROWSER).text
        wrong = asked.post("/login", data={"token": "wrong"}, headers=BROWSER)
        assert (wrong.status_code, "set-cookie" in wrong.headers) == (401, False)
        begun = asked.post("/login?to=/tenants/af-12", data={"token": SHOP}, headers=BROWSER)
        assert (begun.status_code, begun.headers["location"]) == (303, "/tenants/af-12")
        cookie = begun.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert SHOP.lower() not in cookie
        assert "af-12" in page(asked, "/tenants/af-12")
        assert asked.get("/tenants/af-10", headers=BROWSER).status_code == 404
        held = asked.cookies["graph_console"]
        assert asked.post("/logout", headers=BROWSER).status_code == 303
        asked.cookies.set("graph_console", held)
        assert asked.get("/", headers=BROWSER).status_code == 303


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/\r\nx: y"])
def test_signing_in_leads_nowhere_else(tokens: Tokens, to: str) -> None:
    with client(authenticator=tokens) as asked:
        answer = asked.post("/login", params={"to": to}, data={"token": SHOP}, headers=BROWSER)
    assert answer.headers["location"] == "/"


def test_neither_log_nor_page_holds_a_token_or_a_query(tokens: Tokens, capsys: pytest.CaptureFixture[str]) -> None:
    with client(authenticator=tokens) as asked:
        asked.get("/search?q=very-private", headers=PROGRAM | bearer(SHOP))
        asked.post("/login", data={"token": SHOP}, headers=BROWSER)
        asked.get("/", headers=PROGRAM | bearer("wrong-token-0123456789"))
    told = "".join(capsys.readouterr())
    assert "reader=shop" in told
    for secret in (SHOP, "very-private", "wrong-token"):
        assert secret not in told
    assert SHOP not in repr(tokens)


NETWORKS = AuthOptions(auth="header", trusted_proxy="10.0.0.0/8", token_tenants=["alice=af-10", "platform=*", "shop-team=af-12"])


class FromPeer:
    """A request as the guard hands it over."""

    def __init__(self, peer: str, **headers: str) -> None:
        self.peer = peer
        self._headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def header(self, name: str) -> str:
        return self._headers.get(name, "")

    def cookie(self, name: str) -> str:
        return ""


def test_a_header_counts_from_the_proxy_alone() -> None:
    by_header = NETWORKS.authenticator("0.0.0.0")
    assert by_header.principal(FromPeer("10.1.2.3", x_forwarded_user="alice")) == Principal("alice", frozenset({"af-10"}))
    for request in (
        FromPeer("192.168.0.1", x_forwarded_user="alice"),
        FromPeer("10.1.2.3"),
        FromPeer("10.1.2.3", x_forwarded_user="mallory"),
        FromPeer("", x_forwarded_user="alice"),
        FromPeer("10.1.2.3", authorization="Bearer alice"),
    ):
        assert by_header.principal(request) is None


def test_groups_of_a_proxy_add_up() -> None:
    tenants = parse_tenants(["alice=af-10", "shop-team=af-12", "platform=*"])
    by_header = TrustedHeader(NETWORKS.authenticator("::").proxies, "x-user", "x-groups", tenants)  # type: ignore[attr-defined]
    both = by_header.principal(FromPeer("10.0.0.1", x_user="alice", x_groups="shop-team, other"))
    assert both == Principal("alice", frozenset({"af-10", "af-12"}))
    assert by_header.principal(FromPeer("10.0.0.1", x_user="bob", x_groups="platform")) == Principal("bob", None)


def test_tenants_are_read_as_they_are_written() -> None:
    assert parse_tenants(["a=af-10, af-11", "a=af-12", "b=*"]) == {"a": frozenset({"af-10", "af-11", "af-12"}), "b": None}
    assert principal_of(["x"], {"*": frozenset({"af-1"})}) == Principal("x", frozenset({"af-1"}))
    for wrong in ("a", "a=", "=af-10", "a=AF_10", "a=node"):
        with pytest.raises(BadTenants, match="--token_tenants"):
            parse_tenants([wrong])


@pytest.mark.parametrize("text", ["ops short", "ops", f"ops {OPS} more", f"ops {OPS}\nops {SHOP}", "", "# nothing"])
def test_a_token_file_that_cannot_be_used_says_so_without_its_tokens(tmp_path: Path, text: str) -> None:
    file = tmp_path / "tokens"
    file.write_text(text)
    with pytest.raises(BadTokens) as raised:
        read_tokens(str(file))
    assert str(file) in str(raised.value)
    assert OPS not in str(raised.value)


USAGE: list[tuple[dict[str, Any], str]] = [
    ({}, "0.0.0.0"),
    ({}, "console.example"),
    ({"auth": "token"}, "127.0.0.1"),
    ({"auth": "token", "token_tenants": ["a=*"]}, "127.0.0.1"),
    ({"auth": "token", "token_tenants": ["a=*"], "token_file": "/nothing"}, "127.0.0.1"),
    ({"auth": "header", "token_tenants": ["a=*"]}, "0.0.0.0"),
    ({"auth": "header", "token_tenants": ["a=*"], "trusted_proxy": "x"}, "0.0.0.0"),
    ({"auth": "basic"}, "127.0.0.1"),
    ({"token_tenants": ["a=*"]}, "127.0.0.1"),
]


@pytest.mark.parametrize(("options", "host"), USAGE)
def test_what_would_be_open_to_everybody_or_to_nobody_is_refused(options: dict[str, Any], host: str) -> None:
    with pytest.raises(typer.BadParameter):
        AuthOptions(**options).authenticator(host)


def test_an_open_console_goes_by_names_of_loopback_alone() -> None:
    """A page elsewhere whose name leads to 127.0.0.1 reads nothing."""
    hosts = AuthOptions(allow_host="console.test").hosts("127.0.0.1")
    assert hosts == LOOPBACK_NAMES | {"console.test"}
    with client(hosts=hosts) as asked:
        for host, status in (
            ("localhost:8080", 200),
            ("127.0.0.1", 200),
            ("[::1]:8080", 200),
            ("console.test", 200),
            ("evil.example", 421),
        ):
            assert asked.get("/", headers=PROGRAM | {"host": host}).status_code == status


def test_a_reader_who_asks_too_often_waits() -> None:
    limit = RateLimit(10)
    assert [limit.takes("a", 100.0) for _ in range(21)] == [True] * 20 + [False]
    assert limit.takes("b", 100.0)
    assert limit.takes("a", 100.11)
    assert not limit.takes("a", 100.11)
    with client(rate=0.5) as asked:
        answers = [asked.get("/", headers=PROGRAM) for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 429, 429]
    assert answers[-1].headers["retry-after"] == "1"


@pytest.mark.parametrize("address", ["/", "/nothing", "/static/console.css", "/?sort=x", "/healthz"])
def test_every_answer_forbids_what_a_page_does_not_need(address: str) -> None:
    with client() as asked:
        headers = asked.get(address).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "private, no-store"


def test_static_files_are_those_of_the_package_alone() -> None:
    with client() as asked:
        assert asked.get("/static/console.css").status_code == 200
        for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2f..%2f..%2fetc/passwd", "/static/"):
            assert asked.get(path).status_code == 404, path
