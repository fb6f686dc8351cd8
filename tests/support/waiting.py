"""Waiting for a condition, never for a time."""

import time


class NeverCame(AssertionError):
    """The condition did not come true before the deadline."""


def until(condition, what, seconds=60, pause=0.02):
    """Calls `condition` until it returns something true, which is returned. `what` may be a callable
    that describes the present state for the failure's message. The time is that of a busy machine under a
    sanitizer."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise NeverCame(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(pause)
