"""Whose record is it? The resolution order of the contract, as one ordered table.

A source either names a tenant or does not. Sources that name different tenants make the record a reject; otherwise the
first that may decide, decides; `--single_tenant` is the fallback and never relabels. What a cluster calls itself is no id: it
counts only where nothing else names the tenant, so that a name that two clusters share does harm to neither.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

from transforms.model.identity import looks_like_uid
from transforms.model.kinds import RESERVED_TOKENS
from transforms.records.redaction.text import shown
from transforms.records.rejects import Fault, Reason
from transforms.records.tenancy.directory import EMPTY, Directory

SEPARATOR: Final = "::"
LEGACY_SEPARATOR: Final = "|"
_COLON: Final = ":"
# Beside letters and digits, what people write into names.
_NAME_LIKE: Final = "-_. "
_TENANT_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789.-"
_TENANT_CHARACTERS: Final = 63
# Of the Confluent wire format; the two highest bytes of an id are 0 in every registry there is.
_SCHEMA_PREFIX: Final = "\0\0\0"


ID_RULE: Final = "lower-case letters, digits, dots and hyphens, at most 63, first a letter or digit, and not the name of a kind"


def is_tenant_id(text: str) -> bool:
    """True for a valid tenant id that is not the name of a kind (`node::n1` names no tenant)."""
    # Without a pattern: every key passes here, and of most the left part is nobody's name.
    has_its_form = 0 < len(text) <= _TENANT_CHARACTERS and not text.strip(_TENANT_LETTERS) and text[0] not in ".-"
    return has_its_form and text not in RESERVED_TOKENS


class SplitKey(NamedTuple):
    """A key taken apart: the tenant it names, None if it names none, and what is left."""

    client_id: str | None
    raw: str


class KeyForm(Enum):
    """How a topic's keys name the tenant."""

    PLAIN = "client_id::raw key"
    LEGACY = "client_id::raw key, or with a pipe sign"
    BARE = "client_id"


PLAIN: Final = KeyForm.PLAIN
LEGACY: Final = KeyForm.LEGACY
BARE: Final = KeyForm.BARE
_SEPARATORS: Final = {PLAIN: (SEPARATOR,), LEGACY: (SEPARATOR, LEGACY_SEPARATOR)}


def split_key(key: str, form: KeyForm = PLAIN) -> SplitKey:
    """Take the tenant off a key; a key whose left part is no tenant id is a raw key as a whole.

    form: LEGACY also splits at the first pipe sign, only for topics that the operator listed. A BARE key is the tenant,
    whatever it is: whether it is a valid one is for resolution to say.
    """
    if form is BARE:
        client_id, _, raw = key.partition(SEPARATOR)
        return SplitKey(client_id or None, raw)
    for separator in _SEPARATORS[form]:
        left, found, right = key.partition(separator)
        if found and is_tenant_id(left):
            return SplitKey(left, right)
    return SplitKey(None, key)


def may_name_kind(key: SplitKey) -> bool:
    """True where the text left of `::` may be a custom kind, and the whole the key of a cluster-scoped object (`nodepool::default`).

    Right of it is then a name alone; after a tenant comes a kind, with a colon, or a uid.
    """
    if key.client_id is None or ":" in key.raw or not key.raw or looks_like_uid(key.raw):
        return False
    name, dot, group = key.client_id.partition(".")
    return name.isascii() and name.isalnum() and name.islower() and name[0].isalpha() and bool(group) == bool(dot)


def whole_key(key: SplitKey) -> SplitKey:
    """The key as one that names no tenant."""
    return key if key.client_id is None else SplitKey(None, f"{key.client_id}{SEPARATOR}{key.raw}")


class Claims(NamedTuple):
    """What the parts of one record say of its tenant; None where a part says nothing. cluster: what its cluster is called.

    hint: what may be the tenant or an application's own word; it counts where nothing else names one, and it is registered.
    """

    key: str | None = None
    topic: str | None = None
    header: str | None = None
    body: str | None = None
    cluster: str | None = None
    hint: str | None = None

    @property
    def outside(self) -> tuple[str, ...]:
        """What is said without the body, in the order of its weight."""
        return tuple(one for one in (self.key, self.topic, self.header) if one is not None)


