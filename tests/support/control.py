"""The control protocol, as docs/control.md describes it: asked over the socket, without our own client."""

import json
import os
import socket


def connect(data_directory):
    """A connection to the control socket, whatever the length of its path."""
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(30)
    directory = os.open(data_directory, os.O_PATH | os.O_DIRECTORY)
    try:
        client.connect(f"/proc/self/fd/{directory}/control")
    except OSError:
        client.close()
        raise
    finally:
        os.close(directory)
    return client


def send(client, *words):
    client.sendall(b"".join(str(word).encode() + b"\0" for word in words) + b"\0")


def ask(data_directory, *words):
    """(exit code, text) of one command; the code is None when the answer was cut off."""
    with connect(data_directory) as client:
        send(client, *words)
        answer = b""
        while piece := client.recv(1 << 16):
            answer += piece
    return (answer[-1], answer[:-1].decode()) if answer else (None, "")


def status(holdfast, *sections):
    """The answer to `status`, parsed."""
    code, text = ask(holdfast.data_directory, "status", *sections)
    assert code == 0, text
    return json.loads(text)


def one(entries, **members):
    """The only entry of a list that has these members."""
    found = [entry for entry in entries if members.items() <= entry.items()]
    assert len(found) == 1, f"{len(found)} entries with {members} among {entries}"
    return found[0]
