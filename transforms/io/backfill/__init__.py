"""What a backfill reads, and the ledger of what it has done."""
