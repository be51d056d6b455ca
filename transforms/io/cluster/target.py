"""Where the API server is and how to log in: as a Pod's service account, or as a kubeconfig says."""

import base64
import os
import ssl
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from transforms.io.faults import InfrastructureFault

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def _no_token() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class ClusterTarget:
    """An API server.

    server: its URL. tls: how its certificate is checked, with the client's own where it has one; None for plain HTTP.
    token: gives the bearer token of the moment, "" for none; a mounted one is renewed about every hour.
    namespace: the one that the client runs in, "" where that is not known.
    """

    server: str
    tls: ssl.SSLContext | None = None
    token: Callable[[], str] = _no_token
    namespace: str = ""


def in_cluster(folder: Path = SERVICE_ACCOUNT) -> ClusterTarget | None:
    """The API server of the cluster that this Pod runs in; None outside of one."""
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host or not (folder / "token").exists():
        return None
    host = f"[{host}]" if ":" in host else host
    namespace = (folder / "namespace").read_text().strip() if (folder / "namespace").exists() else ""
    tls = _context(f"the certificate {folder / 'ca.crt'}", lambda: ssl.create_default_context(cafile=str(folder / "ca.crt")))
    return ClusterTarget(f"https://{host}:{port}", tls, lambda: _read(folder / "token"), namespace)


def from_kubeconfig(path: Path, context: str = "") -> ClusterTarget:
    """The API server of a context of a kubeconfig, "" for its current one. InfrastructureFault where it cannot be used."""
    config = _parsed(path)
    name = context or str(config.get("current-context") or "")
    chosen = _named(config, "contexts", "context", name, path)
    cluster = _named(config, "clusters", "cluster", str(chosen.get("cluster")), path)
    user = _named(config, "users", "user", str(chosen.get("user")), path) if chosen.get("user") else {}
    if "exec" in user or "auth-provider" in user:
        raise InfrastructureFault(
            f"The user of the context {name!r} in {path} logs in with a program, which is not run here; use a service account's token."
        )
    if cluster.get("insecure-skip-tls-verify"):
        raise InfrastructureFault(f"The context {name!r} in {path} does not check the server's certificate; give it certificate-authority.")
    server = str(cluster.get("server") or "").rstrip("/")
    if not server.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise InfrastructureFault(f"The server {server!r} of the context {name!r} in {path} is no https URL; fix the kubeconfig.")
    tls = _context(f"a certificate or key of {path}", lambda: _tls(cluster, user, path.parent)) if server.startswith("https") else None
    return ClusterTarget(server, tls, _token_of(user, path.parent), str(chosen.get("namespace") or ""))


def _parsed(path: Path) -> dict[str, Any]:
    try:
        import yaml  # noqa: PLC0415 - a Pod has no kubeconfig
    except ImportError:
        raise InfrastructureFault(
            "A kubeconfig is YAML, and PyYAML is not installed; install the requirements of the agent (requirements-agent.lock)."
        ) from None
    try:
        found = yaml.safe_load(path.read_text())
    except OSError as error:
        raise InfrastructureFault(f"The kubeconfig {path} cannot be read ({error.strerror}); name another with --kubeconfig.") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise InfrastructureFault(f"The kubeconfig {path} is no YAML; fix it, or name another with --kubeconfig.") from None
    return found if isinstance(found, dict) else {}


def _named(config: dict[str, Any], group: str, of: str, name: str, path: Path) -> dict[str, Any]:
    for one in config.get(group) or ():
        if isinstance(one, dict) and one.get("name") == name and isinstance(one.get(of), dict):
            return dict(one[of])
    raise InfrastructureFault(f"The kubeconfig {path} has no {of} named {name!r}; name a context of it with --context.")


def _tls(cluster: dict[str, Any], user: dict[str, Any], folder: Path) -> ssl.SSLContext:
    authority = _bytes(cluster, "certificate-authority", folder)
    context = ssl.create_default_context(cadata=authority.decode()) if authority else ssl.create_default_context()
    certificate, key = _bytes(user, "client-certificate", folder), _bytes(user, "client-key", folder)
    if certificate and key:
        # OpenSSL reads a key pair from a file only.
        with tempfile.NamedTemporaryFile(dir=os.environ.get("TMPDIR"), suffix=".pem") as pair:
            pair.write(certificate + b"\n" + key)
            pair.flush()
            context.load_cert_chain(pair.name)
    return context


def _context(what: str, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    try:
        return make()
    except (OSError, ValueError) as error:
        raise InfrastructureFault(f"TLS to the API server cannot be set up: {what} cannot be used ({error}); fix it.") from None


def _bytes(held: dict[str, Any], field: str, folder: Path) -> bytes:
    data, named = held.get(f"{field}-data"), held.get(field)
    if data:
        return base64.b64decode(str(data))
    return (folder / str(named)).read_bytes() if named else b""


def _token_of(user: dict[str, Any], folder: Path) -> Callable[[], str]:
    named, token = user.get("tokenFile"), str(user.get("token") or "")
    return (lambda: _read(folder / str(named))) if named else (lambda: token)


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError as error:
        raise InfrastructureFault(f"The token {path} cannot be read ({error.strerror}); check the Pod's service account.") from None
