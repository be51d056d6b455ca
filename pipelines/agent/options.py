"""What an agent reads and where it writes, by flag or by environment variable."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from pipelines.options.checks import check_brokers, names, one_of, usage_error
from pipelines.options.common import KafkaCaFile, KafkaKeypairFile, tenant_id
from pipelines.options.invocation import given_as
from transforms.io.cluster.target import ClusterTarget, from_kubeconfig, in_cluster
from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.target import OAUTHBEARER, SASL_MECHANISMS, SECURITY_PROTOCOLS, KafkaTarget, OAuth
from transforms.io.secrets import Secret
from transforms.model.kinds import KIND_OF_TOKEN, KINDS

_OF_SECRETS: Final = "Secret"
_LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """The cluster, and what is read of it."""

    client_id: Annotated[str, typer.Option("--client_id", envvar="CLIENT_ID", help="The tenant: the name of this cluster in all keys.")]
    cluster_name: Annotated[
        str, typer.Option("--cluster_name", envvar="CLUSTER_NAME", help="What the cluster is called elsewhere, for the registry.")
    ] = ""
    kubeconfig: Annotated[
        str,
        typer.Option("--kubeconfig", envvar="KUBECONFIG", help="Read the cluster of this file; within a Pod its service account serves."),
    ] = ""
    context: Annotated[str, typer.Option("--context", help="Context of the kubeconfig; its current one unless told.")] = ""
    kinds: Annotated[
        str, typer.Option("--kinds", envvar="KINDS", help="Declared kinds to read, comma-separated; all but Endpoints unless told.")
    ] = ""
    custom_kinds: Annotated[
        str,
        typer.Option("--custom_kinds", envvar="CUSTOM_KINDS", help="Custom kinds to read: plural.group, or *.group; comma-separated."),
    ] = ""
    secrets: Annotated[
        bool, typer.Option("--secrets/--no_secrets", envvar="SECRETS_ENABLED", help="Read Secrets: metadata and names of keys, no value.")
    ] = True
    calls: Annotated[
        bool,
        typer.Option(
            "--calls/--no_calls",
            envvar="CALLS_ENABLED",
            help="Send addresses (host:port) that are values in the environment of containers; the job makes CALLS of them.",
        ),
    ] = True
    events: Annotated[bool, typer.Option("--events/--no_events", envvar="EVENTS_ENABLED", help="Read Events.")] = True

    def tenant(self) -> str:
        if not self.client_id:
            raise usage_error("--client_id is empty; give the name of this cluster, such as af-10, or set CLIENT_ID.")
        return tenant_id(self.client_id)

    def target(self) -> ClusterTarget:
        """The API server that the options, or the Pod, name."""
        found = None if self.kubeconfig else in_cluster()
        if found is not None:
            return found
        path = Path(self.kubeconfig) if self.kubeconfig else Path.home() / ".kube" / "config"
        if not path.exists():
            raise usage_error(f"No cluster is configured: this is no Pod, and {path} does not exist; name a file with --kubeconfig.")
        return from_kubeconfig(path, self.context)

    def declared_kinds(self) -> frozenset[str]:
        """The kinds to read of those that the model declares; empty for the usual ones."""
        named = names(self.kinds)
        for kind in named:
            declared = KIND_OF_TOKEN.get(kind.lower())
            if declared is None or declared.name != kind:
                raise usage_error(f"--kinds names {kind!r}; it must be one of {', '.join(one.name for one in KINDS)}.")
        if self.secrets or (named and _OF_SECRETS not in named):
            return frozenset(named)
        return frozenset(named or (one.name for one in KINDS if one.name != "Endpoints")) - {_OF_SECRETS}

    def custom(self) -> tuple[str, ...]:
        named = names(self.custom_kinds)
        for one in named:
            plural, _, group = one.partition(".")
            if not group or (plural != "*" and not plural.isalnum()) or "*" in group:
                raise usage_error(f"--custom_kinds names {one!r}; write plural.group or *.group, such as gateways.networking.istio.io.")
        return named


@dataclass(frozen=True, slots=True)
class DeliveryOptions:
    """Kafka, as the agent writes to it."""

    kafka_brokers: Annotated[str, typer.Option("--kafka_brokers", envvar="KAFKA_BROKERS", help="host:port, comma-separated.")] = ""
    topic_per_cluster: Annotated[
        bool, typer.Option("--topic_per_cluster", envvar="TOPIC_PER_CLUSTER", help="Write to <client_id>.<topic>.")
    ] = False
    kafka_security_protocol: Annotated[
        str, typer.Option("--kafka_security_protocol", envvar="KAFKA_SECURITY_PROTOCOL", help=" | ".join(SECURITY_PROTOCOLS))
    ] = "PLAINTEXT"
    kafka_sasl_mechanism: Annotated[
        str,
        typer.Option("--kafka_sasl_mechanism", envvar="KAFKA_SASL_MECHANISM", help=" | ".join((*SASL_MECHANISMS, OAUTHBEARER))),
    ] = "PLAIN"
    kafka_sasl_username: Annotated[
        str,
        typer.Option(
            "--kafka_sasl_username",
            envvar="KAFKA_SASL_USERNAME",
            help="User, or client of OAUTHBEARER; the password or secret comes from KAFKA_SASL_PASSWORD or a file.",
        ),
    ] = ""
    kafka_sasl_password_file: Annotated[
        str, typer.Option("--kafka_sasl_password_file", envvar="KAFKA_SASL_PASSWORD_FILE", help="File that holds the password or secret.")
    ] = ""
    kafka_oauth_token_url: Annotated[
        str, typer.Option("--kafka_oauth_token_url", envvar="KAFKA_OAUTH_TOKEN_URL", help="Token endpoint of OAUTHBEARER.")
    ] = ""
    kafka_oauth_scope: Annotated[
        str, typer.Option("--kafka_oauth_scope", envvar="KAFKA_OAUTH_SCOPE", help="Scope that is asked of the token endpoint.")
    ] = ""
    kafka_ssl_ca_file: KafkaCaFile = ""
    kafka_ssl_keypair_file: KafkaKeypairFile = ""

    def target(self) -> KafkaTarget:
        if not self.kafka_brokers:
            raise usage_error("No Kafka is configured: name its brokers with --kafka_brokers or KAFKA_BROKERS, or use --dry_run.")
        check_brokers(given_as("kafka_brokers") or "--kafka_brokers", self.kafka_brokers)
        mechanism = one_of("--kafka_sasl_mechanism", self.kafka_sasl_mechanism, (*SASL_MECHANISMS, OAUTHBEARER))
        password = Secret("KAFKA_SASL_PASSWORD", self.kafka_sasl_password_file)
        protocol = one_of("--kafka_security_protocol", self.kafka_security_protocol, SECURITY_PROTOCOLS)
        oauth = None
        if mechanism == OAUTHBEARER and protocol.startswith("SASL"):
            if not self.kafka_oauth_token_url:
                raise usage_error("OAUTHBEARER needs the URL of a token endpoint; give it with --kafka_oauth_token_url.")
            oauth = OAuth(self.kafka_oauth_token_url, self.kafka_sasl_username, password, self.kafka_oauth_scope)
        return KafkaTarget(
            self.kafka_brokers,
            "",
            protocol,
            mechanism,
            self.kafka_sasl_username,
            password,
            self.kafka_ssl_ca_file,
            self.kafka_ssl_keypair_file,
            oauth=oauth,
        )


@dataclass(frozen=True, slots=True)
class WorkOptions:
    """How the agent works."""

    prometheus_url: Annotated[
        str, typer.Option("--prometheus_url", envvar="PROMETHEUS_URL", help="Read targets and rules of this Prometheus, every minute.")
    ] = ""
    manifest_s: Annotated[
        float, typer.Option("--manifest_s", envvar="MANIFEST_S", min=1, help="Seconds between manifests of what is alive.")
    ] = 300.0
    heartbeat_s: Annotated[float, typer.Option("--heartbeat_s", envvar="HEARTBEAT_S", min=1, help="Seconds between heartbeats.")] = 30.0
    silence_s: Annotated[
        float,
        typer.Option(
            "--silence_s", min=1, help="Seconds without a line after which a watch is taken for dead; bookmarks come each minute."
        ),
    ] = 90.0
    drain_s: Annotated[float, typer.Option("--drain_s", min=0, help="Seconds that SIGTERM leaves for records on their way to Kafka.")] = (
        20.0
    )
    lease: Annotated[
        str, typer.Option("--lease", envvar="LEASE", help="Name of the Lease of several replicas; none: this is the only one.")
    ] = ""
    lease_namespace: Annotated[
        str, typer.Option("--lease_namespace", envvar="POD_NAMESPACE", help="Namespace of the Lease; the Pod's own unless told.")
    ] = ""
    metrics_port: Annotated[
        int,
        typer.Option(
            "--metrics_port", envvar="METRICS_PORT", min=0, max=65535, help="Serve /metrics, /healthz and /readyz here; 0: do not."
        ),
    ] = 0
    metrics_host: Annotated[
        str, typer.Option("--metrics_host", envvar="METRICS_HOST", help="Address to serve them on; loopback unless told.")
    ] = _LOOPBACK

    def lease_place(self, target: ClusterTarget) -> str:
        """The namespace of the Lease; an error of use where nothing tells it."""
        found = self.lease_namespace or target.namespace or os.environ.get("POD_NAMESPACE", "")
        if self.lease and not found:
            raise usage_error("--lease needs a namespace; give it with --lease_namespace or POD_NAMESPACE.")
        return found


def check_prometheus(url: str) -> str:
    """The URL, checked: it must hold no login."""
    if url and (not url.startswith(("http://", "https://")) or "@" in url):
        raise InfrastructureFault("--prometheus_url must begin with http:// or https:// and hold no login; fix it.")
    return url
