"""What is taken from the specs of what runs: Pods, workloads, Nodes, HorizontalPodAutoscalers."""

from typing import ClassVar

import msgspec

from transforms.records.envelopes.types import Int64
from transforms.records.specs.parts import Spec, TargetReference
from transforms.records.specs.pod_facts import facts_text
from transforms.records.specs.pod_parts import PodTemplateSpec, Template


class PodSpec(PodTemplateSpec, frozen=True):
    of_kind: ClassVar[str] = "Pod"

    @property
    def facts(self) -> str | None:
        return facts_text(self)


class WorkloadSpec(Spec, frozen=True):
    """The base of what makes Pods from a template."""

    template: Template | None = None

    @property
    def pods(self) -> PodTemplateSpec | None:
        """The spec of the Pods that it makes."""
        return self.template.spec if self.template else None

    @property
    def facts(self) -> str | None:
        return facts_text(self.pods, self.template.labels) if self.template and self.pods else None


class DeploymentSpec(WorkloadSpec, frozen=True):
    of_kind: ClassVar[str] = "Deployment"


class ReplicaSetSpec(WorkloadSpec, frozen=True):
    of_kind: ClassVar[str] = "ReplicaSet"


class StatefulSetSpec(WorkloadSpec, frozen=True):
    of_kind: ClassVar[str] = "StatefulSet"


class DaemonSetSpec(WorkloadSpec, frozen=True):
    of_kind: ClassVar[str] = "DaemonSet"


class JobSpec(WorkloadSpec, frozen=True):
    of_kind: ClassVar[str] = "Job"


class Taint(Spec, frozen=True):
    key: str = ""
    value: str | None = None
    effect: str = ""


class NodeSpec(Spec, frozen=True):
    of_kind: ClassVar[str] = "Node"

    unschedulable: bool | None = None
    tainted: list[Taint] | None = msgspec.field(default=None, name="taints")

    @property
    def taints(self) -> list[str]:
        """As kubectl writes them: `key=value:effect`, `key:effect`."""
        return sorted({f"{one.key}={one.value}:{one.effect}" if one.value else f"{one.key}:{one.effect}" for one in self.tainted or ()})


class CronJobSpec(Spec, frozen=True):
    of_kind: ClassVar[str] = "CronJob"

    schedule: str | None = None
    suspend: bool | None = None


class AutoscalerSpec(Spec, frozen=True):
    of_kind: ClassVar[str] = "HorizontalPodAutoscaler"

    scale_target_ref: TargetReference | None = None
    min_replicas: Int64 | None = None
    max_replicas: Int64 | None = None

    @property
    def target(self) -> str | None:
        """`Kind/name`."""
        one = self.scale_target_ref
        return f"{one.kind}/{one.name}" if one and one.kind and one.name else None
