"""What a page is asked for, checked; a wrong value is named, with what it may be."""

from collections.abc import Sequence
from typing import Final

from starlette.datastructures import QueryParams

MOST_TEXT: Final = 1_200


class BadParameter(ValueError):
    """A parameter that cannot be used; the message says which and what it may be, in one sentence."""


class NotFound(Exception):
    """There is no such thing, or it is not the reader's to see: nobody can tell which."""


class Params:
    """The query of an address. known: the parameters that the page has; another one is an error, as a wrong value is."""

    def __init__(self, query: QueryParams, known: Sequence[str]) -> None:
        self._query = query
        for name in query:
            if name not in known:
                raise BadParameter(f"The parameter {name[:60]!r} is unknown here; the page has {', '.join(known) or 'none'}.")

    def text(self, name: str, most: int = MOST_TEXT) -> str:
        value = self._query.get(name, "")
        if len(value) > most or "\0" in value:
            raise BadParameter(f"The parameter {name} must be text of at most {most} characters.")
        return value

    def one_of(self, name: str, allowed: Sequence[str]) -> str:
        """One of the allowed; the first of them where nothing is said."""
        value = self._query.get(name) or allowed[0]
        if value not in allowed:
            raise BadParameter(f"The parameter {name} must be one of {', '.join(allowed)}.")
        return value

    def some_of(self, name: str, allowed: Sequence[str]) -> tuple[str, ...]:
        """Some of the allowed, in their order, given repeatedly; none where nothing is said."""
        values = self.texts(name)
        wrong = [value for value in values if value not in allowed]
        if wrong:
            raise BadParameter(f"The parameter {name} must be some of {', '.join(allowed)}.")
        return tuple(one for one in allowed if one in values)

    def texts(self, name: str, most: int = 100) -> tuple[str, ...]:
        values = tuple(dict.fromkeys(value for value in self._query.getlist(name) if value))
        if len(values) > most or any(len(value) > MOST_TEXT or "\0" in value for value in values):
            raise BadParameter(f"The parameter {name} may be given at most {most} times, with at most {MOST_TEXT} characters each.")
        return values

    def number(self, name: str, default: int, least: int, most: int) -> int:
        value = self._query.get(name, "")
        if not value:
            return default
        if not (value.isascii() and value.isdigit() and len(value) <= 9 and least <= int(value) <= most):  # noqa: PLR2004
            raise BadParameter(f"The parameter {name} must be a whole number from {least} to {most}.")
        return int(value)
