"""Which findings are right for the cause that a label names."""

from typing import Final

from transforms.planning.causes.table import FINDINGS

_IMAGES: Final = ("IMAGE_NOT_FOUND", "IMAGE_PULL_FAILING")
_QUOTA: Final = ("QUOTA_EXCEEDED", "QUOTA_FULL")

RIGHT: Final[dict[str, tuple[str, ...]]] = {
    "missing_service_account": ("SERVICE_ACCOUNT_MISSING",),
    "namespace_cpu_quota_exceeded": _QUOTA,
    "namespace_memory_quota_exceeded": _QUOTA,
    "namespace_pod_quota_exceeded": _QUOTA,
    "namespace_service_quota_exceeded": ("QUOTA_REFUSES_SERVICE",),
    "namespace_storage_quota_exceeded": ("QUOTA_REFUSES_CLAIM", "QUOTA_EXCEEDED"),
    "containerd_unavailable": ("RUNTIME_UNREACHABLE", "NODE_RUNTIME_ERROR", "NODE_NOT_READY"),
    "kubelet_unavailable": ("NODE_NOT_READY", "COMPONENT_DOWN"),
    "kube_proxy_unavailable": ("NODE_CANNOT_REACH_SERVICES", "COMPONENT_DOWN"),
    "kube_scheduler_unavailable": ("SCHEDULER_SILENT", "COMPONENT_DOWN"),
    "node_network_delay": ("NODE_NETWORK_ALERT", "TRAFFIC_DROPS_EVERYWHERE"),
    "node_network_packet_loss": ("NODE_NETWORK_ALERT", "TRAFFIC_DROPS_EVERYWHERE"),
    "pod_cpu_overload": ("CPU_THROTTLED", "SATURATED"),
    "pod_network_delay": ("SLOW_ALONE",),
    "container_exits": ("CRASH_LOOP", "RESTARTED"),
    "incorrect_image_reference": _IMAGES,
    "image_registry_dns_failure": ("IMAGE_REGISTRY_UNRESOLVED",),
    "missing_image_pull_secret": ("IMAGE_PULL_DENIED",),
    "volume_mount_permission_denied": ("CONTAINER_NOT_CREATED", "LOG_FAILURES", "MOUNT_FAILED", "CRASH_LOOP"),
    "missing_config_map": ("REFERENCE_MISSING", "MOUNT_FAILED", "CONTAINER_NOT_CREATED"),
    "oom_killed": ("OOM_KILLED", "SANDBOX_OOM"),
    "liveness_probe_incorrect_port": ("PROBE_PORT_NOT_EXPOSED",),
    "readiness_probe_incorrect_port": ("PROBE_PORT_NOT_EXPOSED",),
    "liveness_probe_incorrect_protocol": ("PROBE_WRONG_PROTOCOL",),
    "readiness_probe_incorrect_protocol": ("PROBE_WRONG_PROTOCOL",),
    "liveness_probe_incorrect_timing": ("LIVENESS_KILLS", "PROBE_FAILING"),
    "readiness_probe_incorrect_timing": ("PROBE_FAILING",),
    "insufficient_node_cpu": ("REQUEST_TOO_LARGE",),
    "insufficient_node_memory": ("REQUEST_TOO_LARGE",),
    "node_affinity_mismatch": ("NODE_SELECTOR_NO_MATCH", "PINNED_TO_CORDONED", "PINNED_TO_NOT_READY"),
    "node_selector_mismatch": ("NODE_SELECTOR_NO_MATCH", "PINNED_TO_CORDONED"),
    "node_cordoned": ("NODES_CORDONED", "PINNED_TO_CORDONED", "NODE_CORDONED"),
    "pod_anti_affinity_conflict": ("ANTI_AFFINITY",),
    "taint_toleration_mismatch": ("TAINT_NOT_TOLERATED",),
    **dict.fromkeys(
        (
            *("pv_binding_occupied", "pvc_access_mode_mismatch", "pvc_capacity_mismatch", "pvc_selector_mismatch"),
            "pvc_storage_class_mismatch",
        ),
        ("CLAIM_UNBOUND",),
    ),
    "service_env_var_address_mismatch": ("ADDRESS_UNKNOWN", "ADDRESS_WRONG_PORT"),
    "service_port_mapping_mismatch": ("TARGET_PORT_UNKNOWN",),
    "service_protocol_mismatch": ("PROTOCOL_MISMATCH",),
    "service_selector_mismatch": ("SERVICE_SELECTS_NOTHING",),
    "service_dns_resolution_failure": ("ADDRESS_UNKNOWN", "SERVICE_MISSING"),
}
_KNOWN: Final = frozenset(one.name for one in FINDINGS)
assert all(name in _KNOWN for names in RIGHT.values() for name in names)
