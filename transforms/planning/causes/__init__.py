"""What is wrong with a tenant's objects, what causes it, and which incidents that comes to: pure functions of its graph."""
