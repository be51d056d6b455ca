"""Java and Maven: found, checked, and used to fetch the jars that the POMs name."""

import re
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Final

from runners.local.faults import StackFault

JAVA_MAJOR: Final = 17
_POMS: Final = Path(__file__).resolve().parents[1] / "java"
_COPY: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"


def find_java() -> str:
    """The `java` to run; StackFault where it is missing or too old."""
    java = shutil.which("java")
    if java is None:
        raise StackFault(f"`java` is not on the PATH; install a JDK {JAVA_MAJOR} (Debian: openjdk-{JAVA_MAJOR}-jre-headless).")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(\d+)', said.stderr + said.stdout)
    if found is None or int(found.group(1)) < JAVA_MAJOR:
        shown = (said.stderr or said.stdout).splitlines()[:1]
        raise StackFault(f"{java} says {shown}; Neo4j and Beam need Java {JAVA_MAJOR}, put it first on the PATH.")
    return java


def fetch_jars(name: str, into: Path) -> Path:
    """The folder with the jars of `runners/java/<name>/pom.xml`, fetched by Maven when the POM has changed since."""
    pom = _POMS / name / "pom.xml"
    folder, stamp = into / name, into / f"{name}.sha256"
    wanted = sha256(pom.read_bytes()).hexdigest()
    if folder.is_dir() and stamp.is_file() and stamp.read_text() == wanted:
        return folder
    maven = shutil.which("mvn")
    if maven is None:
        raise StackFault("`mvn` is not on the PATH; install Maven 3.8 or newer (Debian: maven).")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command = [maven, "--quiet", "--batch-mode", "-f", str(pom), _COPY, f"-DoutputDirectory={folder}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = next((line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line), "no message")
        raise StackFault(f"Maven could not fetch the jars of {pom}: {said[:300]}; check its access to a repository.")
    stamp.write_text(wanted)
    return folder
