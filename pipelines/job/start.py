"""The line with which a run begins: what it reads, what it writes, and as whom."""

from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import structlog

from pipelines.options.run import FollowOptions
from pipelines.settings import RunSettings
from transforms.records.tenancy.tenant import TenantRules

PACKAGE: Final = "graph-build"
_LOG: Final = structlog.get_logger("run")


@lru_cache
def installed_version(package: str = PACKAGE) -> str:
    """The version of a package as it is installed; "unknown" where it runs from a checkout that was never installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def check_settings(settings: RunSettings) -> None:
    """WrongSetting where Neo4j's URI is none, or where the password of a server is missing or cannot be read."""
    neo4j = settings.flow.neo4j
    neo4j.check_scheme()
    neo4j.password.read()
    if settings.flow.kafka.uses_sasl:
        settings.flow.kafka.sasl_password.read()


def _admitted(rules: TenantRules) -> str:
    """Whose records are taken in, in words."""
    if rules.client_id:
        return f"{rules.client_id} alone"
    allow, deny = (", ".join(patterns) for patterns in (rules.allow, rules.deny))
    return "; ".join(part for part in (allow and f"allow {allow}", deny and f"deny {deny}") if part) or "all"


def tell_start(settings: RunSettings, follow: FollowOptions, reader_why: str) -> None:
    """Log the settings that decide whose records go where; no secret is among them. reader_why: why this reader."""
    flow = settings.flow
    _LOG.info(
        "starting",
        version=installed_version(),
        servers=settings.origin,
        kafka=flow.kafka.brokers,
        group=flow.kafka.group,
        topics=len(settings.topics),
        topic_patterns=len(flow.patterns),
        tenants=_admitted(flow.tenants),
        reader=settings.reader,
        reader_why=reader_why,
        neo4j=f"{flow.neo4j.address}/{flow.neo4j.database}",
        dead_letters=str(flow.letters),
        archive=flow.archive or "none",
        metrics=f"{follow.metrics_host}:{follow.metrics_port}" if follow.metrics_port else "none",
        follow=follow.follow,
    )
