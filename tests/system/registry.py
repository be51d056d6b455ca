"""A real schema registry beside the stack: Apicurio's, which speaks Confluent's API, with its schemas in memory."""

import fcntl
import json
import shutil
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final

from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient

from runners.local.java import find_java
from runners.local.process import ServiceProcess
from runners.local.service import HOST, await_services

_VERSION: Final = "2.6.13.Final"
_ARTIFACT: Final = f"io.apicurio:apicurio-registry-app:{_VERSION}:tar.gz:all"
_UNPACK: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:unpack"


class Registry:
    """Started anew it has forgotten every schema."""

    def __init__(self, folder: Path, jars: Path, port: int) -> None:
        self.process = ServiceProcess("The schema registry", folder / "registry")
        self.ports = {"port": port}
        self.url = f"http://{HOST}:{port}/apis/ccompat/v7"
        self._app = jars / f"apicurio-{_VERSION}"

    def up(self) -> None:
        self.start()
        await_services([self])

    def start(self) -> None:
        # Workers beside each other share the folder: one of them fetches.
        with self._app.with_name("apicurio.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._app.is_dir():
                self._fetch()
        jar = self._app / f"apicurio-registry-app-{_VERSION}-runner.jar"
        address = (f"-Dquarkus.http.host={HOST}", f"-Dquarkus.http.port={self.ports['port']}")
        self.process.start([find_java(), "-Xmx384m", *address, "-jar", str(jar)])

    def _fetch(self) -> None:
        partial = self._app.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        command = ["mvn", "--quiet", "--batch-mode", _UNPACK, f"-Dartifact={_ARTIFACT}", f"-DoutputDirectory={partial}"]
        done = subprocess.run(command, check=False, cwd=self._app.parent, capture_output=True, text=True)
        assert done.returncode == 0, f"Maven could not fetch {_ARTIFACT}: {(done.stdout + done.stderr)[-600:]}"
        partial.rename(self._app)

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/subjects", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def register(self, subject: str, schema: dict[str, Any], kind: str = "AVRO", *refers_to: tuple[str, str]) -> int:
        """The id of the schema; refers_to: (name, subject) of what is registered already."""
        references = [SchemaReference(name, other, 1) for name, other in refers_to]
        with SchemaRegistryClient({"url": self.url}) as client:
            return int(client.register_schema(subject, Schema(json.dumps(schema), kind, references)))
