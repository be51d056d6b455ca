"""The rules of redaction: what a secret in a text looks like, and what becomes of it. Pure; every pattern is RE2's."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import re2

from transforms.records.redaction.secret_names import SIGNS, is_secret_name
from transforms.records.redaction.url import REDACTED, redact_url, substituted

# What is a secret whatever stands around it. Issuers give their tokens these beginnings so that they can be found.
TOKENS: Final = "|".join(
    (
        r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]{4,}){1,4}\.?",
        r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}",
        r"gh[pousr]_[A-Za-z0-9_]{10,}",
        r"github_pat_[A-Za-z0-9_]{10,}",
        r"xox[a-z]{1,2}-[A-Za-z0-9-]{8,}|xapp-[0-9]-[A-Za-z0-9-]{8,}",
        r"gl(?:pat|ptt|dt|rt|cbt|soat|ft|imt|agent|oas)-[A-Za-z0-9_.-]{10,}",
        r"AIza[A-Za-z0-9_-]{16,}|ya29\.[A-Za-z0-9_-]{16,}|GOCSPX-[A-Za-z0-9_-]{16,}",
        r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9_]{8,}|whsec_[A-Za-z0-9+/=]{16,}",
        r"sk-(?:ant|proj|svcacct|or|admin)-[A-Za-z0-9_-]{16,}|sk-[A-Za-z0-9]{40,}",
        r"npm_[A-Za-z0-9]{20,}|pypi-AgE[A-Za-z0-9_-]{16,}|dckr_(?:pat|oat)_[A-Za-z0-9_-]{16,}|hf_[A-Za-z]{30,}",
        r"hv[sbr]\.[A-Za-z0-9_-]{16,}|shp(?:at|ss|ca|pa)_[a-fA-F0-9]{16,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
        r"AGE-SECRET-KEY-1[A-Za-z0-9]{16,}|do[opr]_v1_[a-f0-9]{16,}|dapi[a-f0-9]{32}|glsa_[A-Za-z0-9_]{16,}",
        r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]{8,}",
    )
)
KEY_BLOCK: Final = r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)"
# The same in base64, as kubeconfigs and Secrets have it; certificates and public keys begin otherwise.
_ENCODED_BLOCK: Final = r"LS0tLS1CRUdJTi[A-Za-z0-9+/_-]+=*"
_PUBLIC: Final = ("LS0tLS1CRUdJTiBDRVJU", "LS0tLS1CRUdJTiBQVUJM", "LS0tLS1CRUdJTiBUUlVTVEVE", "LS0tLS1CRUdJTiBYNTA5")
_URL_SIGNS: Final = (
    r"""(?i)(?:://|%(?:25)*3A%(?:25)*2F%(?:25)*2F|:\\/\\/)[^\s"'<>]*(?:@|%(?:25)*40)|@(?:tcp|udp|unix)\("""
    rf"""|[?&;#][^=&;\s"'<>]*(?:{SIGNS}|key|sig|sign|signature|code|sess|sid|hmac|login|userinfo)[^=&;\s"'<>]*="""
    r"""|%(?:25)*(?:3F|26|3B)[^&;\s"'<>]*%(?:25)*3D"""
)
_SCHEMES: Final = "basic|bearer|digest|negotiate|token|apikey|aws4-hmac-sha256"
_ROOTS: Final = r"(?i:pass|pwd|pswd|secret|token|cred|auth|cookie|conn|dockerc|pw|psk|pat|jwt|dsn|otp|sas|key)"
_NAME: Final = rf"[\w.-]*{_ROOTS}[\w.-]*"
_VALUE: Final = r"""("(?:[^"\\]|\\.)*"?|\\+"[^"\\]*|'[^']*'?|\[[^\]]*\]?|[^\s"'\\,;&)}\]\[]{3,})"""
_BEFORE: Final = r"""(?:^|[\s"'\[,(]|\\[nrt])"""
_BETWEEN: Final = r"""(?:\s+|\\*["']\s*,\s*\\*["'])"""


class Rule(NamedTuple):
    """signs: matches wherever the rule may apply, and costs next to nothing. pattern, replaced: what it finds, and what becomes of that."""

    signs: str
    apply: Callable[[str], str]


def _rule(pattern: str, replaced: Callable[[Any], str], signs: str = "") -> Rule:
    compiled = re2.compile(pattern)
    return Rule(signs or pattern, lambda text: substituted(compiled, replaced, text))


def _gone(_found: Any) -> str:
    return REDACTED


def _block(found: Any) -> str:
    text = str(found.group())
    return text if text.startswith(_PUBLIC) else REDACTED


def _value_gone(found: Any) -> str:
    """Of an argument, a header: the second group goes."""
    opening, value = found.groups()
    return str(found.group()) if is_harmless(value) else f"{opening}{REDACTED}"


def _credentials(found: Any) -> str:
    """Prose may follow the word, as in `basic authentication`: credentials are no lower-case word."""
    opening, value = found.groups()
    is_prose = value[1:].isalpha() and value[1:].islower()
    # What follows may be a flag whose password is redacted already: `bearer -pREDACTED`.
    return str(found.group()) if is_prose or is_harmless(value.removeprefix("-p")) else f"{opening}{REDACTED}"


