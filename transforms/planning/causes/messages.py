"""Messages about incidents for pagers: what each receiver takes, from what the graph keeps of an incident.

A message is called by the incident and its state, so that whoever gets it twice counts it once. It holds no value of a Secret or of
an environment.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

# At most so many messages that an open incident has changed; then its end.
MOST_UPDATES: Final = 3
_OF_END: Final = ("client_id", "iid", "title", "kind", "root", "words", "confidence", "opened")
_TEXT_CHARACTERS: Final = 1500
_SUMMARY_CHARACTERS: Final = 1024

Props = Mapping[str, Any]


class Sent(NamedTuple):
    """What was told of an incident: its state, the cause that was named, how many updates, and what its end is told with."""

    state: str
    told: str
    updates: int
    about: dict[str, Any]


class Message(NamedTuple):
    """key: of the fault, the same for all that is told of it. state: open or resolved. is_update: it was told before."""

    key: str
    state: str
    is_update: bool
    props: Props


def messages(found: Iterable[Props], sent: Mapping[str, Sent], client_id: str = "") -> list[tuple[Message, Sent]]:
    """What is to be told now, and what is then to be remembered, by key.

    One fault is one message, at most three updates where another cause is named, and one end. An incident whose id changed goes on
    under the key that was told first, which its aliases name. What was over before anything was told of it is not
    told. One that was told of
    and is no longer among those that were found, since what showed it is gone, has ended too. client_id: those found
    are this tenant's alone.
    """
    wanted = []
    taken = set()
    for props in sorted(found, key=lambda one: (str(one["client_id"]), str(one["iid"]))):
        key = _key(props, sent)
        if key in taken:
            continue
        taken.add(key)
        told, before = f"{props['root']} {props['kind']}", sent.get(key)
        about = {name: props[name] for name in _OF_END if props.get(name) is not None}
        state = str(props["state"])
        if before is None:
            if state == "open":
                wanted.append((Message(key, state, False, props), Sent(state, told, 0, about)))
        elif state != before.state:
            wanted.append((Message(key, state, state == "open", props), Sent(state, told, before.updates, about)))
        elif state == "open" and told != before.told and before.updates < MOST_UPDATES:
            wanted.append((Message(key, state, True, props), Sent(state, told, before.updates + 1, about)))
    for key, one in sorted(sent.items()):
        if key not in taken and one.state == "open" and client_id in ("", one.about.get("client_id")):
            wanted.append((Message(key, "resolved", False, one.about), one._replace(state="resolved")))
    return wanted


def _key(props: Props, sent: Mapping[str, Sent]) -> str:
    own = f"{props['client_id']}:{props['iid']}"
    if own in sent:
        return own
    aliases = (f"{props['client_id']}:{alias}" for alias in sorted(props.get("aliases") or ()))
    return next((alias for alias in aliases if alias in sent and sent[alias].state == "open"), own)


def _link(message: Message, link: str) -> str:
    """The link with the incident and its time put in; "" for none."""
    props = message.props
    values = {"{iid}": str(props["iid"]), "{client_id}": str(props["client_id"]), "{opened}": str(props["opened"])}
    for name, value in values.items():
        link = link.replace(name, value)
    return link


def _severity(message: Message) -> str:
    return "critical" if float(message.props.get("confidence", 0)) >= 0.6 else "warning"  # noqa: PLR2004 - "likely"


def pagerduty(message: Message, link: str, routing_key: str) -> dict[str, Any]:
    """An event of the Events API v2."""
    props = message.props
    event: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": "trigger" if message.state == "open" else "resolve",
        "dedup_key": message.key,
    }
    if message.state == "open":
        summary = f"{props['client_id']}: {props['title']} ({props['words']})"[:_SUMMARY_CHARACTERS]
        details = {"text": str(props.get("text", ""))[:_TEXT_CHARACTERS], "opened": str(props["opened"]), "kind": props["kind"]}
        event["payload"] = {"summary": summary, "source": props["client_id"], "severity": _severity(message), "custom_details": details}
        event["payload"]["component"] = props["root"]
    if link:
        event["links"] = [{"href": _link(message, link), "text": f"Incident {props['iid']}"}]
    return event


def alertmanager(message: Message, link: str, _key: str = "") -> dict[str, Any]:
    """A webhook as Alertmanager sends it, version 4, with one alert."""
    props = message.props
    status = "firing" if message.state == "open" else "resolved"
    labels = {"alertname": props["kind"], "client_id": props["client_id"], "root": props["root"], "severity": _severity(message)}
    alert = {
        "status": status,
        "labels": labels,
        "annotations": {"summary": props["title"], "description": str(props.get("text", ""))[:_TEXT_CHARACTERS]},
        "startsAt": str(props["opened"]),
        "endsAt": str(props.get("resolved") or "0001-01-01T00:00:00Z"),
        "generatorURL": _link(message, link),
        "fingerprint": message.key,
    }
    common = {"commonLabels": labels, "commonAnnotations": alert["annotations"], "groupLabels": {"alertname": props["kind"]}}
    return {"version": "4", "groupKey": message.key, "status": status, "receiver": "graph-build", "alerts": [alert], **common}


def slack(message: Message, link: str, _key: str = "") -> dict[str, Any]:
    """A message for an incoming webhook; characters that Slack reads as markup are written as entities."""
    props = message.props
    head = "Resolved" if message.state != "open" else "Update" if message.is_update else "Incident"
    where = _link(message, link)
    text = f"{head} in {props['client_id']}: {props['title']} ({props['words']}, since {props['opened']})"
    body = str(props.get("text", ""))[:_TEXT_CHARACTERS] if message.state == "open" else ""
    return {"text": "\n".join(one for one in (_escaped(text), _escaped(body), where) if one)}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def generic(message: Message, link: str, _key: str = "") -> dict[str, Any]:
    """All that people are told, as it is."""
    names = ("client_id", "iid", "title", "kind", "root", "confidence", "words", "opened", "last", "resolved", "text", "do", "members")
    known = {name: message.props[name] for name in names if message.props.get(name) is not None}
    return {"key": message.key, "state": message.state, "update": message.is_update, "link": _link(message, link), "incident": known}


PAYLOADS: Final[dict[str, Callable[[Message, str, str], dict[str, Any]]]] = {
    "pagerduty": pagerduty,
    "alertmanager": alertmanager,
    "slack": slack,
    "webhook": generic,
}
