"""How and where the flow runs: per runner its defaults and preflight checks, and the Java side."""
