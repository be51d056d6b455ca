"""The version of a server, as servers tell it."""

import pytest

from transforms.model.server_version import is_too_old, parsed


@pytest.mark.parametrize(
    ("said", "version", "too_old"),
    [
        ("Neo4j/5.26.30", (5, 26), False),
        ("Neo4j/5.24.0", (5, 24), False),
        ("Neo4j/5.23.2", (5, 23), True),
        ("Neo4j/5.9.0", (5, 9), True),
        ("Neo4j/4.4.40", (4, 4), True),
        ("Neo4j/2025.01.0", (2025, 1), False),
        ("Neo4j/5.27-aura", (5, 27), False),
        ("Neo4j/dev", None, False),
        ("", None, False),
        ("9" * 5000, None, False),
    ],
)
def test_a_server_too_old_for_the_statements_is_known_by_what_it_says(said: str, version: tuple[int, int] | None, too_old: bool) -> None:
    assert parsed(said) == version
    assert is_too_old(said) is too_old
