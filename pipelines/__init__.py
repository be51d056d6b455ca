"""Entry points: what people and schedulers run with `python -m`."""

import logging

# Beam mentions a missing optional package on the root logger while it is imported, before any entry point can
# configure logs. A handler that drops it keeps it off the terminal; `configure_logs` replaces it.
logging.getLogger().addHandler(logging.NullHandler())
