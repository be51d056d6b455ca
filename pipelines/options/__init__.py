"""Settings, parsed once: by flag, else by environment variable, else from the running local stack."""
