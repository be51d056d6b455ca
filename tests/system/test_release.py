"""The wheel works where nothing else of the checkout is: installed on its own, run from an empty folder, against real servers."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import pytest

from runners.local.stack import LocalStack
from scripts.sampling.in_memory import expected_digests
from scripts.sampling.stream import sample_stream
from scripts.world import Process
from tests.system.world import CHECKOUT, World


def uv() -> str:
    """What made this environment; its cache holds every package, so that nothing is downloaded again."""
    return shutil.which("uv") or str(CHECKOUT / ".uv" / "bin" / "uv")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the source distribution, as a release is."""
    into = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(into), str(CHECKOUT)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (found,) = into.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the wheel, what it asks for, and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    python = folder / "bin" / "python"
    subprocess.run([uv(), "venv", "--quiet", "--python", sys.executable, str(folder), "--clear"], check=True)
    asked = ["--python", str(python), "--constraint", str(CHECKOUT / "requirements.lock"), f"graph-build @ {wheel.as_uri()}"]
    subprocess.run([uv(), "pip", "install", "--quiet", "--compile-bytecode", *asked], check=True)
    return python


@pytest.fixture
def world(stack: LocalStack, installed: Path, tmp_path: Path) -> Iterator[World]:
    """As ever, but commands are those of the wheel, begun in an empty folder, and know no checkout."""

    def launch(module: str, arguments: Sequence[str], environment: dict[str, str], stderr: int | IO[str]) -> Process:
        password = stack.neo4j.password_file
        named = {"KAFKA_BROKERS": stack.kafka.brokers, "NEO4J_URI": stack.neo4j.uri, "NEO4J_PASSWORD_FILE": str(password)}
        kept = {name: value for name, value in environment.items() if name not in ("GRAPH_STACK_DIR", "PYTHONPATH", "VIRTUAL_ENV")}
        command = [str(installed), "-m", module, *arguments]
        return subprocess.Popen(command, cwd=tmp_path, env=kept | named, text=True, stdout=subprocess.PIPE, stderr=stderr)

    world = World(stack, launch)
    world.clear()
    yield world
    world.close()


def test_the_wheel_holds_the_packages_and_no_test_script_or_compiled_file(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    packages = {"pipelines", "runners", "transforms", f"{wheel.name.rsplit('-', 3)[0]}.dist-info"}

    assert {name.partition("/")[0] for name in names} == packages
    assert not [name for name in names if name.endswith((".pyc", ".jar", ".log"))]
    assert {"runners/java/beam-kafka/pom.xml", "runners/java/beam-kafka/jars.sha256"} <= {*names}


def test_nothing_of_the_checkout_is_imported(installed: Path, tmp_path: Path) -> None:
    shown = "import pipelines, runners, transforms; print(pipelines.__file__, runners.__file__, transforms.__file__)"
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([installed, "-c", shown], cwd=tmp_path, env=clean, check=True, capture_output=True, text=True)

    assert all(path.startswith(str(installed.parents[1])) for path in done.stdout.split())


def test_the_doctor_the_job_and_tenants_run_from_the_wheel(world: World) -> None:
    stream = sample_stream(2, 1, 3, 0)
    world.produce(stream.records)

    checks = json.loads(world.run("pipelines.doctor", "--kafka_reader=bounded", "--json").stdout)
    report = world.run_job()
    tenants = json.loads(world.run("pipelines.tenants", "list", "--json").stdout)

    assert checks["status"] != "failed"
    assert report["read"] == len(stream.records) > 0
    assert world.digests() == expected_digests(stream.records)
    assert tenants["tenants"].keys() == world.digests().keys()
