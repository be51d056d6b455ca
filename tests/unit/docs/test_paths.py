"""Documents name source files that are there: a reader follows such a path to the code that a sentence is about."""

import re
from pathlib import Path

import pytest

from tests.support.places import CHECKOUT

DOCUMENTS = sorted({*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md"), *CHECKOUT.glob("deploy/**/*.md")} - {CHECKOUT / "CHANGELOG.md"})
# A path from the root, or within `transforms`, as the glossary and the decisions write them.
_PATH = re.compile(r"(?<![\w/.])((?:transforms|pipelines|runners|scripts|tests|io|planning|records|steps|model)/[\w/.]+\.py)\b")


def missing_in(text: str) -> list[str]:
    return [path for path in _PATH.findall(text) if not any((root / path).exists() for root in (CHECKOUT, CHECKOUT / "transforms"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_source_file_that_a_document_names_is_there(document: Path) -> None:
    assert not missing_in(document.read_text())


def test_a_path_that_is_not_there_is_found() -> None:
    assert missing_in("see `transforms/model/graph.py`, `model/graph.py` and `model/nothing_of_the_kind.py`") == [
        "model/nothing_of_the_kind.py"
    ]
