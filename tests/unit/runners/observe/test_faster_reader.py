"""A run that has much to read with the connector says once that another reader is faster."""

from structlog.testing import capture_logs

from runners.observe.faster_reader import FasterReader
from transforms.steps.readers import MUCH


def test_it_is_said_once_and_only_where_there_is_much() -> None:
    one = FasterReader()
    with capture_logs() as logs:
        one.planned({("t", 0): MUCH - 1})
        assert logs == []
        one.planned({("t", 0): MUCH - 1, ("t", 1): 1})
        one.planned({("t", 0): 10 * MUCH})

    (said,) = logs
    assert (said["event"], said["offsets"]) == ("a faster reader is there", MUCH)
    assert "--kafka_reader=bounded" in said["detail"]
