"""Secrets by reference: settings hold where a secret is, the process that needs it reads it.

So no secret ever reaches pipeline options, a serialised pipeline, a log or a message.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from transforms.io.faults import InfrastructureFault


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret is: the environment variable `env`, or else the file `file`; "" for neither."""

    env: str = ""
    file: str = ""

    def read(self) -> str:
        """The secret; InfrastructureFault with the remedy where it cannot be read. A file's last newline does not count."""
        if self.env and (value := os.environ.get(self.env)):
            return value
        if self.file:
            try:
                return Path(self.file).read_text(encoding="utf-8").rstrip("\n")
            except OSError as error:
                raise InfrastructureFault(
                    f"The secret file {self.file} cannot be read ({error.strerror}); fix its path or its permissions."
                ) from None
        raise InfrastructureFault(f"No secret is set; set {self.env} or {self.env}_FILE in the environment.")
