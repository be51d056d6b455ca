"""What `tenants reap`, `forget` and `show` are told."""

from typing import Annotated, Final

import typer

from transforms.model.limits import LEAST_PURGE_ROWS, PURGE_ROWS

Tenant = Annotated[str, typer.Argument(metavar="CLIENT_ID", help="The tenant.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask; needed where there is no terminal to ask at.")]
SliceRows = Annotated[
    int, typer.Option("--slice_rows", min=LEAST_PURGE_ROWS, max=20_000, help="Relationships or nodes taken away per transaction.")
]
DEFAULT_SLICE_ROWS: Final = PURGE_ROWS
