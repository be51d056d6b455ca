"""Infrastructure faults: what stops a run, in one sentence that says what to do."""

from typing import Final

# A runner may wrap a worker's exception in text of its own; the sentence is found again between these.
_OPEN: Final = "⟦"
_CLOSE: Final = "⟧"
# What a fault says to a run, and what says nothing to a command that commits no offsets.
NOTHING_COMMITTED: Final = "nothing after the last committed offsets counts as done: "


class InfrastructureFault(Exception):
    """Kafka, Neo4j or the Java side cannot be used; nothing of the current slice was committed.

    The message is one sentence that names the thing, what it said and the remedy.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(f"{_OPEN}{sentence}{_CLOSE}")
        self.sentence = sentence

    def __reduce__(self) -> tuple[type["InfrastructureFault"], tuple[str]]:
        return (InfrastructureFault, (self.sentence,))

    def __str__(self) -> str:
        return f"{_OPEN}{self.sentence}{_CLOSE}"


class WrongSetting(InfrastructureFault):
    """A setting cannot be used as it stands, whatever the servers do: a command that it ends exits with 2."""


class LeaseHeldElsewhere(InfrastructureFault):
    """Another run has what the lease is of: to try again would be to fight over it."""


def said_by(error: BaseException) -> str:
    """What an error says, without the marks around an infrastructure fault's sentence."""
    return error.sentence if isinstance(error, InfrastructureFault) else str(error)


def fault_sentence(error: BaseException) -> str | None:
    """The sentence of an infrastructure fault, however a runner wrapped it; None for anything else."""
    for part in str(error).split(_OPEN)[1:]:
        sentence, closed, _ = part.partition(_CLOSE)
        if closed:
            return sentence
    return None


class GraphTooNew(InfrastructureFault):
    """A newer version of the job has changed the graph: no wait mends that."""
