"""What can go wrong with the embedded stack, each told in one sentence."""


class StackError(Exception):
    """The stack cannot do what was asked; its text is one clear sentence for a person."""
