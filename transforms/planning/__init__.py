"""Pure functions: records to mutations, the order-free fold, and what a batch changes in the graph."""