def _named(found: Any) -> str:
    opening, space, value = found.groups()
    name = opening.strip(" \t\"'\\=:{[(,;&|>\r\n")
    if not is_secret_name(name) or is_harmless(value) or (space and value.lower() in _PROSE and opening.rstrip().endswith(":")):
        return str(found.group())
    quoted = value[: len(value) - len(value.lstrip("\\\"'["))]
    ending = value[-1:] if len(value) > 1 and value[-1:] in "\"']" and quoted else ""
    return f"{opening}{space}{quoted}{REDACTED}{'' if quoted.startswith(chr(92)) else ending}"


def _flag(found: Any) -> str:
    flag, space, value = found.groups()
    is_path = value.startswith(("/", "./"))
    if is_path or is_harmless(value) or not is_secret_name(flag.strip(" \t\"'[,(\r\n-")):
        return str(found.group())
    return f"{flag}{space}{REDACTED}"


def _login(found: Any) -> str:
    opening, user, password = found.groups()
    are_ids = user.isdecimal() and password.isdecimal()
    return str(found.group()) if are_ids or is_harmless(password) else f"{opening}{user}:{REDACTED}"


def _short_flag(found: Any) -> str:
    opening, value = found.groups()
    return f"{opening}{REDACTED}" if is_short_password(value) else str(found.group())


def is_short_password(value: str) -> bool:
    """Whether `-p` and this value are a password, as MySQL's clients take it, and no flag, port or path that begins so."""
    word = value[: next((at for at, letter in enumerate(value) if not letter.isalpha()), len(value))].lower()
    is_flag = f"p{word}".startswith(_FLAGS) and (len(word) == len(value) or value[len(word)] in "-=_.")
    return not (is_flag or is_harmless(value) or value[0] in "/.:-=" or value.replace(":", "").replace("/", "").isdecimal())


# Flags of one dash that begin with p, as programs in Go have them.
_GO_FLAGS: Final = (
    "page param parent parallel partition pass patch path pattern pause peer period persist pid ping pipe pkg platform plugin pod policy "
    "poll pool port prefix print priority process prod profile progress project prom properties property protocol provider proxy prune "
    "public publish pull push"
)
_FLAGS: Final = tuple(_GO_FLAGS.split())
_HARMLESS: Final = frozenset(
    {
        REDACTED,
        "true",
        "false",
        "null",
        "none",
        "nil",
        "yes",
        "no",
        "on",
        "off",
        "enabled",
        "disabled",
        "<nil>",
        "<none>",
        "undefined",
        "[]",
        "{}",
    }
    | set(_SCHEMES.split("|"))
)
_PATH_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789._-/"
# What people write behind `token:` where they speak of one.
_SPOKEN: Final = (
    "cannot could denied does error expected expired failed failure found incorrect invalid malformed missing not rejected required "
    "revoked the post get put timeout unable unauthorized unexpected unknown was wrong"
)
_PROSE: Final = frozenset(_SPOKEN.split())


def is_harmless(value: str) -> bool:
    """Whether the value of a secret's name says nothing, or only where the secret is: `$(DB_PASSWORD)`, `{{ .Values.password }}`."""
    bare = value.strip("\\\"'[]")
    if bare.startswith("/") and bare.count("/") > 1 and not bare.strip(_PATH_LETTERS):
        return True
    return not bare or bare.lower() in _HARMLESS or bare.startswith(("$", "{{", "%(", "<redacted", "***", "xxxx", REDACTED))


STRICT: Final = (
    _rule(KEY_BLOCK, _gone, r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY"),
    _rule(_ENCODED_BLOCK, _block),
    _rule(TOKENS, _gone),
    Rule(_URL_SIGNS, redact_url),
)
FREE: Final = (
    *STRICT,
    _rule(r"""((?i:set-cookie|cookie)\\?["']?\s?:\s?\\?["']?)([^"'\\\r\n]+)""", _value_gone),
    _rule(rf"""((?i:authorization)\\?["']?\s?[:=]\s?\\?["']?(?i:{_SCHEMES})\s+)([^\s"',\\]+)""", _value_gone),
    _rule(r"((?i:bearer|basic)\s+)([A-Za-z0-9._~+/=-]{4,})", _credentials),
    _rule(rf"""({_BEFORE}--?{_NAME})({_BETWEEN})([^\s"',\]\\-][^\s"',\]\\]*)""", _flag),
    _rule(
        rf"""({_BEFORE}(?:-[uU]|--user|--proxy-user|--userpwd|--basic-auth|--creds?)(?:{_BETWEEN}|=)?["']?)([^\s"':,=/]+):([^\s"',\]\\/][^\s"',\]\\]*)""",
        _login,
    ),
    _rule(rf"""({_BEFORE}-p)([^\s"',\])\\]{{4,}})""", _short_flag),
    _rule(
        r"""((?i:sshpass|mongo\w*|mysql\w*|mariadb\w*|redis-cli|docker login|sqlcmd|ldap\w+)\s[^\n|;&]*?-[aPpw]\s+)([^\s"',\]]+)""",
        _value_gone,
    ),
    _rule(rf"((?:^|[^\w.:/-]){_NAME}\\*[\"']?\s?:|{_NAME}\\*[\"']?\s?=>?)(\s?){_VALUE}", _named),
)
