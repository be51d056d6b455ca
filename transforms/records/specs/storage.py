"""What is taken from the specs of what is kept: ConfigMaps, Secrets, ServiceAccounts, claims, volumes and their classes."""

from typing import Any, ClassVar

import msgspec

from transforms.records.envelopes.types import Int64
from transforms.records.specs.parts import Named, Spec


class ConfigMapSpec(Spec, frozen=True):
    """The values stay undecoded text, and no property gives them."""

    of_kind: ClassVar[str] = "ConfigMap"

    data: dict[str, msgspec.Raw] | None = None
    binary_data: dict[str, msgspec.Raw] | None = None

    @property
    def keys(self) -> list[str]:
        return sorted({*(self.data or ()), *(self.binary_data or ())})


class SecretSpec(Spec, frozen=True):
    """The values stay undecoded text, and no property gives them."""

    of_kind: ClassVar[str] = "Secret"

    data: dict[str, msgspec.Raw] | None = None
    string_data: dict[str, msgspec.Raw] | None = None
    type: str | None = None

    @property
    def keys(self) -> list[str]:
        return sorted({*(self.data or ()), *(self.string_data or ())})

    @property
    def secret_type(self) -> str | None:
        return self.type


class ServiceAccountSpec(Spec, frozen=True):
    of_kind: ClassVar[str] = "ServiceAccount"

    secrets: list[Named] | None = None
    image_pull_secrets: list[Named] | None = None


class Storage(Spec, frozen=True):
    storage: str | Int64 | None = None

    @property
    def quantity(self) -> str | None:
        return None if self.storage is None else str(self.storage)


class Requests(Spec, frozen=True):
    requests: Storage | None = None


class ClaimSpec(Spec, frozen=True):
    of_kind: ClassVar[str] = "PersistentVolumeClaim"

    volume_name: str | None = None
    storage_class_name: str | None = None
    resources: Requests | None = None
    selector: Any = None
    modes: list[str] | None = msgspec.field(default=None, name="accessModes")

    @property
    def volume(self) -> str | None:
        return self.volume_name or None

    @property
    def storage_class(self) -> str | None:
        return self.storage_class_name or None

    @property
    def facts(self) -> str | None:
        """The labels that its volume must have, as JSON."""
        labels = self.selector.get("matchLabels") if isinstance(self.selector, dict) else None
        wanted = dict(sorted((k, v) for k, v in labels.items() if isinstance(v, str))[:32]) if isinstance(labels, dict) else {}
        return msgspec.json.encode({"labels": wanted}, order="sorted").decode() if wanted else None

    @property
    def storage_request(self) -> str | None:
        return self.resources.requests.quantity if self.resources and self.resources.requests else None

    @property
    def access_modes(self) -> list[str]:
        return sorted(self.modes or ())


class ClaimReference(Spec, frozen=True):
    namespace: str | None = None
    name: str | None = None


class VolumeSpec(Spec, frozen=True):
    of_kind: ClassVar[str] = "PersistentVolume"

    held: Storage | None = msgspec.field(default=None, name="capacity")
    claim_ref: ClaimReference | None = None
    storage_class_name: str | None = None
    persistent_volume_reclaim_policy: str | None = None
    modes: list[str] | None = msgspec.field(default=None, name="accessModes")

    @property
    def capacity(self) -> str | None:
        return self.held.quantity if self.held else None

    @property
    def claim(self) -> str | None:
        """`namespace/name`."""
        return f"{self.claim_ref.namespace or ''}/{self.claim_ref.name}" if self.claim_ref and self.claim_ref.name else None

    @property
    def storage_class(self) -> str | None:
        return self.storage_class_name or None

    @property
    def reclaim_policy(self) -> str | None:
        return self.persistent_volume_reclaim_policy

    @property
    def access_modes(self) -> list[str]:
        return sorted(self.modes or ())


class StorageClassSpec(Spec, frozen=True):
    of_kind: ClassVar[str] = "StorageClass"

    provisioner: str | None = None
    reclaim_policy: str | None = None
    binding_mode: str | None = msgspec.field(default=None, name="volumeBindingMode")
    expandable: bool | None = msgspec.field(default=None, name="allowVolumeExpansion")
