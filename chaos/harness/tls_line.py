"""A line with TLS on one of its two ends, since holdfast-storm speaks none. Slow, but the load is light."""

import select
import socket
import ssl
import threading


class TlsLine:
    """`towards`: the victim's port, reached with TLS from plain senders. Else `to_port` is a plain backend, and the
    victim comes with TLS. Certificates are read anew for each connection; a handshake that fails is counted. `behind`
    gives the addresses that may stand there instead, in the order in which they are tried."""

    def __init__(self, lab, to_port, contexts, towards, at=("127.0.0.1", 0), behind=None):
        self.contexts, self.towards = contexts, towards
        self.behind = behind or (lambda: [("127.0.0.1", to_port)])
        self.failed, self.good, self.pairs, self.running = 0, 0, [], True
        self.listener = socket.create_server(at, backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()
        lab.stack.callback(self.close)

    def cut_all(self):
        """So that what comes next is a new handshake."""
        for one in [end for pair in self.pairs for end in pair]:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.running = False
        self.listener.close()
        self.cut_all()

    def _serve(self):
        while self.running:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near):
        near.settimeout(5)
        pair = None
        try:
            far = self._far()
            if self.towards:
                far = self.contexts().wrap_socket(far, server_hostname="localhost")
            else:
                near = self.contexts().wrap_socket(near, server_side=True)
            self.good += 1
            pair = (near, far)
            self.pairs.append(pair)
            self._pump(near, far)
        except OSError:  # ssl's errors are some
            self.failed += pair is None
        finally:
            if pair is not None:
                self.pairs.remove(pair)
            near.close()
            if "far" in locals():
                far.close()

    def _far(self):
        error = None
        for address in self.behind():
            try:
                return socket.create_connection(address, timeout=5)
            except OSError as refused:
                error = refused
        raise error

    @staticmethod
    def _pump(near, far):
        other = {near: far, far: near}
        while True:
            ready = [one for one in other if isinstance(one, ssl.SSLSocket) and one.pending()]
            for one in ready or select.select([near, far], [], [], 1)[0]:
                data = one.recv(65536)
                if not data:
                    return
                other[one].sendall(data)
