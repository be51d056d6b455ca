"""Redaction: what must not leave Kafka, taken out of a value before it is kept anywhere.

Out go the data of Secrets, environment values whose name or content looks secret, and the last-applied annotation,
which repeats all of that. The graph keeps none of these fields; dead letters keep the rest of the value. The graph does
keep the URLs of scrape targets: without their logins and secret parameters.
"""

import re
from typing import Any, Final

import msgspec
import re2

REDACTED: Final = "REDACTED"
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"

_SECRET_NAME: Final = re.compile(r"secret|passw|pwd|token|credential|api_?key|private_?key|access_?key|auth", re.IGNORECASE)
_SECRET_VALUE: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{30,}"
    r"|://[^/\s:@]+:[^/\s@]+@"
)
_SECRET_FIELDS: Final = ("data", "stringData", "binaryData")
# Who logs in, plainly or in a URL that is another one's parameter, and parameters that are called after secrets.
_URL_LOGIN: Final = re.compile(r"(://|%3A%2F%2F)[^/?&\s@\"]*?(?:@|%40)", re.IGNORECASE)
_URL_PARAMETER: Final = re.compile(rf"([?&][^=&#\s]*(?:{_SECRET_NAME.pattern})[^=&#\s]*=)[^&#\s\"]*", re.IGNORECASE)
# In free text only the secret itself goes, so that the rest still tells what happened. RE2's, since a line may be anything.
_IN_TEXT: Final = tuple(
    (re2.compile(pattern), replacement)
    for pattern, replacement in (
        (r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|$)", REDACTED),
        (r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?", REDACTED),
        (r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}", REDACTED),
        (r"(://[^/\s:@]+:)[^/\s@]+@", rf"\1{REDACTED}@"),
        (r"((?i:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{16,}", rf"\1{REDACTED}"),
        (
            # Names of objects hold such words too, and are joined to others with colons: `serviceaccount:credential-operator:x`.
            r"((?:^|[^\w.:/-])[\w.-]*(?i:secret|passw(?:or)?d|passphrase|pwd|token|credentials?|api[_-]?key|private[_-]?key|access[_-]?key)"
            r"(?:[\w.-]*\\?[\"']?\s?=|\\?[\"']?\s?:)\s?\\?[\"']?)[^\s\"'\\,;&)}\]]{4,}",
            rf"\1{REDACTED}",
        ),
    )
)
_MAY_HOLD_SECRETS: Final = re2.compile(
    r"(?i:secret|passw|passphrase|pwd|token|credential|api[_-]?key|private[_-]?key|access[_-]?key|bearer|basic)|PRIVATE KEY|eyJ|A[KS]IA|gh[pousr]_|://[^/\s:@]+:"
)


def redact_text(text: str) -> str:
    """Free text without what looks secret in it: keys, tokens, credentials in URLs and headers, values called passwords and such."""
    if not _MAY_HOLD_SECRETS.search(text):
        return text
    for pattern, replacement in _IN_TEXT:
        text = pattern.sub(replacement, text)
    return text


def is_secret_name(name: str) -> bool:
    """Whether what is called so is a secret by its name."""
    return _SECRET_NAME.search(name) is not None


def may_hold_secret(name: str, text: str) -> bool:
    """True where a value called `name` had something taken out of it already, or would have by any of the rules here."""
    return (
        REDACTED in text
        or LAST_APPLIED in text
        or _SECRET_NAME.search(name) is not None
        or _SECRET_VALUE.search(text) is not None
        or redact_text(text) != text
        or redact_url(text) != text
    )


def redact_json(value: bytes) -> bytes | None:
    """The value as JSON without its secrets, None where it holds none; msgspec.DecodeError where it is not JSON."""
    body = msgspec.json.decode(value)
    redacted = _redact(body)
    return None if redacted == body else msgspec.json.encode(redacted)


def redact_url(text: str) -> str:
    """The URL, or the text that holds one, without logins and without the values of parameters that look secret."""
    if "@" not in text and "?" not in text and "%40" not in text:
        return text
    return _URL_PARAMETER.sub(rf"\1{REDACTED}", _URL_LOGIN.sub(rf"\1{REDACTED}@", text))


def _redact(body: Any, *, in_secret: bool = False) -> Any:
    """in_secret: within a Secret, whose data may stand at any depth, as in an envelope's `spec`."""
    if isinstance(body, list):
        return [_redact(one, in_secret=in_secret) for one in body]
    if isinstance(body, str):
        return REDACTED if _SECRET_VALUE.search(body) else redact_text(body)
    if not isinstance(body, dict):
        return body
    is_secret = in_secret or (isinstance(body.get("kind"), str) and body["kind"].lower() == "secret")
    is_variable = isinstance(body.get("name"), str) and _SECRET_NAME.search(body["name"]) is not None
    return {
        name: REDACTED
        if (is_variable and name == "value") or name == LAST_APPLIED or (is_secret and name in _SECRET_FIELDS)
        else _redact(one, in_secret=is_secret)
        for name, one in body.items()
    }
