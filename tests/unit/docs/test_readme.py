"""The README's sample of the demo is of the records that the demo produces."""

import re
from inspect import signature

from scripts.sampling.__main__ import main as produce_sample
from scripts.sampling.stream import sample_stream
from tests.support.places import CHECKOUT

SAMPLE = (CHECKOUT / "README.md").read_text().partition("<!-- sample output -->")[2].partition("\n```\n")[0]


def _rows() -> dict[str, dict[str, int]]:
    names = re.findall(r"┃ (\w+(?: ┃ +\w+)+) ┃", SAMPLE)[0].replace(" ", "").split("┃")[1:]
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in SAMPLE.splitlines() if line.startswith("│")]
    return {tenant: dict(zip(names, (int(one.replace(",", "")) for one in numbers), strict=True)) for tenant, *numbers in cells}


def test_the_numbers_are_those_of_the_demo_s_sample() -> None:
    demo = (CHECKOUT / "scripts" / "demo").read_text()
    (clusters,) = re.findall(r"^scripts/sample --clusters (\d+)$", demo, re.MULTILINE)
    defaults = {name: one.default for name, one in signature(produce_sample).parameters.items()}
    sample = sample_stream(int(clusters), *(defaults[name] for name in ("resyncs", "seed", "poison_classes")))

    whole = _rows()["all"]

    assert (whole["read"], whole["rejected"]) == (len(sample.records), len(sample.poisons))
    assert f"{len(sample.poisons)} rejected: " in SAMPLE
    assert f"{len(sample.records):,} records in " in SAMPLE


def test_each_row_adds_up() -> None:
    for tenant, row in _rows().items():
        assert row["read"] == sum(row.values()) - row["read"], tenant
