"""The server: one process, pages in threads."""

import signal
import socket
import sys
import threading
from typing import Final

import typer
import uvicorn

from pipelines.console.app import build_app
from pipelines.console.auth import Authenticator
from pipelines.console.guard import RateLimit
from pipelines.console.letters import LetterBook
from pipelines.console.site import SharedAnswers, Site
from transforms.io.dead_letters.reader import DeadLetterReader
from transforms.io.kafka.target import KafkaTarget
from transforms.io.neo4j.target import Neo4jTarget
from transforms.io.views.neo4j_source import Neo4jGraphSource
from transforms.records.dead_letters.selection import LetterPlace

LETTERS_S: Final = 10.0
# Several readers of the same page within this time share one answer; what is live is renewed less often.
SHARED_S: Final = 2.0
_MOST_HEADER_BYTES: Final = 32_768


def serve(
    neo4j: Neo4jTarget,
    letters: tuple[KafkaTarget | None, LetterPlace] | None,
    authenticator: Authenticator,
    *,
    hosts: frozenset[str] | None,
    host: str,
    port: int,
    rate: float,
    query_s: float,
) -> None:
    """Serve until a signal; prints the address once it listens. letters: where dead letters are, None for nowhere."""
    book = None
    if letters is not None:
        target, place = letters
        book = LetterBook(lambda: DeadLetterReader.open(target, place), LETTERS_S)
    source = Neo4jGraphSource(neo4j, query_s)
    threading.Thread(target=source.warm, name="warm", daemon=True).start()
    site = Site(source, book, SharedAnswers(SHARED_S))
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        typer.echo(f"--host {host} --port {port} cannot be listened on ({error.strerror}); choose another port with --port.", err=True)
        sys.exit(1)
    # Uvicorn repeats the signal that ended it for whoever handled it before; to be stopped is how this ends.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    shown = f"[{host}]" if ":" in host else host
    typer.echo(f"Console: http://{shown}:{listening.getsockname()[1]}/")
    config = uvicorn.Config(
        build_app(site, authenticator, RateLimit(rate), hosts),
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        h11_max_incomplete_event_size=_MOST_HEADER_BYTES,
        timeout_graceful_shutdown=5,
    )
    uvicorn.Server(config).run(sockets=[listening])
