"""The sample holds the kinds of an ordinary cluster, refers only to what it reports, and its Secrets stay in Kafka."""

import json

from scripts.sampling.belongings import SECRET_VALUE
from scripts.sampling.record import RESOURCES, SampleRecord
from scripts.sampling.stream import sample_stream
from tests.support.in_memory import played
from transforms.io.dead_letters.writer import encode_deadletter
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Reason, Reject, Step

# Kubernetes keeps these up to date from Services and Pods; the sample is small without them.
LEFT_OUT = {"Endpoints", "EndpointSlice"}
SAMPLED = {
    *("Pod", "Node", "Namespace", "Service", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob", "Ingress"),
    *("NetworkPolicy", "ConfigMap", "Secret", "ServiceAccount", "PersistentVolumeClaim", "PersistentVolume", "StorageClass"),
    "HorizontalPodAutoscaler",
}


def secrets(records: list[SampleRecord]) -> list[SampleRecord]:
    return [one for one in records if SECRET_VALUE.encode() in (one.value or b"")]


def test_the_sample_has_every_kind_and_refers_to_nothing_that_it_does_not_report() -> None:
    records = sample_stream(clusters=1, resyncs=1, seed=7, poison_classes=0).records
    store, rejects = played(records)

    graph = store.tenants["af-10"]
    kinds = {json.loads(one.value)["kind"] for one in records if one.topic == RESOURCES and one.value}
    assert rejects == []
    assert kinds.isdisjoint(LEFT_OUT)
    assert kinds >= SAMPLED
    assert [rid for rid, node in graph.resources.items() if "stub" in node] == []
    assert {triple.type for triple in graph.triples()} == {
        *("RUNS_ON", "SELECTS", "CONTROLS", "MOUNTS", "USES", "ROUTES", "CLAIMS", "SCALES"),
    }


def test_nothing_of_a_secrets_data_is_in_the_graph_or_in_its_tombstones() -> None:
    records = sample_stream(clusters=1, resyncs=6, seed=7, poison_classes=0).records
    store, _ = played(records)

    assert len(secrets(records)) > 6
    assert store.tenants["af-10"].resources["secret:shop:shop-tls"]["keys"] == ["tls.crt", "tls.key"]
    assert SECRET_VALUE not in repr(vars(store.tenants["af-10"]))


def test_a_secret_that_is_rejected_leaves_nothing_of_its_data_in_its_dead_letter() -> None:
    one = secrets(sample_stream(clusters=1, resyncs=1, seed=7, poison_classes=0).records)[0]
    for key in (one.key, b"af-10::no-kind-in-the-key"):
        record = KafkaRecord(one.topic, 0, 0, one.timestamp_ms, key, one.value)
        letter = encode_deadletter(Reject(record, "af-10", Step.DECODE, Reason.WRONG_TYPE, "why"))
        assert json.loads(letter)["withheld"]
        assert json.loads(letter)["value"] is None
