"""What failed is named as pytest takes it."""

import json
from pathlib import Path

from scripts.failed_tests import failed_tests


def test_a_failed_test_is_named_without_the_group_that_it_ran_in_and_those_of_units_are_left_out(tmp_path: Path) -> None:
    failed = [
        "tests/system/test_b.py::test_two[user@host]",
        "tests/system/test_a.py::test_one@flink+secured",
        "tests/unit/test_c.py::test_x",
    ]
    (tmp_path / "lastfailed").write_text(json.dumps(dict.fromkeys(failed, True)))

    found = failed_tests(tmp_path / "lastfailed")

    assert found == ["tests/system/test_a.py::test_one", "tests/system/test_b.py::test_two[user@host]"]
