"""A sink that prints, in the place of Kafka."""

import threading
import time

import msgspec
import typer

from transforms.io.kafka.producing import Receipts


class PrintingSink:
    """Prints each record as a line of JSON on standard output; its clock is this machine's. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at_ms: int | None = None

    def write(self, topic: str, key: bytes, value: bytes | None, receipts: Receipts | None = None) -> None:
        shown = {"topic": topic, "key": key.decode(), "value": msgspec.Raw(value) if value else None}
        with self._lock:
            typer.echo(msgspec.json.encode(shown).decode())
            self._at_ms = int(time.time() * 1000)
        if receipts is not None:
            receipts.sent()
            receipts.answered("")

    def time_ms(self, topic: str) -> int | None:
        del topic
        return self._at_ms
