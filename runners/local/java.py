"""Java and Maven: found, checked, and used to fetch the jars that the POMs name."""

import fcntl
import re
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Final

from runners.local.faults import StackFault

JAVA_MAJOR: Final = 17
JAVA_SOURCES: Final = Path(__file__).resolve().parents[1] / "java"
JAR_LOCK: Final = "jars.sha256"
JAVA_PARTS: Final = ("neo4j", "kafka", "beam-kafka", "flink")
_COMPILER: Final = "jdk.compiler"
_COPY: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"


def find_java() -> str:
    """The `java` to run; StackFault where it is missing or too old."""
    java = shutil.which("java")
    if java is None:
        raise StackFault(f"`java` is not on the PATH; install a JDK {JAVA_MAJOR} (Debian: openjdk-{JAVA_MAJOR}-jdk-headless).")
    said = _say_version(java)
    if not is_new_enough(said):
        shown = next(iter(said.splitlines()), "nothing")
        raise StackFault(f"{java} says {shown!r}; Neo4j and Beam need Java {JAVA_MAJOR}, put it first on the PATH.")
    return java


def find_jdk() -> str:
    """The `java` to run, which can compile too; StackFault where it is missing, too old, or a JRE without a compiler."""
    java = find_java()
    # Asked of Java itself, not of a `javac` beside it: the connector's source is compiled by `java`, and Debian's
    # JRE can do so, while a `javac` on the PATH may belong to another Java.
    if not is_new_enough(_say_version(java, f"--add-modules={_COMPILER}")):
        raise StackFault(
            f"{java} is a JRE without a compiler (module {_COMPILER}), which starting the Kafka connector needs; "
            f"install a JDK {JAVA_MAJOR} or newer (Debian: openjdk-{JAVA_MAJOR}-jdk-headless) and put it first on the PATH."
        )
    return java


def is_new_enough(said: str) -> bool:
    """Whether this is what `java -version` prints for a Java that Neo4j and Beam can run on."""
    found = re.search(r'version "(\d+)', said)
    return found is not None and int(found.group(1)) >= JAVA_MAJOR


def _say_version(java: str, *flags: str) -> str:
    done = subprocess.run([java, *flags, "-version"], capture_output=True, text=True, check=False)
    return done.stderr + done.stdout


def fetch_jars(name: str, into: Path) -> Path:
    """The folder with the jars of `runners/java/<name>/pom.xml`, fetched by Maven when the POM has changed since.

    Every jar, those that others need too, has the SHA-256 that `jars.sha256` beside the POM gives it; StackFault otherwise.
    """
    into.mkdir(parents=True, exist_ok=True)
    with (into / f"{name}.lock").open("w") as lock:
        # Stacks that start beside each other share the folder: one of them fetches.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _fetch(name, into)


def _fetch(name: str, into: Path) -> Path:
    pom, lock = JAVA_SOURCES / name / "pom.xml", JAVA_SOURCES / name / JAR_LOCK
    folder, stamp = into / name, into / f"{name}.sha256"
    wanted = sha256(pom.read_bytes() + lock.read_bytes()).hexdigest()
    if folder.is_dir() and stamp.is_file() and stamp.read_text() == wanted:
        return folder
    maven = shutil.which("mvn")
    if maven is None:
        raise StackFault("`mvn` is not on the PATH; install Maven 3.8 or newer (Debian: maven).")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command = [maven, "--quiet", "--batch-mode", "--strict-checksums", "-f", str(pom), _COPY, f"-DoutputDirectory={folder}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = next((line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line), "no message")
        raise StackFault(f"Maven could not fetch the jars of {pom}: {said[:300]}; check its access to a repository.")
    must_be_locked(folder, lock)
    stamp.write_text(wanted)
    return folder


def must_be_locked(folder: Path, lock: Path) -> None:
    """Return where the folder holds just the jars of the lock, each as it was; StackFault otherwise."""
    wanted = {name: digest for digest, _, name in (line.partition("  ") for line in lock.read_text().splitlines())}
    found = {jar.name: sha256(jar.read_bytes()).hexdigest() for jar in folder.glob("*.jar")}
    wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if wrong:
        raise StackFault(
            f"{len(wrong)} jars of {folder} are not those of {lock}, {wrong[0]} first; see what the repository serves. "
            "After a change of the POM, scripts/lock writes the hashes anew."
        )
