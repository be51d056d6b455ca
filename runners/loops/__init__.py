"""The loops that a run is: one pass, micro-batches, a backfill, a replay, a job on a cluster that is watched."""
