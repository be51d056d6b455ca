"""Backfills and the archive that they read.

Exit codes: 0 done, 1 failed (one sentence says why), 2 wrong usage.
"""

import typer

from pipelines.backfill_compact import compact
from pipelines.logs import configure_logs
from pipelines.options.flow import LogLevel, log_level

app = typer.Typer(add_completion=False, rich_markup_mode=None, help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def main(level: LogLevel = "WARNING") -> None:
    configure_logs(log_level(level))


app.command()(compact)


if __name__ == "__main__":
    app()