@dataclass(frozen=True, slots=True)
class TenantRules:
    """The run's settings for resolution.

    client_id: single-tenant mode, "" for all tenants.
    allow, deny: shell patterns (`af-*`) of the tenants that are taken in; without `allow`, all that `deny` leaves.
    new_per_hour: how many tenants that nobody registered may appear in an hour; 0 for any number.
    only: the records of all others are passed over; empty for all tenants. Unlike `client_id` it gives no record a tenant.
    """

    client_id: str = ""
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    new_per_hour: int = 0
    only: frozenset[str] = frozenset()

    def passes_over(self, client_id: str | None) -> bool:
        """Whether a record of that tenant, None for none that is known, is not asked for."""
        return bool(self.only) and client_id not in self.only

    def admits(self, client_id: str) -> bool:
        """Whether the operator wants the tenant's records."""
        if any(fnmatchcase(client_id, pattern) for pattern in self.deny):
            return False
        return not self.allow or any(fnmatchcase(client_id, pattern) for pattern in self.allow)


@dataclass(frozen=True, slots=True)
class Source:
    """A place that may name the tenant, and whether its word may decide."""

    name: str
    names: Callable[[Claims], str | None]
    decides: Callable[[str, Directory], bool]


def _always(_client_id: str, _directory: Directory) -> bool:
    return True


def _where_registered(client_id: str, directory: Directory) -> bool:
    return client_id in directory.registered


# In the order of the contract; the name of the cluster comes after all of them, and `--single_tenant` last.
SOURCES: Final = (
    Source("key", lambda claims: claims.key, _always),
    Source("topic", lambda claims: claims.topic, _always),
    Source("header", lambda claims: claims.header, _always),
    Source("body", lambda claims: claims.body, _where_registered),
)


def resolve_tenant(claims: Claims, rules: TenantRules, directory: Directory = EMPTY) -> str | None:
    """The record's tenant; None when single-tenant mode skips it as another's.

    directory: what is known of all tenants.
    Raises Fault: `tenant_mismatch` when two sources disagree, `tenant_invalid` when one names no valid id,
    `tenant_missing` when nothing decides.
    """
    named = [(source, client_id) for source in SOURCES if (client_id := source.names(claims)) is not None]
    for source, client_id in named:
        if not is_tenant_id(client_id):
            raise Fault(Reason.TENANT_INVALID, f"the {source.name} names the tenant {shown(client_id)}, which is not a valid id: {ID_RULE}")
    if len({client_id for _, client_id in named}) > 1:
        said = ", ".join(f"the {source.name} says {client_id!r}" for source, client_id in named)
        raise Fault(Reason.TENANT_MISMATCH, f"{said}; a record belongs to one tenant")
    called = None if named else claims.hint if claims.hint in directory.registered else directory.called(claims.cluster)
    if rules.client_id:
        is_others = any(client_id != rules.client_id for _, client_id in named) or called not in (None, rules.client_id)
        return None if is_others else rules.client_id
    for source, client_id in named:
        if source.decides(client_id, directory):
            return client_id
    if called is not None:
        return called
    raise Fault(Reason.TENANT_MISSING, _missing(claims))


def _missing(claims: Claims) -> str:
    remedy = "produce with keys `client_id::raw key`, or run with --single_tenant"
    if claims.body is not None:
        return f"only the body names the tenant, {shown(claims.body)}, which is not registered: register it, {remedy}"
    return f"neither key, topic, header nor registry names the tenant; {remedy}"


def invalid_id(key: str) -> str:
    """Why the tenant that a key names with `::` is no valid one; "" where it names none.

    Raw keys may hold `::` further on, as the id of a relationship with a cluster-scoped end does: what is left of it is then no name.
    """
    left, found, _ = key.partition(SEPARATOR)
    if not found or key.startswith(_SCHEMA_PREFIX) or left.startswith(('"', "'")) or left.lower() in RESERVED_TOKENS:
        return ""
    if not all(one.isalnum() or one in _NAME_LIKE for one in left):
        return ""
    return f"the key names the tenant {shown(left)}, which is not a valid id: {ID_RULE}"


