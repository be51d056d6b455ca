"""What `tenants schema` says of a graph's version."""

from pipelines.tenants.schema import shown
from transforms.model.schema_version import VERSION


def test_it_says_what_the_next_run_will_do() -> None:
    assert shown(VERSION).endswith(f"has version {VERSION} of the schema, which is the one of this graph-build.")
    assert shown(VERSION - 1).endswith(f"has version {VERSION - 1} of the schema; the next run of the job brings it to version {VERSION}.")
    assert shown(0).endswith(f"tells no version of its schema; the next run of the job brings it to version {VERSION}.")
