"""Kubernetes' own schemas of its objects, as the package kubernetes-validate ships them; strict: no unknown field passes."""

import re
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from kubernetes_validate import utils
from referencing import Registry, Resource


@cache
def _definitions(version: str) -> Any:
    """Read once per version: the package itself reads them again for every object, which takes most of the time."""
    registry: Any = Registry()
    return (Resource.from_contents(utils.schema_contents(f"{_folder(version)}/_definitions.json", version)) @ registry).crawl()


def _folder(version: str) -> str:
    return f"kubernetes-json-schema/v{version}-local-strict"


def violations(object_: dict[str, Any], minor: int) -> list[str]:
    """What Kubernetes 1.<minor> would refuse of the object."""
    version = next(one for one in utils.all_versions() if utils.major_minor(one) == f"1.{minor}")
    group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", object_["apiVersion"])
    schema = utils.schema_contents(f"{_folder(version)}/{object_['kind'].lower()}-{group}.json", version)
    registry = Resource.from_contents(schema) @ _definitions(version)
    found = Draft202012Validator(schema, registry=registry).iter_errors(object_)
    return [f"{object_['kind']} {object_['metadata']['name']} {error.json_path}: {error.message[:200]}" for error in found]
