"""The commands with their flags, as plain names: what a setting may be called, known without importing a command.

A test holds these names to the commands.
"""

from typing import Final

# The commands under each name of `graph-build`; none where it is one command itself.
COMMANDS: Final[dict[str, tuple[str, ...]]] = {
    "run": (),
    "doctor": (),
    "topics": ("create",),
    "tenants": ("digest", "sweep", "compare", "schema", "list", "discover", "show", "reap", "forget", "restore", "release"),
    "deadletters": ("list", "show", "replay"),
    "backfill": ("run", "status", "compact"),
    "incidents": ("list", "show", "explain", "notify"),
    "console": (),
    "agent": ("run", "deregister"),
}
# Flags with a variable of another name, or with none.
_NAMED: Final = """
    allow_host allow_tenants archive auth auth_groups_header auth_header calls checkpoint_s client_id cluster_name
    custom_kinds dead_after deadletter_path deadletter_topic deny_tenants discovery_every_s events
    expansion_service failure_patterns flink_expansion flink_master flink_parallelism flink_python_workers
    flink_worker_pool heartbeat_s host incidents into_ca_file into_password_file into_user job_endpoint json
    kafka_brokers kafka_group kafka_oauth_scope kafka_oauth_token_url kafka_retry_s kafka_sasl_mechanism
    kafka_sasl_password_file kafka_sasl_username kafka_security_protocol kafka_ssl_ca_file kafka_ssl_keypair_file
    kinds kubeconfig lease lease_namespace left_ca_file left_password_file left_user legacy_separator_topics
    log_level manifest_s metrics_host metrics_port neo4j_ca_file neo4j_database neo4j_password_file neo4j_retry_s
    neo4j_uri neo4j_user new_tenants_per_hour older_than port prometheus_url right_ca_file right_password_file
    right_user schema_registry_ca_file schema_registry_password_file schema_registry_retry_s schema_registry_url
    schema_registry_user secrets single_tenant stale_after token_file topic_per_cluster topics trusted_proxy
    window_s yes
"""
# Flags with the variable `GRAPH_<FLAG>`, in one command at least.
_PLAIN: Final = """
    again as_of batch_bytes batch_rows batch_rows_least batch_s bounded catch_up client_id context create_topics
    detach drain_s dry_run episode_retention episodes every every_s follow from into json kafka_reader late_by
    lease_s left left_client_id left_mapping letters limit link lock_timeout_s max_faults member_pattern
    most_intervals no_deadletters once partitions purge_after query_s rate reason record replication_factor right
    right_client_id runner savepoint_path settle settle_s shards silence_s since sizes skip_corrupt slice_bytes
    slice_offsets slice_rows slice_s source stale_s standby state state_file tenant_max_failures to token_tenants
    tombstone_grace topic topic_pattern topics verbose write_timeout_s writers
"""
FLAGS: Final = frozenset(f"{_NAMED} {_PLAIN}".split())
GRAPH_VARIABLES: Final = frozenset(f"GRAPH_{flag.upper()}" for flag in _PLAIN.split()) | {"GRAPH_CONFIG", "GRAPH_STACK_DIR"}
