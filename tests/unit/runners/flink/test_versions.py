"""Versions that must agree stand in more than one file; here they are compared."""

import tomllib
from xml.etree import ElementTree

from runners.flink.settings import FLINK_VERSION
from tests.support.places import CHECKOUT

MAVEN = {"m": "http://maven.apache.org/POM/4.0.0"}


def test_beam_has_one_version_on_both_sides() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    java = ElementTree.parse(CHECKOUT / "runners/java/beam-kafka/pom.xml").findtext("m:properties/m:beam.version", namespaces=MAVEN)

    assert f"apache-beam=={java}" in project["dependencies"]
    assert f"apache-beam=={java} " in (CHECKOUT / "requirements.lock").read_text()


def test_the_broker_and_the_java_consumer_have_one_version() -> None:
    broker = ElementTree.parse(CHECKOUT / "runners/java/kafka/pom.xml").findtext("m:dependencies/m:dependency/m:version", namespaces=MAVEN)
    consumer = ElementTree.parse(CHECKOUT / "runners/java/beam-kafka/pom.xml").findtext("m:properties/m:kafka.version", namespaces=MAVEN)

    assert broker == consumer


def test_flink_runs_the_beam_and_the_kafka_consumer_of_the_connector_and_is_of_the_version_that_is_expected() -> None:
    flink, connector = (ElementTree.parse(CHECKOUT / f"runners/java/{name}/pom.xml") for name in ("flink", "beam-kafka"))
    for version in ("m:properties/m:beam.version", "m:properties/m:kafka.version"):
        assert flink.findtext(version, namespaces=MAVEN) == connector.findtext(version, namespaces=MAVEN)

    runners = [one.text for one in flink.iterfind(".//m:artifactId", MAVEN) if (one.text or "").startswith("beam-runners-flink-")]

    assert runners == [f"beam-runners-flink-{FLINK_VERSION}"]
    assert (flink.findtext("m:properties/m:flink.version", namespaces=MAVEN) or "").startswith(f"{FLINK_VERSION}.")
