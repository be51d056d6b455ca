"""Dead letters by reason and tenant, and one of them whole with its fault marked; secrets stay withheld."""

import shlex
from typing import Any, Final

import msgspec

from pipelines.console.fault_mark import TextLine, marked_json, marked_text
from pipelines.console.fleet import letters_state
from pipelines.console.letters import MOST_OF_EACH
from pipelines.console.objects import letter_row
from pipelines.console.params import BadParameter, NotFound, Params
from pipelines.console.principal import Principal
from pipelines.console.site import Page, Site
from pipelines.deadletters.report import letter_object
from pipelines.output.readable import readable_text
from transforms.io.dead_letters.index import LetterGroup
from transforms.records.dead_letters.letters import Letter
from transforms.records.dead_letters.selection import REASONS, parse_coordinates
from transforms.records.redaction.text import redact_text
from transforms.records.redaction.tree import redact_tree

PARAMETERS: Final = ("tenant", "reason")
ONE_PARAMETERS: Final = ("at",)
LIVE_S: Final = 10


def letters_page(site: Site, principal: Principal, params: Params) -> Page:
    """The groups, and the newest letters of what is asked for."""
    reason, client_id = params.one_of("reason", ("any", *REASONS)), params.text("tenant", 63)
    now = site.letters.now if site.letters else None
    groups = now.groups_of(principal.client_ids) if now else []
    wanted = "" if reason == "any" else reason
    entries = now.entries_of(principal.client_ids, wanted, client_id, 200) if now else []
    shown = [one for one in groups if wanted in ("", one.reason) and client_id in ("", one.client_id)]
    content: dict[str, Any] = {
        "state": letters_state(site),
        "groups": [_group(one) for one in shown],
        "letters": [letter_row(one) for one in entries],
        "number": sum(one.letters for one in shown),
        "tenant": client_id,
        "reason": reason,
        "most_of_each": MOST_OF_EACH,
    }
    more = {"_reasons": ("any", *sorted({one.reason for one in groups})), "_tenants": sorted({one.client_id for one in groups})}
    return Page("letters.html", "Dead letters", content | more, LIVE_S)


def _group(one: LetterGroup) -> dict[str, Any]:
    return one._asdict() | {"example": str(one.example)}


def letter_page(site: Site, principal: Principal, params: Params) -> Page:
    """The letter of the record `at`, such as `state.k8s.resource[2]@1047`; whose it is, the index says before anything is read."""
    at = parse_coordinates(params.text("at", 300))
    if at is None:
        raise BadParameter("The parameter at must be coordinates such as state.k8s.resource[2]@1047.")
    entry = site.letters.now.entry(principal.client_ids, at) if site.letters else None
    posted = site.letters.letter(entry) if site.letters and entry else None
    if entry is None or posted is None:
        raise NotFound
    letter = posted.letter
    # What the letter holds was redacted when it was written; a rule that is newer than the letter counts too.
    told = redact_tree(msgspec.json.decode(msgspec.json.encode(letter_object(posted, 1))))
    content = {
        "letter": told,
        "lines": value_lines(letter),
        "replay": replay_command(letter),
        "show": f"python -m pipelines.deadletters show {shlex.quote(str(at))}",
    }
    return Page("letter.html", str(at), content)


def value_lines(letter: Letter) -> list[TextLine]:
    """The value in lines, its fault marked; nothing where it is withheld or there is none."""
    if letter.withheld or letter.value is None:
        return []
    try:
        decoded = msgspec.json.decode(letter.value)
        return marked_json(msgspec.json.encode(redact_tree(decoded)), letter.detail)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        shown = readable_text(letter.value)
        return marked_text(redact_text(str(shown.value)) if shown.encoding == "text" else str(shown.value), letter.detail)


def replay_command(letter: Letter) -> str:
    """The command that replays letters like this one, once the cause is mended; nothing for lost offsets."""
    if letter.is_gap:
        return ""
    parts = ["python -m pipelines.deadletters replay", f"--reason {shlex.quote(letter.reason)}"]
    parts += [f"--client_id {shlex.quote(letter.client_id)}"] if letter.client_id else []
    return " ".join([*parts, f"--topic {shlex.quote(letter.topic)}"])
