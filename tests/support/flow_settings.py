"""Settings of a flow for tests that run it on a graph in this process: nothing listens where they point."""

from typing import Any

from pipelines.options.flow import WriteOptions
from pipelines.settings import FlowSettings
from transforms.io.kafka.target import KafkaTarget
from transforms.io.neo4j.target import Neo4jTarget
from transforms.io.secrets import Secret
from transforms.records.dead_letters.selection import LetterPlace
from transforms.records.tenancy.tenant import TenantRules


def flow_settings(**given: Any) -> FlowSettings:
    """The defaults of the command line, and what is given."""
    defaults: dict[str, Any] = {
        "kafka": KafkaTarget("127.0.0.1:1", "tests"),
        "neo4j": Neo4jTarget("bolt://127.0.0.1:1", "", Secret()),
        "letters": LetterPlace("graph.deadletter"),
        "tenants": TenantRules(),
        "patterns": (),
        "legacy_topics": frozenset(),
        "writes": WriteOptions(),
        "in_one_process": True,
    }
    return FlowSettings(**(defaults | given))