def key_fault(key: str) -> str:
    """Why a key names no tenant, though it looks as if it should; "" for one that does not."""
    if key.startswith(_SCHEMA_PREFIX):
        return "the key begins with the id of a schema; write keys as plain text (a string serializer)"
    left, found, raw = key.partition(SEPARATOR)
    if found and left.startswith(('"', "'")):
        return f"the key is in quotes, {shown(left)}; write keys as plain text, not as JSON"
    if found:
        # What is right of the separator is an object's key; else the separator may be a part of a raw key.
        is_meant = raw.partition(_COLON)[0].lower() in RESERVED_TOKENS and left.lower() not in RESERVED_TOKENS
        return f"the key's left part {shown(left)} is not a valid tenant id: {ID_RULE}" if is_meant else ""
    if is_tenant_id(key.partition(LEGACY_SEPARATOR)[0]) and LEGACY_SEPARATOR in key:
        return f"the key separates with a pipe sign; list its topic in --legacy_separator_topics, or write {SEPARATOR}"
    return _single_colon(key)


def _single_colon(key: str) -> str:
    """A hint for `tenant:kind:ns:name`; a raw key begins with the kind, and has two colons at most."""
    left, _, raw = key.partition(_COLON)
    is_one = is_tenant_id(left) and (raw.partition(_COLON)[0].lower() in RESERVED_TOKENS or raw.count(_COLON) > 1)
    return f"a single colon follows {shown(left)}; if that is the tenant, write two: `{left}{SEPARATOR}…`" if is_one else ""


class TenantResolver:
    """Resolves the records of one bundle: by the rules, by what is known of all tenants, and with a limit on new ones.

    Claims come again and again; what was worked out for one is remembered.
    """

    def __init__(self, rules: TenantRules, directory: Directory = EMPTY) -> None:
        self.rules = rules
        self.directory = directory
        self.latest = directory.latest
        self._found: dict[Claims, str | Fault | None] = {}
        self._new: set[str] = set()
        self._let_in: set[str] = set()

    def resolve(self, claims: Claims) -> str | None:
        """As `resolve_tenant`; raises Fault also for a tenant that is not wanted, or one too many."""
        try:
            found = self._found[claims]
        except KeyError:
            found = self._found[claims] = self._work_out(claims)
        if isinstance(found, Fault):
            raise found.with_traceback(None)
        return found

    def knows(self, client_id: str) -> bool:
        """Whether the tenant is one that the graph has, or that was let in; any other is a name that anybody can invent."""
        directory = self.directory
        return (
            client_id in directory.known
            or client_id in directory.registered
            or client_id in self._let_in
            or client_id == self.rules.client_id
        )

    def _work_out(self, claims: Claims) -> str | Fault | None:
        try:
            client_id = resolve_tenant(claims, self.rules, self.directory)
            if self.rules.passes_over(client_id):
                return None
            if client_id is not None:
                self._admit(client_id)
                self._let_in.add(client_id)
        except Fault as fault:
            return fault.alone()
        return client_id

    def _admit(self, client_id: str) -> None:
        if not self.rules.admits(client_id):
            said = f"the tenant {client_id!r} is not among those that --allow_tenants and --deny_tenants let in"
            raise Fault(Reason.TENANT_DENIED, f"{said}; change them and replay the dead letters, or stop its agents")
        directory = self.directory
        if client_id in directory.known or client_id in directory.registered or client_id in self._new or not self.rules.new_per_hour:
            return
        if directory.new_within_hour + len(self._new) >= self.rules.new_per_hour:
            said = (
                f"{client_id!r} would be a new tenant, and {self.rules.new_per_hour} have appeared within the hour (--new_tenants_per_hour)"
            )
            raise Fault(Reason.TENANT_QUOTA, f"{said}; register it or raise the limit, then replay the dead letters")
        self._new.add(client_id)
