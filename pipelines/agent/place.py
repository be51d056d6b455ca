"""Whose records are written, and where to."""

from typing import NamedTuple

from transforms.io.kafka.producing import Receipts, RecordSink
from transforms.records.agent.keys import topic_of


class Place(NamedTuple):
    """A tenant's topics. per_cluster: they are the tenant's own."""

    client_id: str
    sink: RecordSink
    per_cluster: bool = False

    def write(self, topic: str, key: bytes, value: bytes | None, receipts: Receipts | None = None) -> None:
        self.sink.write(topic_of(topic, self.client_id, per_cluster=self.per_cluster), key, value, receipts)

    def time_ms(self, topic: str) -> int | None:
        """The latest time that the broker gave a record of the topic."""
        return self.sink.time_ms(topic_of(topic, self.client_id, per_cluster=self.per_cluster))
