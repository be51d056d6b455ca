"""An empty list of incidents says whether open ones are only too old for it."""

import pytest

from pipelines.incidents.list import none_found


@pytest.mark.parametrize(
    ("older", "said"),
    [
        (0, "No incident (open, within 7d)."),
        (1, "No incident (open, within 7d). 1 older one is open; a longer --since, such as 3650d, lists it."),
        (3, "No incident (open, within 7d). 3 older ones are open; a longer --since, such as 3650d, lists them."),
    ],
)
def test_open_incidents_that_are_older_are_counted(older: int, said: str) -> None:
    assert none_found("open", "7d", older) == said
