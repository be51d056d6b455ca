"""Where the graph is and how to reach it; opening it, and telling its faults from those of a row."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from transforms.io.faults import InfrastructureFault, WrongSetting
from transforms.io.secrets import Secret
from transforms.records.redaction.text import redact_text
from transforms.records.redaction.url import redact_url

if TYPE_CHECKING:
    import neo4j

SCHEMES: Final = tuple(f"{name}{tls}" for name in ("bolt", "neo4j") for tls in ("", "+s", "+ssc"))
_OPENINGS: Final = tuple(f"{scheme}://" for scheme in SCHEMES)
_WITH_TLS: Final = tuple(scheme for scheme in SCHEMES if "+" in scheme)
# Delays double: four of them, of which the first is this part of retry_s, take a little longer than retry_s.
_FIRST_DELAY_OF: Final = 12


@dataclass(frozen=True, slots=True)
class Neo4jTarget:
    """A database and how to reach it.

    uri: bolt:// or neo4j://, with `+s` for TLS. password: where it is, never itself.
    ca_file: certificates to trust instead of the system's; only with plain schemes, and turns TLS on.
    retry_s: for how long a transaction is tried again while the server is away or busy.
    """

    uri: str
    user: str
    password: Secret
    database: str = "neo4j"
    ca_file: str = ""
    retry_s: float = 30.0

    @property
    def address(self) -> str:
        """The URI as messages show it, without a login."""
        return redact_url(self.uri)

    def check_scheme(self) -> None:
        """WrongSetting where the URI does not begin as one of Neo4j's does."""
        if not self.uri.startswith(_OPENINGS):
            raise WrongSetting(f"NEO4J_URI {self.address} cannot be used; it must begin with one of {', '.join(_OPENINGS)}.")

    def open(self, within_s: float | None = None) -> "neo4j.Driver":
        """A driver with its own pool; the caller closes it. Connects on first use.

        within_s: how long it may take until the server has let the user in; None: as long as the driver finds right.
        """
        self.check_scheme()
        if "@" in self.uri:
            raise WrongSetting(f"NEO4J_URI {self.address} holds a login; give it with NEO4J_USER and NEO4J_PASSWORD.")
        # The driver takes a second to import; whoever only names a graph does without it.
        import neo4j  # noqa: PLC0415

        options: dict[str, Any] = {} if within_s is None else {"connection_acquisition_timeout": within_s}
        if self.ca_file:
            # The driver would look for it on its first connection, and raise whatever comes.
            self._check_ca_file()
            options |= {"encrypted": True, "trusted_certificates": neo4j.TrustCustomCAs(self.ca_file)}
        try:
            return neo4j.GraphDatabase.driver(
                self.uri,
                auth=(self.user, self.password.read()),
                max_transaction_retry_time=self.retry_s,
                initial_retry_delay=min(1.0, self.retry_s / _FIRST_DELAY_OF),
                connection_timeout=within_s or 10.0,
                user_agent="graph-build",
                notifications_min_severity="OFF",
                **options,
            )
        except (ValueError, neo4j.exceptions.DriverError) as error:
            raise WrongSetting(f"NEO4J_URI {self.address} cannot be used ({redact_text(str(error))}); fix it.") from None

    def _check_ca_file(self) -> None:
        import ssl  # noqa: PLC0415 - as above

        try:
            ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            said = error.strerror or error
            raise WrongSetting(f"NEO4J_CA_FILE {self.ca_file} cannot be used ({said}); fix its path or content.") from None

    def fault(self, error: Exception) -> InfrastructureFault:
        """The fault that stops the run, in one sentence."""
        from neo4j.exceptions import AuthError  # noqa: PLC0415 - as above

        said = redact_text(" ".join(_told(error).split()))[:300] or type(error).__name__
        if isinstance(error, AuthError):
            return InfrastructureFault(
                f"Neo4j at {self.address} refused the user {self.user} ({said}); fix NEO4J_USER and NEO4J_PASSWORD or NEO4J_PASSWORD_FILE."
            )
        return InfrastructureFault(
            f"Neo4j at {self.address} cannot be used ({said}); nothing after the last committed offsets counts as done: "
            f"start it or fix NEO4J_URI, then run again. If it runs, {self._likely_cause()}"
        )

    def _likely_cause(self) -> str:
        """A question; the driver says the same of a server that is away and of one that was spoken to in another way."""
        if self.uri.partition("://")[0] in _WITH_TLS or self.ca_file:
            return "does this port speak Bolt with TLS? Without TLS, write bolt:// or neo4j:// and set no NEO4J_CA_FILE."
        return "is this its Bolt port, and does it want TLS (bolt+s://, neo4j+s://, or NEO4J_CA_FILE)?"


def _told(error: Exception) -> str:
    """What the server says in words, where the driver puts codes before them; the message of another error may say less than its text."""
    said = str(error)
    return (getattr(error, "message", None) or said) if said.startswith("{neo4j_code") else said
