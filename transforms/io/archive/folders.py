"""Where an archive lies: a folder of this machine, or one of any filesystem that Beam knows."""

import re
from typing import Final

from transforms.io.archive.folder import Folder, LocalFolder, temporary_name
from transforms.io.faults import InfrastructureFault

_SCHEME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")


def is_local(root: str) -> bool:
    """Whether it is a path of this machine, and no URL."""
    return not _SCHEME.match(root)


def folder_of(root: str) -> Folder:
    """The folder at a path, or at a URL of a filesystem that Beam knows."""
    if is_local(root):
        return LocalFolder(root)
    # Beam takes seconds to import; whoever names a folder does without it.
    from transforms.io.archive.beam_folder import BeamFolder  # noqa: PLC0415

    return BeamFolder(root)


def is_reachable(root: str) -> bool:
    """Whether it is a path of this machine, or a URL whose filesystem is installed; nothing is asked of it."""
    if is_local(root):
        return True
    from transforms.io.archive.beam_folder import is_installed  # noqa: PLC0415

    return is_installed(root)


def must_take_files(flag: str, root: str) -> None:
    """Make the folder of this machine that a flag names, and write to it; InfrastructureFault where that fails. A URL is not tried."""
    if not is_local(root):
        return
    probe = temporary_name("probe")
    try:
        LocalFolder(root).put(probe, b"")
        LocalFolder(root).delete(probe)
    except OSError as error:
        said = error.strerror or type(error).__name__
        raise InfrastructureFault(
            f"{flag} is {root}, which cannot be written ({said}); make it writable for this user, or name another folder."
        ) from None
