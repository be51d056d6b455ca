"""What is taken from the specs of what directs traffic: Services, Endpoints, EndpointSlices, Ingresses, NetworkPolicies."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec

from transforms.records.specs.parts import Named, Spec, TargetReference

_MOST_PORTS: Final = 64


class ServiceSpec(Spec, frozen=True):
    """What has the type Any is taken where it has the form that Kubernetes gives it, and is no fault where it has not."""

    of_kind: ClassVar[str] = "Service"

    selector: dict[str, str] | None = None
    ports: Any = None
    type: Any = None
    cluster_ip: Any = msgspec.field(default=None, name="clusterIP")

    @property
    def facts(self) -> str | None:
        """Its ports, each [port, protocol, targetPort, name], and whether it has no address of its own, as JSON."""
        ports = [one for one in self.ports if isinstance(one, dict)] if isinstance(self.ports, list) else []
        found = [
            [one.get("port"), one.get("protocol") or "TCP", one.get("targetPort") or one.get("port"), one.get("name") or ""]
            for one in ports
        ]
        facts: dict[str, Any] = {"ports": [one for one in found[:_MOST_PORTS] if all(isinstance(part, int | str) for part in one)]}
        if self.cluster_ip == "None" or self.type == "ExternalName":
            facts["headless"] = True
        kept = {name: value for name, value in facts.items() if value}
        return msgspec.json.encode(kept, order="sorted").decode() if kept else None


class Address(Spec, frozen=True):
    target_ref: TargetReference | None = None


class Subset(Spec, frozen=True):
    addresses: list[Address] | None = None
    not_ready_addresses: list[Address] | None = None


class EndpointsSpec(Spec, frozen=True):
    of_kind: ClassVar[str] = "Endpoints"

    subsets: list[Subset] | None = None

    @property
    def ready(self) -> list[Address]:
        """The addresses that traffic goes to."""
        return [address for subset in self.subsets or () for address in subset.addresses or ()]

    @property
    def ready_addresses(self) -> int:
        return len(self.ready)

    @property
    def unready_addresses(self) -> int:
        return sum(len(subset.not_ready_addresses or ()) for subset in self.subsets or ())


class EndpointConditions(Spec, frozen=True):
    ready: bool | None = None


class Endpoint(Address, frozen=True):
    """conditions: an endpoint whose readiness is not known counts as ready, as the API asks of its readers."""

    conditions: EndpointConditions | None = None

    @property
    def is_ready(self) -> bool:
        return self.conditions is None or self.conditions.ready is not False


class EndpointSliceSpec(Spec, frozen=True):
    of_kind: ClassVar[str] = "EndpointSlice"

    endpoints: list[Endpoint] | None = None

    @property
    def ready(self) -> list[Endpoint]:
        """The endpoints that traffic goes to."""
        return [endpoint for endpoint in self.endpoints or () if endpoint.is_ready]

    @property
    def ready_addresses(self) -> int:
        return len(self.ready)

    @property
    def unready_addresses(self) -> int:
        return len(self.endpoints or ()) - len(self.ready)


class Backend(Spec, frozen=True):
    """Where an Ingress sends traffic: `service` in networking.k8s.io/v1, `serviceName` before."""

    service: Named | None = None
    service_name: str | None = None

    @property
    def service_called(self) -> str | None:
        return (self.service.name if self.service else None) or self.service_name


class IngressPath(Spec, frozen=True):
    backend: Backend | None = None


class IngressHttp(Spec, frozen=True):
    paths: list[IngressPath] | None = None


class IngressRule(Spec, frozen=True):
    host: str | None = None
    http: IngressHttp | None = None


class IngressTls(Spec, frozen=True):
    secret_name: str | None = None


class IngressSpec(Spec, frozen=True):
    of_kind: ClassVar[str] = "Ingress"

    ingress_class_name: str | None = None
    rules: list[IngressRule] | None = None
    tls: list[IngressTls] | None = None
    default_backend: Backend | None = None
    backend: Backend | None = None

    @property
    def hosts(self) -> list[str]:
        return sorted({rule.host for rule in self.rules or () if rule.host})

    @property
    def ingress_class(self) -> str | None:
        return self.ingress_class_name or None

    @property
    def backends(self) -> Iterator[Backend]:
        yield from (one for one in (self.default_backend, self.backend) if one)
        for rule in self.rules or ():
            for path in (rule.http.paths or ()) if rule.http else ():
                if path.backend:
                    yield path.backend


# What the API server takes; it also keeps an expression's text apart from `key=value`.
LabelKey = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._/-]+\Z")]
LabelValue = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]*\Z")]


class Requirement(Spec, frozen=True):
    """An entry of `matchExpressions`."""

    key: LabelKey
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: list[LabelValue] | None = None


class LabelSelector(Spec, frozen=True):
    match_labels: dict[str, str] | None = None
    match_expressions: list[Requirement] | None = None


class NetworkPolicySpec(Spec, frozen=True):
    of_kind: ClassVar[str] = "NetworkPolicy"

    pod_selector: LabelSelector | None = None
    types: list[str] | None = msgspec.field(default=None, name="policyTypes")

    @property
    def policy_types(self) -> list[str]:
        return sorted(self.types or ())
