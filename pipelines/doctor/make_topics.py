"""`doctor --create_topics`: the topics that are missing, made before the doctor looks at them."""

from pipelines.output.command import say
from runners.doctor.doctor import Subject
from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.make_topics import Made, make_topics, topics_wanted
from transforms.records.tenancy.routes import route_of
from transforms.records.topic_names import TOPIC_NAMES

_PARTITIONS = 4


def make_missing(subject: Subject) -> None:
    """Make them and say so on stderr; what Kafka refuses or does not answer, the checks tell of."""
    known = [name for name in subject.topics if route_of(name, subject.patterns, TOPIC_NAMES).topic in TOPIC_NAMES]
    wanted = topics_wanted(known, "" if subject.letters.path else subject.letters.topic, _PARTITIONS, patterns=subject.patterns)
    try:
        found = make_topics(subject.kafka, wanted)
    except InfrastructureFault:
        return
    for one in found:
        if one.made is not Made.EXISTS:
            say(f"topic {one.name}: {one.made.value}{f' ({one.said})' if one.said else ''}")
