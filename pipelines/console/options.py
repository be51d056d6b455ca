"""Who may read, by flag or environment variable."""

import ipaddress
from dataclasses import dataclass
from typing import Annotated, Final

import typer

from pipelines.console.auth import Anyone, Authenticator, BadTokens, Network, Tokens, TrustedHeader, read_tokens
from pipelines.console.principal import BadTenants, parse_tenants
from pipelines.options.checks import names, one_of, usage_error

WAYS: Final = ("none", "token", "header")
LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True, slots=True)
class AuthOptions:
    """Who may read."""

    auth: Annotated[str, typer.Option("--auth", envvar="CONSOLE_AUTH", help=" | ".join(WAYS))] = "none"
    token_file: Annotated[
        str, typer.Option("--token_file", envvar="CONSOLE_TOKEN_FILE", help="With --auth token: a file of lines NAME TOKEN.")
    ] = ""
    token_tenants: Annotated[
        list[str] | None,
        typer.Option(
            "--token_tenants", help="NAME=TENANT,TENANT or NAME=*: what a name sees; `*=…` holds for every name. May be repeated."
        ),
    ] = None
    auth_header: Annotated[
        str, typer.Option("--auth_header", envvar="CONSOLE_AUTH_HEADER", help="With --auth header: the header with the reader's name.")
    ] = "X-Forwarded-User"
    auth_groups_header: Annotated[
        str,
        typer.Option(
            "--auth_groups_header",
            envvar="CONSOLE_AUTH_GROUPS_HEADER",
            help="A header with the reader's groups, comma-separated; off if empty.",
        ),
    ] = ""
    trusted_proxy: Annotated[
        str,
        typer.Option(
            "--trusted_proxy",
            envvar="CONSOLE_TRUSTED_PROXY",
            help="With --auth header: addresses or networks of the proxy, comma-separated.",
        ),
    ] = ""
    allow_host: Annotated[
        str,
        typer.Option(
            "--allow_host", envvar="CONSOLE_ALLOW_HOST", help="Names that the console is reached by besides localhost, without --auth."
        ),
    ] = ""

    def authenticator(self, host: str) -> Authenticator:
        """What proves who a reader is; an error of use for what would be open to everybody, or to nobody."""
        way = one_of("--auth", self.auth, WAYS)
        if way == "none":
            if not is_loopback(host):
                raise usage_error(f"--host {host} is no loopback address, so --auth token or --auth header is needed.")
            if self.token_file or self.token_tenants:
                raise usage_error("--token_file and --token_tenants mean nothing without --auth token or --auth header.")
            return Anyone()
        try:
            tenants = parse_tenants(self.token_tenants or ())
            if not tenants:
                raise usage_error(f"--auth {way} needs --token_tenants, or nobody sees anything: 'NAME=*' shows all tenants to NAME.")
            if way == "header":
                return TrustedHeader(_networks(self.trusted_proxy), self.auth_header.lower(), self.auth_groups_header.lower(), tenants)
            if not self.token_file:
                raise usage_error("--auth token needs --token_file, a file of lines NAME TOKEN.")
            return Tokens(read_tokens(self.token_file), tenants)
        except (BadTokens, BadTenants) as error:
            raise usage_error(str(error)) from None

    def hosts(self, host: str) -> frozenset[str] | None:
        """The names by which an open console may be asked for; None where readers prove who they are."""
        if self.auth != "none":
            return None
        return LOOPBACK_NAMES | {host.lower(), *(name.lower() for name in names(self.allow_host))}


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _networks(text: str) -> list[Network]:
    try:
        found = [ipaddress.ip_network(one, strict=False) for one in names(text)]
    except ValueError as error:
        raise usage_error(f"--trusted_proxy is {text!r}; {error}.") from None
    if not found:
        raise usage_error("--auth header needs --trusted_proxy: from anywhere else the header is not believed.")
    return found
