"""What this machine tells of itself, judged."""

import importlib
import importlib.metadata
import os
import resource
import shutil
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from runners.doctor import machine
from runners.doctor.machine import FileMode, Folder
from runners.doctor.verdict import Check, skipped
from runners.local.faults import StackFault
from runners.local.java import find_java
from transforms.io.archive.folders import is_local

_PACKAGES: Final = {"apache-beam": "apache_beam", "confluent-kafka": "confluent_kafka", "neo4j": "neo4j", "neo4j-rust-ext": "neo4j"}
_PACKSTREAM: Final = "neo4j._codec.packstream.v1"


def machine_checks(secret_files: Iterable[str]) -> list[Check]:
    """All of them; nothing is left on the machine."""
    return [
        _packages(),
        machine.judge_rust(_is_rust_active()),
        _java(),
        machine.judge_secrets(_mode(path) for path in secret_files if path),
        machine.judge_temporary(_temporary()),
        machine.judge_open_files(_open_files()),
    ]


def check_kept(name: str, path: str, flag: str) -> Check:
    """Whether the job could write its files under the path; nothing is made there. flag: names the path."""
    if not is_local(path):
        return skipped(name, f"whether {path} may be written only writing there would show")
    return machine.judge_kept(name, _kept(path), flag)


def installed(package: str) -> str | None:
    """The version of a package, None where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _packages() -> Check:
    faults: dict[str, str] = {}
    for package, module in _PACKAGES.items():
        try:
            importlib.import_module(module)
        except ImportError as error:
            faults[package] = str(error)
    return machine.judge_packages({package: installed(package) for package in _PACKAGES}, faults)


def _is_rust_active() -> bool | None:
    """Whether the driver's packing of values is the extension's: the driver decides when it is imported."""
    try:
        packstream = importlib.import_module(_PACKSTREAM)
    except ImportError:
        return None
    return getattr(packstream, "_rust_pack", None) is not None


def _java() -> Check:
    try:
        return machine.judge_java(find_java(), "")
    except StackFault as fault:
        return machine.judge_java("", str(fault))


def _mode(path: str) -> FileMode:
    try:
        with Path(path).open("rb") as file:
            return FileMode(path, stat.S_IMODE(Path(file.name).stat().st_mode))
    except OSError as error:
        return FileMode(path, None, error.strerror or type(error).__name__)


def _temporary() -> Folder:
    try:
        folder = tempfile.gettempdir()
    except FileNotFoundError as error:
        return Folder("the folder for temporary files", 0, error.strerror or str(error))
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0")
            file.flush()
        return Folder(folder, shutil.disk_usage(folder).free)
    except OSError as error:
        return Folder(folder, 0, error.strerror or type(error).__name__)


def _kept(path: str) -> Folder:
    """The folder, or the one above it in which it would be made."""
    there = Path(path).absolute()
    try:
        while not there.exists():
            there = there.parent
        if not there.is_dir():
            return Folder(path, 0, f"{there} is no folder")
        if not os.access(there, os.W_OK | os.X_OK):
            return Folder(path, 0, f"no right to write to {there}")
        return Folder(path, shutil.disk_usage(there).free)
    except OSError as error:
        return Folder(path, 0, error.strerror or type(error).__name__)


def _open_files() -> int | None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft
