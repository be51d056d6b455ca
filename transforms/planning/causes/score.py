"""How much each object is the cause: what its findings come to, less what others explain of it.

own = 1 - (1 - w1) * (1 - w2/2) * (1 - w3/2)... over the
distinct names of its findings, the greatest first. What explains an object takes most of that
away, unless it has a fault of its own. Who explains more counts a little more. Every step goes over sorted lists, so that equal sets of
findings give equal scores to the last bit.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from transforms.planning.causes.table import Finding

FAULT: Final = 0.5
KIND_OF_EVIDENCE: Final = 0.3
MOST: Final = 0.99
_EXPLAINED: Final = 0.75
_BY_CALLEE: Final = 0.5
_A_MORE: Final = 0.02
_MOST_EXPLAINED: Final = 5
_ROUNDS: Final = 4
ALMOST_CERTAIN: Final = 0.85
LIKELY: Final = 0.6
POSSIBLE: Final = 0.4


class Effect(NamedTuple):
    """cause explains effect. by_call: the effect calls the cause; else it runs on it, or is refused by it.

    via: what lies between them and says nothing, from the cause on.
    """

    cause: str
    effect: str
    by_call: bool
    via: tuple[str, ...] = ()


class Scored(NamedTuple):
    """An object as a cause. own: by its findings alone. fault: the greatest weight of a finding that is no symptom."""

    rid: str
    score: float
    own: float
    fault: float
    findings: tuple[Finding, ...]
    explained_by: tuple[str, ...]


def strength(findings: Iterable[Finding]) -> float:
    """`own`, of the greatest weight of each name."""
    weights: dict[str, float] = {}
    for one in findings:
        weights[one.name] = max(one.weight, weights.get(one.name, 0.0))
    left = 1.0
    for rank, w in enumerate(sorted(weights.values(), reverse=True)):
        left *= 1.0 - (w if rank == 0 else w / 2)
    return 1.0 - left


def score(findings: Iterable[Finding], effects: Iterable[Effect]) -> list[Scored]:
    """Every object with a finding, the likeliest cause first."""
    groups: dict[str, list[Finding]] = {}
    for one in findings:
        groups.setdefault(one.rid, []).append(one)
    own = {rid: strength(held) for rid, held in sorted(groups.items())}
    causal = {rid: strength(one for one in held if not one.kind.is_symptom) for rid, held in sorted(groups.items())}
    fault = {rid: max((one.weight for one in held if not one.kind.is_symptom), default=0.0) for rid, held in groups.items()}
    known = sorted({one for one in effects if one.cause in own and one.effect in own and one.cause != one.effect})
    by_effect: dict[str, list[Effect]] = {}
    by_cause: dict[str, set[str]] = {}
    for edge in known:
        by_effect.setdefault(edge.effect, []).append(edge)
        by_cause.setdefault(edge.cause, set()).add(edge.effect)
    cause = {rid: 0.5 * own[rid] + 0.5 * causal[rid] if fault[rid] < FAULT else own[rid] for rid in own}
    base = dict(cause)
    for _ in range(_ROUNDS):
        cause = {rid: _less(base[rid], fault[rid], by_effect.get(rid, ()), cause) for rid in base}
    found = []
    for rid, value in cause.items():
        more = _A_MORE * min(_MOST_EXPLAINED, len(by_cause.get(rid, ()))) * value
        explained = tuple(one.cause for one in by_effect.get(rid, ()) if cause[one.cause] >= FAULT and fault[rid] < FAULT)
        found.append(Scored(rid, min(MOST, value + more), own[rid], fault[rid], tuple(groups[rid]), explained))
    return sorted(found, key=lambda one: (-round(one.score, 6), one.rid))


def _less(value: float, fault: float, effects: Iterable[Effect], cause: Mapping[str, float]) -> float:
    """What is left of an object once what explains it is taken away."""
    if fault >= FAULT:
        return value
    callee = max((cause[one.cause] for one in effects if one.by_call), default=0.0)
    for one in effects:
        if not one.by_call:
            value *= 1.0 - _EXPLAINED * cause[one.cause]
    return value * (1.0 - _BY_CALLEE * callee) if callee >= FAULT else value


def words(value: float) -> str:
    """A score in words; it is no probability."""
    if value >= ALMOST_CERTAIN:
        return "almost certain"
    if value >= LIKELY:
        return "likely"
    return "possible" if value >= POSSIBLE else "weak"
