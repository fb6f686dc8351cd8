"""Waiting for a condition, and ports that nobody else has."""

import itertools
import os
import socket
import time

from .errors import Broken

FIRST, COUNT = 10000, 22000  # below 32768, where Linux begins to give ports to clients
_next = itertools.count((os.getpid() * 97) % COUNT)


def until(condition, what, seconds=20, pause=0.02):
    """Calls `condition` until it is true and returns what it returned; Broken says `what` did not come."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise Broken(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(pause)


def free_port():
    """A TCP port on which nothing listens."""
    for _ in range(COUNT):
        port = FIRST + next(_next) % COUNT
        with socket.socket() as probe:
            try:
                probe.bind(("0.0.0.0", port))
                return port
            except OSError:
                continue
    raise Broken("no free port")
