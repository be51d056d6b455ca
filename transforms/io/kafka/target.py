"""Where Kafka is and how to reach it, for both client libraries, without a secret in either configuration.

librdkafka (planning, committing, dead letters) gets the password in this process; the Java consumer of
`ReadFromKafka` gets a reference that Kafka's own configuration providers resolve inside the Java worker, so that
the serialised pipeline holds no secret.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from transforms.io.faults import WrongSetting
from transforms.io.secrets import Secret

if TYPE_CHECKING:
    from confluent_kafka import KafkaError

_LOGIN_MODULE: Final = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}
# What would end a quoted JAAS value; in the user name also what begins a reference that Kafka resolves.
_UNQUOTABLE: Final = frozenset('"\\\n\r')
_UNREFERABLE: Final = frozenset(":{}")
SASL_MECHANISMS: Final = tuple(_LOGIN_MODULE)
SECURITY_PROTOCOLS: Final = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")


C = TypeVar("C")


def quiet(_error: "KafkaError") -> None:
    """librdkafka reports every failed attempt to connect; what matters comes back as the request's own fault."""


OAUTHBEARER: Final = "OAUTHBEARER"


@dataclass(frozen=True, slots=True)
class OAuth:
    """Where librdkafka gets tokens from (OpenID Connect, client credentials)."""

    token_url: str
    client_id: str
    secret: Secret
    scope: str = ""

    def client_config(self) -> dict[str, str]:
        """librdkafka's settings; holds the secret."""
        config = {
            "sasl.mechanism": OAUTHBEARER,
            "sasl.oauthbearer.method": "oidc",
            "sasl.oauthbearer.token.endpoint.url": self.token_url,
            "sasl.oauthbearer.client.id": self.client_id,
            "sasl.oauthbearer.client.secret": self.secret.read(),
        }
        return config | ({"sasl.oauthbearer.scope": self.scope} if self.scope else {})


@dataclass(frozen=True, slots=True)
class KafkaTarget:
    """A cluster, the consumer group that marks what is done, and how to log in.

    ca_file, keypair_file: PEM files; the latter holds the client's private key and certificate.
    retry_s: for how long a request is made again while Kafka is away or busy. oauth: of a producer that logs in with tokens.
    """

    brokers: str
    group: str
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str = "PLAIN"
    sasl_username: str = ""
    sasl_password: Secret = field(default_factory=Secret)
    ca_file: str = ""
    keypair_file: str = ""
    retry_s: float = 30.0
    oauth: OAuth | None = None

    @property
    def uses_sasl(self) -> bool:
        return self.security_protocol.startswith("SASL")

    def open(self, make: Callable[[dict[str, Any]], C], settings: dict[str, Any]) -> C:
        """A client of librdkafka with these settings, quiet; connects on first use. InfrastructureFault where it cannot be made."""
        from confluent_kafka import KafkaException  # noqa: PLC0415 - whoever only names a cluster does without the client

        try:
            return make({**self.client_config(), "log_level": 0, "error_cb": quiet, **settings})
        except KafkaException as error:
            raise WrongSetting(
                f"No client for Kafka at {self.brokers} can be made ({error.args[0].str()}); fix the KAFKA_SASL and KAFKA_SSL settings."
            ) from None

    def client_config(self) -> dict[str, str]:
        """librdkafka's configuration. Holds the password: never log, store or serialise it."""
        config = {"bootstrap.servers": self.brokers, "security.protocol": self.security_protocol}
        if self.uses_sasl and self.oauth is not None:
            config |= self.oauth.client_config()
        elif self.uses_sasl:
            config |= {
                "sasl.mechanism": self.sasl_mechanism,
                "sasl.username": self.sasl_username,
                "sasl.password": self.sasl_password.read(),
            }
        if self.ca_file:
            config["ssl.ca.location"] = self.ca_file
        if self.keypair_file:
            config |= {"ssl.key.location": self.keypair_file, "ssl.certificate.location": self.keypair_file}
        return config

    def java_config(self) -> dict[str, str]:
        """The Java consumer's configuration; commits by itself never, reads only what was committed."""
        config = {
            "bootstrap.servers": self.brokers,
            "group.id": self.group,
            "enable.auto.commit": "false",
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "security.protocol": self.security_protocol,
        }
        if self.uses_sasl:
            config |= self._java_login()
        if self.ca_file:
            config |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": self.ca_file}
        if self.keypair_file:
            config |= {"ssl.keystore.type": "PEM", "ssl.keystore.location": self.keypair_file}
        return config

    def _java_login(self) -> dict[str, str]:
        if not (_UNQUOTABLE | {"$"}).isdisjoint(self.sasl_username):
            raise WrongSetting(
                "KAFKA_SASL_USERNAME holds a quote, a backslash or a dollar sign, which a JAAS entry cannot; choose another user."
            )
        if not _UNQUOTABLE.isdisjoint(self.sasl_password.read_verbatim()):
            raise WrongSetting(
                "The Kafka password holds a quote, a backslash or a newline (a file's last one counts), which a JAAS entry cannot; "
                "write the file without a newline, or choose another password."
            )
        provider, reference = _java_secret(self.sasl_password)
        module = _LOGIN_MODULE[self.sasl_mechanism]
        login = f'{module} required username="{self.sasl_username}" password="{reference}";'
        return {**provider, "sasl.mechanism": self.sasl_mechanism, "sasl.jaas.config": login}


def _java_secret(secret: Secret) -> tuple[dict[str, str], str]:
    """A configuration provider of Kafka's, and the reference that it resolves in the Java worker."""
    package = "org.apache.kafka.common.config.provider"
    if secret.file:
        path = Path(secret.file).absolute()
        if not _UNREFERABLE.isdisjoint(str(path)):
            raise WrongSetting(f"The path {path} holds a colon or a brace, which Kafka cannot refer to; move the file.")
        provider = {"config.providers": "dir", "config.providers.dir.class": f"{package}.DirectoryConfigProvider"}
        return provider, f"${{dir:{path.parent}:{path.name}}}"
    provider = {"config.providers": "env", "config.providers.env.class": f"{package}.EnvVarConfigProvider"}
    return provider, f"${{env:{secret.env}}}"
