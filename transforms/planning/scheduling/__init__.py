"""How much is taken at once: slices, transactions, and the plan of a backfill."""
