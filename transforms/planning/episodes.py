"""Episodes: what happened, kept by its own identity, and whether its ABOUT relationship stands."""

from dataclasses import dataclass

from transforms.planning.changes import Changes
from transforms.planning.lives import Lives
from transforms.planning.mutations import UpsertEpisode
from transforms.planning.stored import GraphReader, StoredEpisode
from transforms.records.outcomes import Outcome
from transforms.records.record import t_of


@dataclass(slots=True)
class _Episode:
    """An episode as it is stored, and the newer word on it that the batch brought."""

    stored: StoredEpisode | None
    upsert: UpsertEpisode | None = None


class Episodes:
    """The episodes of a tenant as far as a batch concerns them."""

    def __init__(self, reader: GraphReader, lives: Lives) -> None:
        self._reader = reader
        self._lives = lives
        self._episodes: dict[str, _Episode] = {}

    def apply(self, upserts: list[UpsertEpisode]) -> list[tuple[object, Outcome]]:
        """Take in the batch, after the lives have; the outcome of each mutation."""
        stored = self._reader.episodes({one.eid for one in upserts}) if upserts else {}
        subjects = {one.subject for one in upserts} | {other.subject for other in stored.values()}
        self._lives.load(subjects - {""})
        changed = self._lives.changed()
        for other in self._reader.episodes_of_subjects(changed) if changed else []:
            self._episodes[other.eid] = _Episode(other)
        return [(one, self._take(one, stored.get(one.eid))) for one in upserts]

    def _take(self, one: UpsertEpisode, stored: StoredEpisode | None) -> Outcome:
        episode = self._episodes.setdefault(one.eid, _Episode(stored))
        if stored is None:
            episode.upsert = one
            return Outcome.WRITTEN
        if one.ver <= stored.ver:
            return Outcome.UNCHANGED if one.ver == stored.ver else Outcome.SUPERSEDED
        episode.upsert = one
        return Outcome.UNCHANGED if one.digest == stored.digest else Outcome.WRITTEN

    def write(self, changes: Changes) -> None:
        """Add what follows for episodes, their ABOUT relationships and the stubs that these need."""
        for eid, episode in self._episodes.items():
            stored, upsert = episode.stored, episode.upsert
            if upsert and stored and upsert.digest == stored.digest:
                changes.episode_vers[eid] = upsert.ver
            elif upsert:
                changes.episodes[eid] = {**upsert.props, "ver": upsert.ver, "hash": upsert.digest}
            self._write_about(changes, eid, stored, upsert)

    def _write_about(self, changes: Changes, eid: str, stored: StoredEpisode | None, upsert: UpsertEpisode | None) -> None:
        newest = upsert or stored
        if newest is None:
            return
        subject = newest.subject
        stands = subject != "" and t_of(newest.ver) > self._lives.dead_t(subject)
        stood = stored.subject if stored and stored.about else None
        if stood is not None and (stood != subject or not stands):
            changes.about_gone.add((eid, stood))
            changes.pruned.add(stood)
        if stands:
            if stood != subject:
                changes.about.add((eid, subject))
            if not self._lives.is_live(subject):
                changes.stubs.add(subject)
