"""How well causes are found: by case, by category, and without each of the rules."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from scripts.scoring.cases import Case
from scripts.scoring.labels import RIGHT
from transforms.planning.causes.explain import kind_of, leading
from transforms.planning.causes.incidents import Analysis, analyse
from transforms.planning.causes.world import Rows

_WITHIN = (1, 3, 5)


class Found(NamedTuple):
    """What was found of a case. rank: of the right object among all, from 1; 0 where it is not among them.

    is_first: the first incident's root is right. has_type: the first object is right, and so is its leading finding.
    why: of a miss, what came first instead. names: of all findings.
    """

    case: Case
    rank: int
    incidents: int
    is_first: bool
    has_type: bool
    leading: str
    why: str
    names: frozenset[str] = frozenset()


def measure(case: Case, client_id: str, rows: Rows, without: Collection[str] = ()) -> Found:
    """What the analysis finds of the case."""
    return measured(case, analyse(client_id, rows, without))


def measured(case: Case, analysis: Analysis) -> Found:
    """What an analysis found of the case."""
    scored = analysis.scored
    rank = next((at for at, one in enumerate(scored, 1) if one.rid in case.right), 0)
    lead = leading(scored[0]).name if scored else ""
    first = analysis.incidents[0] if analysis.incidents else None
    is_first = first is not None and first.root.rid in case.right
    has_type = rank == 1 and lead in RIGHT.get(case.cause, ())
    why = "" if rank == 1 else f"{scored[0].rid} ({lead} {scored[0].score:.2f})" if scored else "nothing was found"
    if case.right and rank == 1 and not has_type:
        why = f"{lead} in place of {', '.join(RIGHT.get(case.cause, ('an unknown cause',)))}"
    if not case.right and first is not None:
        why = f"{first.root.rid} ({kind_of(first)})"
    names = frozenset(one.name for one in analysis.findings)
    return Found(case, rank, len(analysis.incidents), is_first, has_type, lead, why, names)


def figures(found: Sequence[Found]) -> dict[str, Any]:
    """The shares of a set of cases, to three digits."""
    if not found:
        return {"cases": 0}
    number = len(found)
    within = {f"A@{most}": _share(sum(0 < one.rank <= most for one in found), number) for most in _WITHIN}
    return {
        "cases": number,
        **within,
        "MRR": _share(sum(1 / one.rank for one in found if one.rank), number),
        "type": _share(sum(one.has_type for one in found), number),
        "first_incident": _share(sum(one.is_first for one in found), number),
        "incidents": _share(sum(one.incidents for one in found), number),
    }


def _share(part: float, whole: int) -> float:
    return round(part / whole, 3)


def by_category(found: Iterable[Found]) -> dict[str, dict[str, Any]]:
    groups: dict[str, list[Found]] = {}
    for one in found:
        groups.setdefault(one.case.category, []).append(one)
    return {name: figures(groups[name]) for name in sorted(groups)}


def without_own_rule(held: Sequence[tuple[Case, str, Rows]], found: Sequence[Found]) -> list[Found]:
    """Each case without the rule that found its cause."""
    return [measure(case, client_id, rows, (one.leading,)) for (case, client_id, rows), one in zip(held, found, strict=True)]


def mean_without_each(held: Sequence[tuple[Case, str, Rows]], found: Sequence[Found]) -> dict[str, dict[str, Any]]:
    """All cases without one rule, for each rule that any of them names as the cause, and the mean over these rules.

    Left out of a case in which it is no finding, a rule changes nothing; such a case is not analysed again.
    """
    rows: dict[str, dict[str, Any]] = {}
    for name in sorted({one.leading for one in found if one.leading}):
        again = [
            measure(case, client_id, held_rows, (name,)) if name in one.names else one
            for (case, client_id, held_rows), one in zip(held, found, strict=True)
        ]
        rows[f"without {name}"] = figures(again)
    shares = ("A@1", "A@3", "A@5", "MRR", "type", "first_incident", "incidents")
    mean = {share: _share(sum(row[share] for row in rows.values()), len(rows)) for share in shares} if rows else {}
    return rows | {"mean without each": {"cases": len(found), **mean}}
