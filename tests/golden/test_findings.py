"""The documentation of the findings is what their table says."""

from scripts.findings_doc import document
from tests.support.places import CHECKOUT
from transforms.planning.causes.table import CONSEQUENCES, FINDINGS, KIND_OF_NAME


def test_the_documentation_is_what_the_table_says() -> None:
    assert (CHECKOUT / "docs" / "findings.md").read_text() == "\n".join(document()) + "\n"


def test_each_finding_is_declared_once_and_says_what_to_do() -> None:
    assert len(KIND_OF_NAME) == len(FINDINGS)
    assert all(0 < one.weight < 1 and one.when and one.says for one in FINDINGS)
    assert all(one.do for one in FINDINGS if not one.is_symptom)
    assert set(KIND_OF_NAME) >= CONSEQUENCES
