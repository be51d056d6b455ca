"""How a record's tenant is told, which tenants are let in, and when a silent one counts as gone."""

import re
from dataclasses import dataclass
from typing import Annotated, Final

import typer

from pipelines.options.checks import duration_s, names, usage_error
from pipelines.options.flow import tenant_id
from pipelines.options.warn import warn
from transforms.planning.lifecycle.liveness import Limits
from transforms.records.tenancy.routes import BadPattern, check_pattern, topic_per_cluster
from transforms.records.tenancy.tenant import ID_RULE, TenantRules
from transforms.records.topic_names import ALL_TOPICS

# A shell pattern of what an id may hold; what brackets hold is not judged.
_MAY_MATCH: Final = re.compile(r"(?:[a-z0-9.*?-]|\[[^\]]*\])+")
PER_CLUSTER: Final = topic_per_cluster(ALL_TOPICS)


@dataclass(frozen=True, slots=True)
class RouteOptions:
    """How the tenant is told by key and topic."""

    topic_pattern: Annotated[
        list[str] | None,
        typer.Option(
            "--topic_pattern",
            help="Read also the topics that this RE2 pattern matches whole; its group (?P<client_id>…) says whose they are, a group "
            "(?P<topic>…) or the rest of the name which of the known topics each stands for. May be repeated. New topics are found at "
            "each micro-batch.",
        ),
    ] = None
    topic_per_cluster: Annotated[
        bool,
        typer.Option(
            "--topic_per_cluster",
            envvar="TOPIC_PER_CLUSTER",
            help="Read also `<client_id>.<topic>` for every known topic: one pattern for all.",
        ),
    ] = False
    legacy_separator_topics: Annotated[
        str,
        typer.Option(
            "--legacy_separator_topics",
            envvar="LEGACY_SEPARATOR_TOPICS",
            help="Topics whose keys may also be split at a pipe sign.",
        ),
    ] = ""

    def patterns(self) -> tuple[str, ...]:
        """The topic patterns in their order; an error of use for one that cannot be used."""
        given = [*(self.topic_pattern or ()), *([PER_CLUSTER] if self.topic_per_cluster else [])]
        try:
            return tuple(dict.fromkeys(check_pattern(pattern) for pattern in given))
        except BadPattern as error:
            raise usage_error(f"--topic_pattern {error}.") from None

    def legacy_topics(self) -> frozenset[str]:
        return frozenset(names(self.legacy_separator_topics))


@dataclass(frozen=True, slots=True)
class AdmissionOptions:
    """Which tenants are let in."""

    allow_tenants: Annotated[
        str,
        typer.Option(
            "--allow_tenants", envvar="ALLOW_TENANTS", help="Shell patterns (af-*), comma-separated; records of other tenants are rejected."
        ),
    ] = ""
    deny_tenants: Annotated[
        str, typer.Option("--deny_tenants", envvar="DENY_TENANTS", help="Shell patterns of tenants whose records are rejected.")
    ] = ""
    new_tenants_per_hour: Annotated[
        int,
        typer.Option(
            "--new_tenants_per_hour",
            envvar="NEW_TENANTS_PER_HOUR",
            min=0,
            help="Tenants that may appear in an hour without a registration; records of more are rejected as tenant_quota. 0: any number.",
        ),
    ] = 1000

    def rules(self, client_id: str) -> TenantRules:
        """The rules of resolution. client_id: single-tenant mode, "" for all tenants."""
        allow, deny = names(self.allow_tenants), names(self.deny_tenants)
        for flag, patterns in (("--allow_tenants", allow), ("--deny_tenants", deny)):
            for pattern in patterns:
                if not _MAY_MATCH.fullmatch(pattern):
                    warn(
                        "pattern matches no tenant",
                        flag=flag,
                        pattern=pattern,
                        remedy="ids have lower-case letters, digits, dots and dashes",
                    )
        if allow and not any(_MAY_MATCH.fullmatch(pattern) for pattern in allow):
            raise usage_error(f"--allow_tenants is {self.allow_tenants!r}, which lets no tenant in; a tenant id has {ID_RULE}.")
        return TenantRules(tenant_id(client_id, "--single_tenant or --client_id"), allow, deny, self.new_tenants_per_hour)


@dataclass(frozen=True, slots=True)
class LivenessOptions:
    """When a silent tenant counts as gone."""

    stale_after: Annotated[
        str,
        typer.Option(
            "--stale_after", envvar="STALE_AFTER", help="A tenant is STALE after so long without any sign of life: 90s, 15m, 12h."
        ),
    ] = "2m"
    dead_after: Annotated[str, typer.Option("--dead_after", envvar="DEAD_AFTER", help="And DEAD after so long.")] = "5m"

    def limits(self) -> Limits:
        stale, dead = duration_s("--stale_after", self.stale_after), duration_s("--dead_after", self.dead_after)
        if not 0 < stale <= dead:
            raise usage_error(
                f"--stale_after is {self.stale_after} and --dead_after {self.dead_after}; stale comes first, and neither is 0."
            )
        return Limits(int(stale * 1000), int(dead * 1000))
