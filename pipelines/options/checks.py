"""Checks that all settings share; what is wrong is told in one sentence, with exit code 2."""

import re
from collections.abc import Callable
from typing import Final

import typer

from transforms.records.redaction.url import redact_url


def usage_error(sentence: str) -> typer.BadParameter:
    """An error of use: printed in one sentence, exit code 2."""
    return typer.BadParameter(sentence)


def one_of(flag: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise usage_error(f"{flag} is {value!r}; it must be one of {', '.join(allowed)}.")
    return value


def is_on(flag: str, value: str) -> bool:
    """Whether a switch is on; an error of use for another word than on and off."""
    return one_of(flag, value, ("on", "off")) == "on"


def completed(*allowed: str) -> Callable[[str], list[str]]:
    """What a shell completes a flag with that takes one of these."""

    def complete(begun: str) -> list[str]:
        return [one for one in allowed if one.startswith(begun)]

    return complete


def needed(value: str, local: str | None, what: str, flag: str, variable: str) -> str:
    """The value, else the running local stack's, else an error that says how to get either."""
    found = value or local or ""
    if not found:
        raise usage_error(f"No {what} is configured: start the local one with `scripts/stack up`, or name one with {flag} or {variable}.")
    return found


# As Kafka's clients take it: a host or an IPv6 address in brackets, with a port; a protocol may stand before it.
_BROKER: Final = re.compile(r"(?:[A-Za-z_]+://)?(?:\[[0-9A-Fa-f:.%\w]+\]|[^\s:/\[\]]+):[0-9]{1,5}")


def check_brokers(setting: str, text: str) -> str:
    """Brokers, comma-separated; an error of use where one has no port. setting: as it was given."""
    for broker in names(text):
        if not _BROKER.fullmatch(broker):
            raise usage_error(f"{setting} names {redact_url(broker)!r}, which is no host:port; write kafka-1:9092, several with commas.")
    return text


_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def duration_s(flag: str, text: str) -> float:
    """Seconds of a duration such as 90s, 15m, 12h or 30d."""
    number, unit = text[:-1], text[-1:]
    if unit not in _SECONDS or not number.isdecimal():
        raise usage_error(f"{flag} is {text!r}; write a whole number with its unit: 90s, 15m, 12h, 30d.")
    return float(int(number) * _SECONDS[unit])


def names(text: str) -> tuple[str, ...]:
    """A comma-separated list, without blanks and doubles, in its order."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
