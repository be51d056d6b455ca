"""From settings to the flags that Beam and its Flink runner read. Pure."""

from typing import Final

from runners.flink.settings import HEAP, FlinkSettings

# Flink's native Kafka source in place of a splittable DoFn: an idle topic holds no window back, checkpoints take
# 40 ms in place of 4 s. The expansion service must be started with it too.
_READ: Final = "--experiments=use_deprecated_read"
# Otherwise Beam runs pip at each submission to log what is installed.
_QUIET: Final = "--experiments=disable_logging_submission_environment"

# What Beam calls Flink's two; "filesystem" keeps state on the heap and checkpoints in a folder.
_BEAM_NAMES: Final = {HEAP: "filesystem"}


def pipeline_flags(settings: FlinkSettings) -> list[str]:
    """The flags of a submission, complete: nothing else is to be added for Flink's sake."""
    at = settings.addresses
    flags = [
        # FlinkRunner of Beam would fetch a job server and start it beside the client, with which it ends; this is the same
        # job service, but one that outlives whoever submits.
        "--runner=PortableRunner",
        f"--job_endpoint={at.job_endpoint}",
        f"--job_name={settings.job_name}",
        "--environment_type=EXTERNAL",
        f"--environment_config={at.worker_pool}",
        # A worker serves all slots of a TaskManager from one interpreter, so more of them use more cores.
        f"--sdk_worker_parallelism={settings.python_workers}",
        f"--parallelism={settings.parallelism}",
        # Enough that per-bundle costs vanish, few enough that a bundle is done well within a checkpoint's interval.
        f"--max_bundle_size={settings.max_bundle_size}",
        f"--max_bundle_time_mills={settings.max_bundle_ms}",
        _READ,
        _QUIET,
    ]
    if settings.tell_master:
        flags.append(f"--flink_master={at.master}")
    return flags + (_streaming(settings) if settings.streaming else [])


def _streaming(settings: FlinkSettings) -> list[str]:
    flags = [
        "--streaming",
        f"--checkpointing_interval={settings.checkpoint_ms}",
        # As long as a bundle may take while Neo4j is away and writes are tried again.
        f"--checkpoint_timeout_millis={settings.checkpoint_timeout_ms}",
        # Never without: Beam would end open bundles within the snapshot, keep what they put out until the next bundle
        # begins, and meanwhile let the watermark pass it, so that GroupByKey drops it as late (7,300 of 8,000 records
        # came through, measured). With it they are ended before the barrier.
        "--finish_bundle_before_checkpointing",
        # Checkpoints outlive the job, so a cluster that was lost can be resumed from its last one.
        "--externalized_checkpoints_enabled",
        "--retain_externalized_checkpoints_on_cancellation",
    ]
    if settings.state_backend:
        flags.append(f"--state_backend={_BEAM_NAMES.get(settings.state_backend, settings.state_backend)}")
    if settings.checkpoint_dir:
        flags.append(f"--state_backend_storage_path={settings.checkpoint_dir}")
    if settings.savepoint:
        flags.append(f"--savepoint_path={settings.savepoint}")
    if settings.skip_lost_state:
        flags.append("--allow_non_restored_state")
    return flags
