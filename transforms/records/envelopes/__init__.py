"""The envelopes of the contract, and the other shapes in which agents write the same."""
