"""The job on Flink: what it is told, whether the cluster is there, submission, and how it goes."""
