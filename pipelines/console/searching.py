"""Search over all tenants that the reader may see."""

from typing import Any, Final

from pipelines.console.params import Params
from pipelines.console.principal import Principal
from pipelines.console.site import Page, Site
from transforms.planning.views.search_text import LEAST_CHARACTERS, search_words
from transforms.planning.views.source import Hit

PARAMETERS: Final = ("q", "tenant")
MOST_HITS: Final = 100


def search_page(site: Site, principal: Principal, params: Params) -> Page:
    """The objects of which each word of `q` is a part of name, namespace, label or image, or begins an address or uid."""
    q, client_id = params.text("q", 128).strip(), params.text("tenant", 63).strip()
    words = search_words(q)
    allowed = principal.client_ids
    if client_id:
        allowed = frozenset({client_id} if principal.may_see(client_id) else ())
    hits = site.source.search(allowed, words, MOST_HITS + 1) if words and (allowed is None or allowed) else []
    content: dict[str, Any] = {
        "q": q,
        "tenant": client_id,
        "words": words,
        "hits": [_hit(one, words) for one in hits[:MOST_HITS]],
        "truncated": len(hits) > MOST_HITS,
    }
    return Page("search.html", f"Search: {q}" if q else "Search", content | {"_least": LEAST_CHARACTERS})


def _hit(one: Hit, words: list[str]) -> dict[str, Any]:
    """A hit with what of it matched beside its name."""
    matching = [text for text in one.texts if any(word.lower() in text.lower() for word in words)]
    return {"client_id": one.client_id, "object": one.object, "matched": matching[:4]}
