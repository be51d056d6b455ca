"""Which names are names of secrets: of fields, environment variables, parameters and flags. Pure.

What a name ends in decides: `db_password` and `ENCRYPTION_KEY` are secrets, `secretName`, `tokenReviews` and `imagePullSecrets` are not.
"""

from functools import lru_cache
from typing import Final

# What a key is called that opens something; `key` alone names many harmless things.
_OPENERS: Final = (
    "access account admin aes api app application auth client consumer crypto db decryption deploy ecdsa encrypt encryption enrollment "
    "function hmac host ingest ingestion integration jwt kms license master private registration root routing rsa sas secret server "
    "service session shared sign signature signing ssh ssl storage subscription tls token user webhook"
)
_KEYS: Final = tuple(_OPENERS.split())
# Whole, or at the end of a longer word: `PGPASSWORD`, `clientsecret`.
_ENDINGS: Final = (
    *("password", "passwords", "passwd", "passphrase", "passphrases", "passcode", "passwort", "pwd", "pswd"),
    *("secret", "token", "tokens", "credential", "credentials", "creds", "authorization", "cookie", "cookies"),
    *("connectionstring", "connstr", "accesskeyid", "clientkeydata", "dockerconfigjson", "dockercfg"),
    *(f"{one}key" for one in _KEYS),
    *(f"{one}keys" for one in ("api", "access", "private", "secret", "encryption", "signing", "ssh")),
)
# Only as a word of their own: `DB_PASS`, and not `bypass`.
_WORDS: Final = frozenset({"pass", "pw", "auth", "cred", "psk", "pat", "jwt", "dsn", "otp", "totp", "sas", "htpasswd"})
# What may follow and changes nothing: `password_value`, `TOKEN_1`.
_TRAILERS: Final = ("value", "plain", "plaintext", "text", "string", "base64", "b64", "raw", "old", "new", "current", "previous", "hash")
# Names of objects and of lists of them (`secrets` most of all), which Kubernetes and charts call so.
_HARMLESS: Final = ("pullsecret", "pullsecrets", "automountserviceaccounttoken", "nexttoken", "pagetoken", "continuetoken")
# In a URL these alone are secrets, too.
_PARAMETERS: Final = frozenset({"key", "sig", "sign", "signature", "code", "session", "sessionid", "sid", "hmac", "login", "userinfo"})
_LONGEST: Final = 128
_DIGITS: Final = "0123456789"

# One pattern of RE2's that finds every name above, and some more: for whoever looks whether a text may hold any.
_SHORT: Final = "pw|psk|pat|jwt|dsn|otp|totp|sas"
SIGNS: Final = (
    r"(?i:pass|pwd|pswd|secret|token|cred|auth|cookie|htpasswd|connectionstring|connstr|dockerconfigjson|dockercfg"
    rf"|(?:{'|'.join(_KEYS)})[^a-z]{{0,2}}key|(?:^|[^a-z])(?:{_SHORT})(?:[^a-z]|$))"
    rf"|[a-z0-9](?:{'|'.join(one.capitalize() for one in _SHORT.split('|'))}|{_SHORT.upper()})(?:[^a-z]|$)"
)


@lru_cache(maxsize=16 * 1024)
def is_secret_name(name: str) -> bool:
    """Whether what is called so is a secret by its name. Of a long name its end counts."""
    words = _words(name[-_LONGEST:])
    while len(words) > 1 and words[-1].isdecimal():
        words.pop()
    if words and words[-1].rstrip(_DIGITS) in _WORDS:
        return True
    whole = "".join(words).rstrip(_DIGITS)
    if whole.endswith(_ENDINGS):
        return not whole.endswith(_HARMLESS)
    while len(words) > 1 and (words[-1].isdecimal() or words[-1] in _TRAILERS):
        words.pop()
    return "".join(words).rstrip(_DIGITS).endswith(_ENDINGS)


def is_password_name(name: str) -> bool:
    """Whether even a number that is called so is a secret."""
    return is_secret_name(name) and any(part in name.lower() for part in ("pass", "pwd", "pswd", "pin"))


def is_secret_parameter(name: str) -> bool:
    """Whether a parameter of a URL that is called so is a secret: `sig`, `api-key`, `X-Amz-Signature`."""
    words = _words(name[-_LONGEST:])
    return is_secret_name(name) or (bool(words) and (words[-1] in _PARAMETERS or "".join(words[-2:]) in _PARAMETERS))


def _words(name: str) -> list[str]:
    """The name's words in lower case, whether it is written in camel case or with signs between them."""
    words, word, before = [], "", ""
    for letter in name:
        begins = letter.isupper() and (before.islower() or before.isdecimal())
        if (not letter.isalnum() or begins) and word:
            words.append(word)
            word = ""
        if letter.isalnum():
            word += letter.lower()
        before = letter
    return [*words, word] if word else words
