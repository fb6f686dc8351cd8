"""A line that knows HTTP/2 frames, between the victim and a backend."""

import struct

from .proxy import Proxy

PREFACE_BYTES = 24
HEADERS, GOAWAY, WINDOW_UPDATE = 1, 7, 8


class H2Line(Proxy):
    """As a proxy, and: "goaway" (once), "windows" (the backend's updates are held back until told otherwise)."""

    def __init__(self, lab, to_port):
        self.buffers, self.held, self.begun, self.last_stream = {}, {}, {}, {}
        self.goaways = 0
        super().__init__(lab, to_port)

    def _send(self, one, data):
        """Whole frames only; what is left waits for the rest."""
        near = one in self.near
        if one not in self.buffers:
            self.buffers[one] = bytearray()
            if near:
                self.pairs[one].sendall(data[:PREFACE_BYTES])
                data = data[PREFACE_BYTES:]
        buffer = self.buffers[one]
        buffer += data
        out = bytearray()
        while len(buffer) >= 9 and len(buffer) >= 9 + (size := int.from_bytes(buffer[:3], "big")):
            frame = bytes(buffer[: 9 + size])
            del buffer[: 9 + size]
            out += self._from_victim(one, frame) if near else self._from_backend(one, frame)
        if not near and self.how != "windows":
            out += self.held.pop(one, b"")
        self.pairs[one].sendall(out)

    def _from_victim(self, one, frame):
        stream = int.from_bytes(frame[5:9], "big")
        if stream > self.last_stream.get(one, 1 << 31):
            return b""
        self.begun[one] = max(stream, self.begun.get(one, 0))
        return frame

    def _from_backend(self, one, frame):
        kind = frame[3]
        if kind == WINDOW_UPDATE and self.how == "windows":
            self.held[one] = self.held.get(one, b"") + frame
            return b""
        if kind == HEADERS and self.how == "goaway":
            # What the backend has not seen yet it is not shown from here on: "not processed" is true.
            self.how = None
            self.goaways += 1
            last = self.last_stream[self.pairs[one]] = self.begun[self.pairs[one]]
            return struct.pack(">I", 8)[1:] + bytes([GOAWAY, 0]) + struct.pack(">III", 0, last, 0) + frame
        return frame
