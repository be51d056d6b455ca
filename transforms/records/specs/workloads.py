"""What is taken from the specs of what runs: Pods, Nodes, CronJobs, HorizontalPodAutoscalers."""

from typing import ClassVar

import msgspec

from transforms.records.envelopes.types import Int64
from transforms.records.specs.parts import Named, Spec, TargetReference


class SecretVolume(Spec, frozen=True):
    secret_name: str | None = None


class ClaimVolume(Spec, frozen=True):
    claim_name: str | None = None


class Projection(Spec, frozen=True):
    config_map: Named | None = None
    secret: Named | None = None


class ProjectedVolume(Spec, frozen=True):
    sources: list[Projection] | None = None


class Volume(Spec, frozen=True):
    """ephemeral: set where Kubernetes makes the claim, called by the Pod and the volume."""

    name: str | None = None
    config_map: Named | None = None
    secret: SecretVolume | None = None
    persistent_volume_claim: ClaimVolume | None = None
    projected: ProjectedVolume | None = None
    ephemeral: Spec | None = None


class EnvironmentSource(Spec, frozen=True):
    config_map_ref: Named | None = None
    secret_ref: Named | None = None


class VariableSource(Spec, frozen=True):
    config_map_key_ref: Named | None = None
    secret_key_ref: Named | None = None


class Variable(Spec, frozen=True):
    value_from: VariableSource | None = None


class Container(Spec, frozen=True):
    env_from: list[EnvironmentSource] | None = None
    env: list[Variable] | None = None


class PodSpec(Spec, frozen=True):
    of_kind: ClassVar[str] = "Pod"

    volumes: list[Volume] | None = None
    init_containers: list[Container] | None = None
    containers: list[Container] | None = None
    ephemeral_containers: list[Container] | None = None
    image_pull_secrets: list[Named] | None = None
    service_account_name: str | None = None
    deprecated_account: str | None = msgspec.field(default=None, name="serviceAccount")

    @property
    def service_account(self) -> str | None:
        return self.service_account_name or self.deprecated_account or None


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
