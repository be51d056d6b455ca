"""Canaries: records that hold a made-up secret of every kind that has been seen to leak, in every place where it was seen.

Every secret holds `MARK`; whoever finds it in what the job writes has found a leak. The names of things, which must stay, hold `HARMLESS`.
"""

from base64 import b64encode
from typing import Any, Final

from scripts.sampling.record import EVENTS, LOGS, RESOURCES, RULES, TARGETS, TOPOLOGY, SampleRecord, json_bytes

MARK: Final = "c4n4ryb1rd"
HARMLESS: Final = "k3pt"
_AT: Final = "2026-03-01T08:00:00Z"
_HIDDEN: Final = f"{MARK}Z9{MARK}"
_HEX: Final = "0123456789ABCDEF"
# In a text; each is a secret by its form, or by what stands before it.
TEXTS: Final = (
    f"password={_HIDDEN}",
    f"db_password: '{_HIDDEN} {_HIDDEN}'",
    f"DB_PASS={_HIDDEN}",
    f"PASSPHRASE={_HIDDEN}",
    f"ENCRYPTION_KEY={_HIDDEN}",
    f'{{"client_secret": "{_HIDDEN}"}}',
    f"mysql -uroot -p{_HIDDEN} db",
    f"mysqladmin --password {_HIDDEN} ping",
    f"curl -u root:{_HIDDEN} http://h/",
    f"Authorization: Basic {b64encode(_HIDDEN.encode()).decode()}",
    f"Authorization: Bearer {_HIDDEN}",
    f"Cookie: session={_HIDDEN}",
    f"github_pat_11{_HIDDEN}{_HIDDEN}",
    f"ghp_{_HIDDEN}{_HIDDEN}",
    f"xoxb-1234-{_HIDDEN}",
    f"glpat-{_HIDDEN}abc",
    f"AIza{_HIDDEN}{_HIDDEN}",
    f"sk_live_{_HIDDEN}",
    f"eyJ{_HIDDEN}.{_HIDDEN}.{_HIDDEN}",
    f"postgres://app:{_HIDDEN}@db:5432/app",
    f"https://{_HIDDEN}@github.com/x",
    f"http://h/p?api-key={_HIDDEN}&sig={_HIDDEN}&key={_HIDDEN}",
    f"http://h/p?next=http%3A%2F%2Fme%3A{_HIDDEN}%40h%2F",
    f"-----BEGIN RSA PRIVATE KEY-----\n{_HIDDEN}\n-----END RSA PRIVATE KEY-----",
)
# Of fields that are called after secrets.
_NAMES: Final = ("db_password", "DB_PASS", "PASSPHRASE", "ENCRYPTION_KEY", "apiKey", "clientSecret", "authorization")
FIELDS: Final = dict.fromkeys(_NAMES, _HIDDEN)
_ENV: Final = [{"name": name, "value": value} for name, value in FIELDS.items()]


def canaries(client_id: str) -> list[SampleRecord]:
    """The records, valid ones and such as are rejected; all of one tenant, at one time."""
    found = _Bench(client_id)
    _objects(found)
    for at, text in enumerate(TEXTS):
        found.add(EVENTS, f"e{at}", _event(at, reason=text, message=f"{HARMLESS}: {text}"))
        found.add(LOGS, f"l{at}", _log(at, f"ERROR {HARMLESS} {text}"))
    _monitoring(found)
    url = f"https://me:{_HIDDEN}@h/{HARMLESS}"
    found.add(TOPOLOGY, url, {"op": "UPSERT", "at": _AT, "id": url, "from": "pod:shop:p", "to": "node::n", "type": "RUNS_ON"})
    _rejected(found)
    return found.records


class _Bench:
    """Records as they gather."""

    def __init__(self, client_id: str) -> None:
        self._client_id = client_id
        self.records: list[SampleRecord] = []

    def add(self, topic: str, key: str, body: dict[str, Any] | bytes) -> None:
        value = body if isinstance(body, bytes) else json_bytes(body)
        headers = (("authorization", f"Basic {_HIDDEN}".encode()), ("note", f"token={_HIDDEN}".encode()))
        self.records.append(SampleRecord(topic, f"{self._client_id}::{key}".encode(), value, 1_772_352_000_000, headers))


def _object(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"op": "UPSERT", "at": _AT, "kind": kind, "namespace": "shop", "name": name, **more}


def _objects(found: _Bench) -> None:
    ended = [{"name": "c", "state": {"terminated": {"reason": "Error", "message": text}}} for text in TEXTS]
    container = {"name": HARMLESS, "image": f"registry/{HARMLESS}@sha256:{_HEX.lower() * 4}", "env": _ENV}
    container |= {"command": ["mysql", f"-p{_HIDDEN}", "--password", _HIDDEN, "-u", f"root:{_HIDDEN}"], "args": list(TEXTS)}
    applied = {"kubectl.kubernetes.io/last-applied-configuration": json_bytes({"data": {"x": _HIDDEN}}).decode()}
    pod = _object("Pod", HARMLESS, status={"phase": "Failed", "containerStatuses": ended, **FIELDS}, labels={"db_password": _HIDDEN})
    found.add(RESOURCES, f"pod:shop:{HARMLESS}", pod | {"annotations": applied | FIELDS, "spec": {"containers": [container]}})
    for kind in ("Secret", "ConfigMap"):
        held = {"data": {HARMLESS: b64encode(_HIDDEN.encode()).decode(), "conf": f"x = {_HIDDEN}"}, "stringData": {"y": _HIDDEN}}
        found.add(RESOURCES, f"{kind.lower()}:shop:s", _object(kind, "s", spec=held))


def _event(at: int, **more: Any) -> dict[str, Any]:
    subject = {"kind": "Pod", "ns": "shop", "name": HARMLESS}
    return {"event_id": f"e{at}", "event_time": _AT, "severity": "Warning", "subject": subject, **more}


def _log(at: int, message: str) -> dict[str, Any]:
    return {"event_id": f"l{at}", "event_time": _AT, "severity": "ERROR", "message": message, "pod_namespace": "shop", "pod_name": HARMLESS}


def _monitoring(found: _Bench) -> None:
    for at, text in enumerate(TEXTS):
        labels = {"job": f"{HARMLESS}{at}", "instance": f"http://me:{_HIDDEN}@h{at}", "password": _HIDDEN, "note": text}
        target = {"op": "UPSERT", "at": _AT, "labels": labels, "health": "down", "lastError": text}
        target["scrapeUrl"] = f"http://me:{_HIDDEN}@h{at}/m?api-key={_HIDDEN}&sig={_HIDDEN}&key={_HIDDEN}"
        found.add(TARGETS, f"t{at}", target)
        rule = {
            "op": "UPSERT",
            "at": _AT,
            "group": "g",
            "rule": f"r{at}",
            "type": "alerting",
            "expr": "up == 0",
            "labels": {**FIELDS, "n": text},
        }
        found.add(RULES, f"r{at}", rule | {"annotations": {"summary": text, "message": f"{HARMLESS} {text}", **FIELDS}})


def _rejected(found: _Bench) -> None:
    """Each a dead letter: what cannot be parsed, nests too deep, says a name twice, or has a field of a wrong type or value."""
    for at, text in enumerate(TEXTS):
        found.add(EVENTS, f"x{at}", b"{not json: " + text.encode())
        found.add(EVENTS, f"y{at}", json_bytes(_event(at, message=text) | FIELDS)[:-1])
        found.add(LOGS, f"z{at}", json_bytes(_log(at, text) | {"pod_name": 7, "more": {"env": _ENV, "args": [text]}, **FIELDS}))
        found.add(TOPOLOGY, f"w{at}", {"op": "UPSERT", "at": _AT, "id": "e", "from": text, "to": "x", "type": text})
    for topic in (RESOURCES, EVENTS):
        found.add(topic, "deep", b"[" * 40 + json_bytes(FIELDS) + b"]" * 40)
        found.add(topic, "deeper", b"[" * 2000 + json_bytes(FIELDS) + b"]" * 2000)
        found.add(
            topic,
            "twice",
            f'{{"op":7,"event_id":7,"password":"{_HIDDEN}","password":"x","message":"token={_HIDDEN}","message":"y"}}'.encode(),
        )
        found.add(topic, "escaped", f'{{"op":7,"event_id":7,"p\\u0061ssword":"{_HIDDEN}"'.encode())
        found.add(topic, "wide", json_bytes({"password": _HIDDEN}).decode().encode("utf-16"))
        found.add(topic, "bytes", json_bytes({"password": _HIDDEN}) + b"\xff")
        found.add(topic, "long", json_bytes({"op": 7, "event_id": 7, "password": _HIDDEN, "pad": "x" * 2_000_000}))
    found.add(RESOURCES, f"secret:shop:{HARMLESS}", _object("Secret", "s", labels=7, data={"a": _HIDDEN}))
    found.add(RESOURCES, "pod:shop:p", _object("Pod", "p", labels=7, **FIELDS, spec={"containers": [{"env": _ENV, "args": list(TEXTS)}]}))


def leaks(text: bytes) -> bool:
    """Whether a canary's secret is in it, plainly or in base64 wherever it begins there."""
    whole = (MARK[begin : begin + (len(MARK) - begin) // 3 * 3] for begin in range(3))
    return MARK.encode() in text or any(b64encode(one.encode()) in text for one in whole)
