"""A mutation less its tenant and version: what a body means, whoever says it and whenever."""

from typing import Any, NamedTuple

from transforms.planning.facts.mutations import Mutation


class MutationTemplate(NamedTuple):
    """The mutation and its values after `client_id` and `ver`; `also` is what the body means besides."""

    mutation: type[Mutation]
    values: tuple[Any, ...]
    also: "tuple[MutationTemplate, ...]" = ()

    def said(self, client_id: str, ver: str) -> tuple[Mutation, ...]:
        """The mutations, the primary one first."""
        first = self.mutation(client_id, ver, *self.values)
        return (first, *(one.mutation(client_id, ver, *one.values) for one in self.also)) if self.also else (first,)
