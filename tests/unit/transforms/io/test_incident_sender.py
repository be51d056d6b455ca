"""Messages over HTTP: signed, tried again, and remembered."""

import hashlib
import hmac
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from transforms.io.faults import InfrastructureFault
from transforms.io.incident_sender import SIGNATURE, TIMESTAMP, Sender, keep_sent, read_sent
from transforms.io.secrets import Secret
from transforms.planning.causes.messages import Message, Sent

PROPS = {
    "client_id": "af-10",
    "iid": "a",
    "title": "t",
    "kind": "K",
    "root": "node::n",
    "words": "likely",
    "confidence": 0.9,
    "opened": "o",
}
MESSAGE = Message("af-10:a", "open", False, PROPS)


class Receiver:
    """Answers with the statuses given, one after the other; keeps what came."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.got: list[tuple[dict[str, str], bytes]] = []


@pytest.fixture
def receiver() -> Iterator[tuple[Receiver, str]]:
    held = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            held.got.append((dict(self.headers), body))
            self.send_response(held.statuses.pop(0) if held.statuses else 202)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield held, f"http://127.0.0.1:{server.server_port}/T0K3N"
    server.shutdown()
    thread.join()
    server.server_close()


def sender(url: str, tmp_path: Path, to: str = "webhook") -> Sender:
    key = tmp_path / "key"
    key.write_text("s3cret")
    return Sender(to, url, Secret(file=str(key)), "", wait=lambda _: None)


def test_a_generic_webhook_is_signed_and_the_key_is_not_in_it(receiver: tuple[Receiver, str], tmp_path: Path) -> None:
    held, url = receiver
    sender(url, tmp_path).send(MESSAGE)
    ((headers, body),) = held.got
    expected = hmac.new(b"s3cret", f"{headers[TIMESTAMP]}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers[SIGNATURE] == f"sha256={expected}"
    assert headers["Idempotency-Key"] == "af-10:a:open"
    assert b"s3cret" not in body


def test_a_receiver_that_is_away_for_a_moment_is_tried_again(receiver: tuple[Receiver, str], tmp_path: Path) -> None:
    held, url = receiver
    held.statuses = [503, 429]
    sender(url, tmp_path).send(MESSAGE)
    assert len(held.got) == 3


@pytest.mark.parametrize(("statuses", "tries"), [([400], 1), ([500, 502, 503], 3)])
def test_a_message_that_is_not_taken_is_a_fault_that_shows_no_url(
    receiver: tuple[Receiver, str], tmp_path: Path, statuses: list[int], tries: int
) -> None:
    held, url = receiver
    held.statuses = list(statuses)
    with pytest.raises(InfrastructureFault) as raised:
        sender(url, tmp_path).send(MESSAGE)
    assert len(held.got) == tries
    assert "T0K3N" not in str(raised.value)


def test_only_a_place_with_tls_or_on_this_machine_is_taken(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureFault):
        sender("http://example.com/token", tmp_path)


def test_what_was_sent_is_remembered_and_a_broken_file_is_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "sent.json"
    assert read_sent(file) == {}
    keep_sent(file, {"af-10:a": Sent("open", "x", 1, {"iid": "a"})})
    assert read_sent(file) == {"af-10:a": Sent("open", "x", 1, {"iid": "a"})}
    for broken in ("[]", "{", '{"a": 7}'):
        file.write_text(broken)
        with pytest.raises(InfrastructureFault):
            read_sent(file)
