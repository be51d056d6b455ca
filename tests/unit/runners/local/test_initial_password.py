"""The first password of Neo4j is told by a file: the arguments of a process are everybody's to read."""

from pathlib import Path

import pytest

from runners.local import services
from runners.local.process import ServiceProcess
from runners.local.services import Neo4j


def test_no_process_is_started_with_the_password_among_its_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(services, "fetch_jars", lambda name, into: into / name)
    monkeypatch.setattr(services, "find_java", lambda: "java")
    monkeypatch.setattr(services, "run_tool", lambda command, _failed, _environment=None: commands.append(command))
    monkeypatch.setattr(ServiceProcess, "start", lambda _self, command, _environment=None: commands.append(command))
    neo4j = Neo4j(tmp_path, tmp_path / "jars", 7687)

    neo4j.start()

    password = neo4j.password_file.read_text()
    assert len(commands) == 2
    assert not [one for command in commands for one in command if password in one]
    assert f"@{neo4j.password_file}" in commands[0]
    assert neo4j.password_file.stat().st_mode & 0o077 == 0
