"""Who names topics without reading them names those that are decoded."""

from transforms.records.topic_names import ALL_TOPICS, TOPIC_NAMES
from transforms.records.topics import TOPIC_OF_NAME, TOPICS


def test_the_names_are_those_of_the_table_in_its_order() -> None:
    assert tuple(topic.name for topic in TOPICS) == ALL_TOPICS
    assert TOPIC_OF_NAME.keys() == TOPIC_NAMES
