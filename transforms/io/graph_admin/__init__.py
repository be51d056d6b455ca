"""What is done to graphs beside writing records: leases, retention, quarantine, comparison, and the registry of tenants."""
