"""A TCP line before a local port: it may lead elsewhere for new connections, be cut, and swallow what is answered."""

import contextlib
import socket
import threading


class Line:
    """`behind` is the port that new connections lead to. With `answer_bytes` only so many bytes of each new connection come
    back; what its client sends arrives all the same, so that it cannot know what was taken."""

    def __init__(self, behind, answer_bytes=None):
        self.behind, self.answer_bytes = behind, answer_bytes
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.lock, self.ends = threading.Lock(), []

    def __enter__(self):
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()

    def cut(self):
        """Ends the connections that there are."""
        with self.lock:
            for one in self.ends:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            self.ends.clear()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self.behind), 10)
                except OSError:
                    near.close()
                    continue
                far.settimeout(None)
                with self.lock:
                    self.ends += [near, far]
                for source, sink, most in ((near, far, None), (far, near, self.answer_bytes)):
                    threading.Thread(target=self._carry, args=(source, sink, most), daemon=True).start()

    @staticmethod
    def _carry(source, sink, most):
        with contextlib.suppress(OSError):
            while part := source.recv(65536):
                if most is not None:
                    part, most = part[:most], most - len(part[:most])
                sink.sendall(part)
            sink.shutdown(socket.SHUT_WR)
