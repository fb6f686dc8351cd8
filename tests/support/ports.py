"""Free ports that nobody else will be given: below the kernel's own range, each handed out once."""

import itertools
import os
import socket

FIRST, COUNT = 12000, 18000  # below 32768, where Linux begins to give ports to clients

_next = itertools.count(hash((os.getpid(), os.times().elapsed)) % COUNT)


def _is_free(port):
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "0.0.0.0")):
        with socket.socket(family) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True


def free_port():
    """A TCP port on which nothing listens."""
    for _ in range(COUNT):
        port = FIRST + next(_next) % COUNT
        if _is_free(port):
            return port
    raise RuntimeError("no free port")
