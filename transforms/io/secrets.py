"""Secrets by reference: settings hold where a secret is, the process that needs it reads it.

So no secret ever reaches pipeline options, a serialised pipeline, a log or a message.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from transforms.io.faults import WrongSetting

# Those of which a flag may name the file.
_WITH_FLAG: Final = frozenset({"KAFKA_SASL_PASSWORD", "NEO4J_PASSWORD", "SCHEMA_REGISTRY_PASSWORD"})


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret is: the file `file`, or else the environment variable `env`; "" for neither."""

    env: str = ""
    file: str = ""

    def read(self) -> str:
        """The secret; WrongSetting with the remedy where it cannot be read. A file's last newline does not count."""
        if self.file:
            secret = self._read_file().removesuffix("\n")
            if not secret:
                raise WrongSetting(f"The secret file {self.file} is empty; write the secret into it.")
            return secret
        if self.env and (value := os.environ.get(self.env)):
            return value
        flag = f", or name a file with --{self.env.lower()}_file" if self.env in _WITH_FLAG else ""
        raise WrongSetting(f"{self.env} is not set; set it, or {self.env}_FILE, in the environment{flag}.")

    def _read_file(self) -> str:
        try:
            return Path(self.file).read_bytes().decode("utf-8")
        except OSError as error:
            said = error.strerror
        except UnicodeDecodeError:
            said = "it is not UTF-8"
        raise WrongSetting(f"The secret file {self.file} cannot be read ({said}); fix its path, its content or its permissions.")

    def read_verbatim(self) -> str:
        """The secret as others who read the same place see it, a file's last newline included."""
        return self._read_file() if self.file else self.read()
