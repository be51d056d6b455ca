"""What is taken from the spec of a Pod, whether it is a Pod's own or that of a workload's template."""

from typing import Any

import msgspec

from transforms.records.specs.parts import Named, Spec


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
    """value: left as text; nothing but the address of a Service is ever read of it."""

    name: Any = None
    value: msgspec.Raw = msgspec.Raw()
    value_from: VariableSource | None = None


class Port(Spec, frozen=True):
    name: Any = None
    container_port: Any = None
    protocol: Any = None


class Amounts(Spec, frozen=True):
    requests: Any = None
    limits: Any = None


class Container(Spec, frozen=True):
    """What has the type Any is taken where it has the form that Kubernetes gives it, and is no fault where it has not."""

    name: Any = None
    image: Any = None
    env_from: list[EnvironmentSource] | None = None
    env: list[Variable] | None = None
    ports: list[Port] | None = None
    resources: Amounts | None = None
    liveness_probe: Any = None
    readiness_probe: Any = None
    startup_probe: Any = None


class PodTemplateSpec(Spec, frozen=True):
    """The spec of a Pod, its own or that of a template."""

    volumes: list[Volume] | None = None
    init_containers: list[Container] | None = None
    containers: list[Container] | None = None
    ephemeral_containers: list[Container] | None = None
    image_pull_secrets: list[Named] | None = None
    service_account_name: str | None = None
    deprecated_account: str | None = msgspec.field(default=None, name="serviceAccount")
    node_selector: Any = None
    affinity: Any = None
    tolerations: Any = None
    scheduler_name: Any = None
    scheduling_gates: Any = None
    host_network: Any = None

    @property
    def service_account(self) -> str | None:
        return self.service_account_name or self.deprecated_account or None


class TemplateMetadata(Spec, frozen=True):
    labels: Any = None


class Template(Spec, frozen=True):
    metadata: TemplateMetadata | None = None
    spec: PodTemplateSpec | None = None

    @property
    def labels(self) -> Any:
        return self.metadata.labels if self.metadata else None
