"""Whether a tenant is alive, when it is purged, and what lives after a purge."""
