"""From what a person types to a query of the full-text index; no character of it has a meaning there but its own."""

import re
from collections.abc import Collection
from typing import Final

from transforms.model.graph import TENANT_KEY
from transforms.model.schema import RESOURCE_TEXT

MOST_WORDS: Final = 5
MOST_CHARACTERS: Final = 128
LEAST_CHARACTERS: Final = 2
SEARCHED: Final = tuple(name for name in RESOURCE_TEXT.properties if name != TENANT_KEY)
# Addresses and uids are looked for by how they begin: each is another, so that to look into all of them costs twice as much as all else.
BEGINNINGS: Final = ("pod_ip", "service_ips", "uid")
_SPECIAL: Final = re.compile(r"""([+\-&|!(){}\[\]^"~*?:\\/<>=@#.,;'`%$])""")


def search_words(typed: str) -> list[str]:
    """The words to look for: each must be part of a name, namespace, label or image of the object, or begin an address or uid of it.

    At most five, of two characters or more each; none where there is nothing to look for.
    """
    words = typed[:MOST_CHARACTERS].split()
    return [word for word in dict.fromkeys(words) if len(word) >= LEAST_CHARACTERS][:MOST_WORDS]


def search_text(client_ids: Collection[str] | None, words: Collection[str]) -> str:
    """The query: all of the words, within the tenants. Names of Kubernetes are in lower case, labels as they are."""
    parts = [_any_of(word) for word in words]
    if client_ids is not None:
        parts.insert(0, "(" + " OR ".join(f"{TENANT_KEY}:{_escaped(one)}" for one in sorted(client_ids)) + ")")
    return " AND ".join(parts)


def _any_of(word: str) -> str:
    # A whole name counts more than the beginning of one, and that more than a part.
    forms = dict.fromkeys((_escaped(word), _escaped(word.lower())))
    found = [f"name:{form}^8" for form in forms]
    found += [f"name:{form}*^4" for form in forms]
    found += [f"{name}:{'' if name in BEGINNINGS else '*'}{form}*" for name in SEARCHED for form in forms]
    return "(" + " OR ".join(found) + ")"


def _escaped(word: str) -> str:
    return _SPECIAL.sub(r"\\\1", word)
