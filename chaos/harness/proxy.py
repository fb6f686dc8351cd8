"""A line between two parties, which stalls, breaks at any byte, or is not there."""

import selectors
import socket
import struct
import threading

RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Forwards connections to a local port until told to misbehave: cut, "cut later", stall, refuse, "silent" (what is
    connected hears and says nothing any more, and is never told); None: well."""

    def __init__(self, lab, to_port, at=("127.0.0.1", 0)):
        self.to_port, self.random = to_port, lab.random
        self.how, self.cuts, self.after, self.cutting = None, 0, 0, False
        self.listener = socket.create_server(at, backlog=128)
        self.port = self.listener.getsockname()[1]
        self.pairs, self.near, self.deaf, self.running = {}, set(), set(), True
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        threading.Thread(target=self._serve, daemon=True).start()
        lab.stack.callback(self.close)

    def misbehave(self, how):
        self.after = self.random.randrange(1, 200_000)
        if how == "silent":
            self.deaf |= set(self.pairs)
        self.how = how

    def cut_all(self):
        """Once, whatever else it does."""
        self.cutting = True

    def close(self):
        self.running = False

    def _serve(self):
        while self.running:
            if self.how == "cut" or self.cutting:
                for one in list(self.pairs):
                    self._cut(one)
                self.how, self.cutting = None if self.how == "cut" else self.how, False
            ready = self.selector.select(0.02)
            if self.how == "stall":
                threading.Event().wait(0.02)
                continue
            for key, _ in ready:
                if key.fileobj is self.listener:
                    self._accept()
                elif key.fileobj in self.pairs:
                    self._forward(key.fileobj)

    def _accept(self):
        near, _ = self.listener.accept()
        if self.how == "refuse":
            self._reset(near)
            return
        try:
            far = socket.create_connection(("127.0.0.1", self.to_port), timeout=2)
        except OSError:
            self._reset(near)
            return
        self.near.add(near)
        for one, other in ((near, far), (far, near)):
            one.settimeout(2)
            self.pairs[one] = other
            self.selector.register(one, selectors.EVENT_READ)

    def _forward(self, one):
        if one in self.deaf:
            self.selector.unregister(one)  # the kernel acknowledges what comes, until its buffers are full
            return
        try:
            data = one.recv(65536)
            if self.how == "cut later":
                if len(data) >= self.after:
                    data = data[: self.after]
                self.after -= len(data)
            if data:
                self._send(one, data)
        except OSError:
            data = b""
        if not data or (self.how == "cut later" and self.after <= 0):
            self._cut(one)

    def _send(self, one, data):
        self.pairs[one].sendall(data)

    def _cut(self, one):
        other = self.pairs.get(one)
        if other is None:
            return
        self.cuts += 1
        for end in (one, other):
            self.pairs.pop(end, None)
            self.near.discard(end)
            if end in self.selector.get_map():
                self.selector.unregister(end)
            self._reset(end)

    @staticmethod
    def _reset(end):
        try:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        except OSError:
            pass
        end.close()
