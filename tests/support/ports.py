"""Free ports that nobody else will be given: below the kernel's own range, each handed out once.

A port is free until somebody binds it, which may be a second after it was handed out. So the test processes of a user
take blocks of ports in turn, from a file that they share."""

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

FIRST, COUNT = 12000, 18000  # below 32768, where Linux begins to give ports to clients
BLOCK = 50

_block = iter(())


def _is_free(port):
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "0.0.0.0")):
        with socket.socket(family) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True


def _take_block():
    with open(Path(tempfile.gettempdir()) / f"holdfast-ports-{os.getuid()}", "a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        number = int(text) % (COUNT // BLOCK) if text else random.randrange(COUNT // BLOCK)
        file.truncate(0)
        file.write(str(number + 1))
    return iter(range(FIRST + number * BLOCK, FIRST + (number + 1) * BLOCK))


def _next_port():
    global _block
    port = next(_block, None)
    if port is None:
        _block = _take_block()
        port = next(_block)
    return port


def free_port():
    """A TCP port on which nothing listens."""
    for _ in range(COUNT):
        port = _next_port()
        if _is_free(port):
            return port
    raise RuntimeError("no free port")


def is_bound(port):
    """Whether somebody receives at that port of TCP or UDP: a socket that listens, or any one of UDP."""
    ending, listens = f":{port:04X}", "0A"
    for name in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            if local.endswith(ending) and (name.startswith("udp") or state == listens):
                return True
    return False
