"""Beam jobs on Flink: how they are told, checked, submitted and asked after."""
