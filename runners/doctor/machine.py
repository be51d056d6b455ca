"""Whether this machine is fit: packages, Java, files that hold secrets, room, open files."""

import stat
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from runners.doctor.humanize import spoken_bytes
from runners.doctor.verdict import Check, failed, ok, skipped, warning

PACKAGES: Final = "packages"
RUST: Final = "rust extension"
JAVA: Final = "java"
SECRETS: Final = "secrets"
TEMPORARY: Final = "temporary folder"
OPEN_FILES: Final = "open files"
ARCHIVE: Final = "archive"
REINSTALL: Final = "Install the job's environment anew: scripts/setup, or the wheel."
LEAST_ROOM_BYTES: Final = 1024**3
LEAST_OPEN_FILES: Final = 1024
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def judge_packages(versions: Mapping[str, str | None], faults: Mapping[str, str]) -> Check:
    """versions: by package, None where it is not installed. faults: what importing a package said, where it failed."""
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        return failed(PACKAGES, f"not installed: {', '.join(missing)}", REINSTALL)
    if faults:
        return failed(PACKAGES, "; ".join(f"{name} cannot be imported ({said})" for name, said in faults.items()), REINSTALL)
    return ok(PACKAGES, ", ".join(f"{name} {version}" for name, version in versions.items()))


def judge_rust(is_active: bool | None) -> Check:
    """Whether the Neo4j driver uses its Rust extension; None where the driver cannot be asked."""
    if is_active is None:
        return skipped(RUST, "the Neo4j driver cannot be imported")
    if is_active:
        return ok(RUST, "the Neo4j driver uses it")
    said = "the Neo4j driver does not use it: each row costs the job's processor five times as much"
    return warning(RUST, said, "Install neo4j-rust-ext in the version of neo4j.")


def judge_java(found: str, fault: str) -> Check:
    """found: the `java` to run. fault: why there is none, with the remedy."""
    if not fault:
        return ok(JAVA, found)
    return warning(JAVA, fault, "Only the local stack needs it.")


class FileMode(NamedTuple):
    """A file that holds a secret. mode: its permission bits, None where it cannot be looked at, for the reason in fault."""

    path: str
    mode: int | None
    fault: str = ""


def judge_secrets(files: Iterable[FileMode]) -> Check:
    """Whether only their owner may read the files; what they hold is never read here."""
    looked = list(files)
    gone = [f"{one.path} ({one.fault})" for one in looked if one.mode is None]
    if gone:
        return failed(SECRETS, f"cannot be read: {', '.join(gone)}", "Fix the path or the permissions.")
    open_ = [f"{one.path} ({one.mode:04o})" for one in looked if one.mode is not None and one.mode & _OTHERS]
    if open_:
        return warning(SECRETS, f"others may read {', '.join(open_)}", "chmod 600 it.")
    if not looked:
        return ok(SECRETS, "none is in a file")
    return ok(SECRETS, f"only their owner may read {', '.join(one.path for one in looked)}")


class Folder(NamedTuple):
    """A folder for temporary files. fault: why nothing can be written there, "" where it can."""

    path: str
    free_bytes: int
    fault: str = ""


def judge_temporary(folder: Folder) -> Check:
    """Whether temporary files can be written, with some room."""
    return _judge_folder(TEMPORARY, folder, "Make it writable", "TMPDIR")


def judge_kept(name: str, folder: Folder, flag: str) -> Check:
    """Whether what the job keeps can be written there, with some room. flag: names the folder."""
    return _judge_folder(name, folder, "Make it writable for this user", flag)


def _judge_folder(name: str, folder: Folder, mending: str, setting: str) -> Check:
    """mending: what makes it writable. setting: what names another."""
    if folder.fault:
        return failed(name, f"{folder.path} cannot be written ({folder.fault})", f"{mending}, or name another with {setting}.")
    found = f"{folder.path} has {spoken_bytes(folder.free_bytes)} free"
    if folder.free_bytes < LEAST_ROOM_BYTES:
        return warning(name, f"{found}, less than {spoken_bytes(LEAST_ROOM_BYTES)}", f"Make room, or name another with {setting}.")
    return ok(name, found)


def judge_open_files(limit: int | None) -> Check:
    """limit: how many files a process may have open; None for no limit."""
    if limit is None or limit >= LEAST_OPEN_FILES:
        return ok(OPEN_FILES, "unlimited" if limit is None else f"up to {limit:,} a process")
    return warning(OPEN_FILES, f"only {limit} a process; connections are files too", f"ulimit -n {LEAST_OPEN_FILES}, or more.")
