"""`incidents notify`: tell pagers of incidents, from the graph, so that the job never waits for them."""

import os
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from pipelines.incidents.list import incident_object
from pipelines.options.checks import one_of, usage_error
from pipelines.options.flow import tenant_id
from pipelines.options.neo4j import Neo4jOptions
from pipelines.output.command import exit_on_fault, print_json, say
from transforms.io.faults import InfrastructureFault
from transforms.io.incident_sender import PAGERDUTY, Sender, keep_sent, read_sent
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.io.secrets import Secret
from transforms.model import incident_cypher
from transforms.model.graph import TENANT_KEY
from transforms.planning.causes.messages import PAYLOADS, messages

_MOST: Final = 5000
_LOOKS_BACK: Final = timedelta(days=2)


def notify(neo4j: Neo4jOptions, client_id: str, to: str, link: str, state_file: Path, every_s: float, json: bool) -> None:
    """Send what is to be told now; with every_s, again and again until interrupted.

    What was sent is remembered before the next message is sent, so that a crash repeats one message at most.
    """
    tenant = tenant_id(client_id)
    kind = one_of("--to", to, tuple(PAYLOADS))
    if not state_file.parent.is_dir():
        raise usage_error(f"--state_file {state_file}: its folder does not exist; make it first.")
    target = neo4j.target()
    interrupted = "Interrupted; what was sent is remembered."
    with exit_on_fault(interrupted), closing(Neo4jGraphStore(target)) as store, closing(_sender(kind, link)) as sender:
        while True:
            told = _once(store, tenant, sender, state_file)
            if json:
                print_json({"sent": told})
            elif told:
                say(f"Sent {len(told)} messages to {kind}.")
            if not every_s:
                return
            time.sleep(every_s)


def _sender(to: str, link: str) -> Sender:
    """The URL and the key come from the environment or from files, never from options."""
    place = _secret("INCIDENTS_URL")
    url = PAGERDUTY if to == "pagerduty" and not _is_set(place) else place.read()
    key = _secret("INCIDENTS_KEY")
    return Sender(to, url, key if to == "pagerduty" or _is_set(key) else None, link)


def _secret(name: str) -> Secret:
    return Secret(name, os.environ.get(f"{name}_FILE", ""))


def _is_set(secret: Secret) -> bool:
    return bool(secret.file or os.environ.get(secret.env))


def _once(store: Neo4jGraphStore, tenant: str, sender: Sender, file: Path) -> list[dict[str, Any]]:
    since = datetime.now(UTC) - _LOOKS_BACK
    rows = store.ask(incident_cypher.LIST_INCIDENTS, **{TENANT_KEY: tenant}, state="", since=since, most=_MOST)
    sent = read_sent(file)
    told = []
    if len(rows) == _MOST:
        raise InfrastructureFault(f"There are more than {_MOST - 1} incidents; name a tenant with --client_id.")
    for message, after in messages((incident_object(row["props"]) for row in rows), sent, tenant):
        sender.send(message)
        sent[message.key] = after
        keep_sent(file, sent)
        told.append({"key": message.key, "state": message.state, "update": message.is_update})
    return told
