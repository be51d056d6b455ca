"""Which Java will do, and what is said where none does; the `java` commands here are scripts on the PATH."""

from hashlib import sha256
from pathlib import Path

import pytest

from runners.local.faults import StackFault
from runners.local.java import JAR_LOCK, JAVA_SOURCES, find_java, find_jdk, is_new_enough, must_be_locked

JAVA_17 = 'openjdk version "17.0.15" 2025-04-15'


def put_java(folder: Path, monkeypatch: pytest.MonkeyPatch, says: str, compiles: bool = True) -> str:
    """The only `java` on the PATH; without a compiler it answers as a JRE made by jlink does."""
    refuses = "" if compiles else 'if [ "$1" = --add-modules=jdk.compiler ]; then echo "Module jdk.compiler not found" >&2; exit 1; fi\n'
    java = folder / "java"
    java.write_text(f"#!/bin/sh\n{refuses}echo '{says}' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return str(java)


@pytest.mark.parametrize(
    ("said", "enough"),
    [
        (f"{JAVA_17}\nOpenJDK Runtime Environment (build 17.0.15+6)\n", True),
        ('Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "21" 2023-09-19\n', True),
        ('openjdk version "11.0.27" 2025-04-15\n', False),
        ('java version "1.8.0_452"\n', False),
        ("Unrecognized option: --add-modules=jdk.compiler\n", False),
        ("", False),
    ],
)
def test_java_is_new_enough_from_17_on(said: str, enough: bool) -> None:
    assert is_new_enough(said) is enough


def test_a_jdk_serves_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = put_java(tmp_path, monkeypatch, JAVA_17)

    assert find_java() == find_jdk() == java


def test_a_jre_runs_but_is_no_jdk_and_the_package_to_install_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = put_java(tmp_path, monkeypatch, JAVA_17, compiles=False)

    assert find_java() == java
    with pytest.raises(StackFault) as told:
        find_jdk()
    assert str(told.value) == (
        f"{java} is a JRE without a compiler (module jdk.compiler), which starting the Kafka connector needs; "
        "install a JDK 17 or newer (Debian: openjdk-17-jdk-headless) and put it first on the PATH."
    )


def test_an_old_java_is_told_with_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = put_java(tmp_path, monkeypatch, 'java version "1.8.0_452"')

    with pytest.raises(StackFault) as told:
        find_jdk()
    assert str(told.value) == f"{java} says 'java version \"1.8.0_452\"'; Neo4j and Beam need Java 17, put it first on the PATH."


def test_no_java_is_told_with_the_package_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(StackFault, match=r"^`java` is not on the PATH; install a JDK 17 \(Debian: openjdk-17-jdk-headless\)\.$"):
        find_jdk()


@pytest.mark.parametrize("change", ["none", "other", "missing", "more"])
def test_jars_are_those_of_the_lock(tmp_path: Path, change: str) -> None:
    folder, lock = tmp_path / "jars", tmp_path / JAR_LOCK
    folder.mkdir()
    for name in ("a.jar", "b.jar"):
        (folder / name).write_bytes(name.encode())
    lock.write_text("".join(f"{sha256(name.encode()).hexdigest()}  {name}\n" for name in ("a.jar", "b.jar")))
    if change == "other":
        (folder / "b.jar").write_bytes(b"b.jar, but not quite")
    elif change == "missing":
        (folder / "b.jar").unlink()
    elif change == "more":
        (folder / "c.jar").write_bytes(b"c")

    if change == "none":
        must_be_locked(folder, lock)
    else:
        with pytest.raises(StackFault, match=rf"^1 jars of .* are not those of .*, {'c' if change == 'more' else 'b'}.jar first"):
            must_be_locked(folder, lock)


def test_every_pom_has_a_lock() -> None:
    poms = list(JAVA_SOURCES.glob("*/pom.xml"))
    assert len(poms) == 4
    assert all((pom.parent / JAR_LOCK).is_file() for pom in poms)
