"""Where a schema registry is and how to log in, without the password."""

from dataclasses import dataclass, field

from transforms.io.secrets import Secret


@dataclass(frozen=True, slots=True)
class RegistryTarget:
    """A registry that speaks Confluent's API. user: "" for no login. retry_s: how long it is asked again while it is away."""

    url: str
    user: str = ""
    password: Secret = field(default_factory=Secret)
    ca_file: str = ""
    retry_s: float = 30.0
