"""A mutation less its tenant and version: what a body means, whoever says it and whenever."""

from typing import Any, NamedTuple

from transforms.planning.mutations import Mutation


class Meaning(NamedTuple):
    """The mutation and its values after `client_id` and `ver`."""

    mutation: type[Mutation]
    values: tuple[Any, ...]
