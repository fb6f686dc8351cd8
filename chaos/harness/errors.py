"""The two ways in which an experiment ends early."""


class Skipped(Exception):
    """This machine cannot do it; the text says what is missing."""


class Broken(Exception):
    """What must hold does not."""
