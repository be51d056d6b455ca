"""Who is told of an incident, how often, and in which form."""

from typing import Any

import pytest

from tests.support.broken_cluster import TENANT, Bus, analysis_of, killed, node, pod, workload
from transforms.planning.causes.graph_rows import incident_rows
from transforms.planning.causes.messages import MOST_UPDATES, PAYLOADS, Message, Sent, messages


def incident(iid: str = "a", **more: Any) -> dict[str, Any]:
    known = {
        "client_id": "af-10",
        "iid": iid,
        "state": "open",
        "root": "node::n1",
        "kind": "NODE_NOT_READY",
        "title": "Node/n1 <b>",
        "words": "likely",
    }
    return {**known, "confidence": 0.9, "opened": "2026-03-01T08:10:00Z", "text": "1. Ready is Unknown & more", **more}


class Pager:
    """Remembers as the command does."""

    def __init__(self) -> None:
        self.sent: dict[str, Sent] = {}
        self.got: list[tuple[str, str, bool]] = []

    def look(self, *found: dict[str, Any], client_id: str = "") -> list[tuple[str, str, bool]]:
        now = []
        for message, after in messages(found, self.sent, client_id):
            self.sent[message.key] = after
            now.append((message.key, message.state, message.is_update))
        self.got += now
        return now


def test_one_fault_is_one_message_and_one_end() -> None:
    pager = Pager()
    assert pager.look(incident()) == [("af-10:a", "open", False)]
    assert pager.look(incident()) == []
    assert pager.look(incident(state="resolved")) == [("af-10:a", "resolved", False)]
    assert pager.look(incident(state="resolved")) == []


def test_an_incident_that_names_other_causes_is_told_three_times_more_at_most() -> None:
    pager = Pager()
    for at in range(20):
        pager.look(incident(root=f"node::n{at}"))
    assert len(pager.got) == 1 + MOST_UPDATES


def test_an_incident_goes_on_under_its_first_key_when_its_id_changes() -> None:
    pager = Pager()
    pager.look(incident("a"))
    assert pager.look(incident("b", aliases=["a"])) == []
    assert pager.look(incident("b", aliases=["a"], state="resolved")) == [("af-10:a", "resolved", False)]


def test_what_is_gone_from_the_graph_has_ended_but_only_where_it_was_looked_for() -> None:
    pager = Pager()
    pager.look(incident())
    assert pager.look(client_id="af-11") == []
    assert pager.look() == [("af-10:a", "resolved", False)]
    assert pager.look() == []


def test_what_was_over_before_anything_was_told_of_it_is_not_told() -> None:
    assert Pager().look(incident(state="resolved")) == []


@pytest.mark.parametrize("to", sorted(PAYLOADS))
def test_every_form_names_the_tenant_and_the_link_with_its_time(to: str) -> None:
    payload = repr(PAYLOADS[to](Message("af-10:a", "open", False, incident()), "https://x/{client_id}/{iid}?at={opened}", "routing"))
    assert "af-10" in payload
    assert "https://x/af-10/a?at=2026-03-01T08:10:00Z" in payload
    assert ("routing" in payload) == (to == "pagerduty")


def test_each_form_is_as_its_receiver_takes_it() -> None:
    opened, ended = (Message("af-10:a", state, False, incident()) for state in ("open", "resolved"))
    assert PAYLOADS["pagerduty"](opened, "", "k")["event_action"] == "trigger"
    assert PAYLOADS["pagerduty"](ended, "", "k") == {"routing_key": "k", "event_action": "resolve", "dedup_key": "af-10:a"}
    (alert,) = PAYLOADS["alertmanager"](ended, "", "")["alerts"]
    assert (alert["status"], alert["fingerprint"]) == ("resolved", "af-10:a")
    assert "Node/n1 &lt;b&gt;" in PAYLOADS["slack"](opened, "", "")["text"]


def test_a_thousand_pods_that_fail_for_one_fault_are_one_message() -> None:
    bus = Bus().say(0, node("n1"), *workload("cart", ready=0))
    failing = pod("cart", ready=False, since=10, state=killed(10))
    for at in range(1000):
        bus.say(11, failing | {"metadata": failing["metadata"] | {"name": f"cart-1-{at}", "uid": f"p-{at}"}})
    rows = [one.props | {"client_id": TENANT, "iid": one.iid} for one in incident_rows(analysis_of(bus.records))]
    pager = Pager()
    assert len(pager.look(*rows)) == 1
    assert pager.look(*rows) == []
    assert "OOM_KILLED" in str(rows[0]["kind"])
