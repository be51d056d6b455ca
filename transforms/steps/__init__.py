"""The steps of the flow as Beam transforms; they wire, the pure packages decide."""
