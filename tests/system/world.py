"""The world of system tests: that of the fault suite, and what only tests ask of it."""

import base64
from typing import Any

from scripts.world import CHECKOUT, DEADLETTERS, GROUP, World

__all__ = ["CHECKOUT", "DEADLETTERS", "GROUP", "World", "value_of"]


def value_of(letter: dict[str, Any]) -> bytes | None:
    """The original value in a dead letter."""
    return None if letter["value"] is None else base64.b64decode(letter["value"])
