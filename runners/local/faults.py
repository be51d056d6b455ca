"""What can go wrong with the local stack, in one sentence with the remedy."""


class StackFault(Exception):
    """The stack cannot be started, stopped or asked; the message says what to do."""
