"""A front of brokers that makes clients sign in with SASL OAUTHBEARER (RFC 7628); the brokers behind it know no SASL.

It reads the requests of the signing in itself, hands on all others, and puts its own port in the place of the brokers'.
"""

import socket
import socketserver
import struct
import threading

VERSIONS, HANDSHAKE, AUTHENTICATE = 18, 17, 36
UNSUPPORTED_VERSION, AUTHENTICATION_FAILED = 35, 58


def _read(stream, size):
    data = b""
    while len(data) < size:
        more = stream.recv(size - len(data))
        if not more:
            raise ConnectionError("the peer has closed")
        data += more
    return data


def read_frame(stream):
    return _read(stream, struct.unpack(">i", _read(stream, 4))[0])


def write_frame(stream, data):
    stream.sendall(struct.pack(">i", len(data)) + data)


def _text(text):
    return struct.pack(">h", len(text)) + text.encode()


class SaslFront:
    """`accepts(token)` decides; `tokens` are those that were shown, in their order."""

    def __init__(self, brokers, accepts=lambda token: True):
        self.accepts = accepts
        self.tokens, self.mechanisms = [], []
        self._behind = ("127.0.0.1", int(brokers[0].rsplit(":", 1)[1]))
        self._open = set()
        self._lock = threading.Lock()
        front = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                front._serve(self.request)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.brokers = [f"127.0.0.1:{self.port}"]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def disconnect(self):
        """Ends every connection, as brokers do when the time of a session is over."""
        with self._lock:
            for one in self._open:
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _serve(self, client):
        try:
            with socket.create_connection(self._behind) as broker:
                with self._lock:
                    self._open |= {client, broker}
                try:
                    if self._sign_in(client, broker):
                        answers = threading.Thread(target=self._answers, args=(broker, client), daemon=True)
                        answers.start()
                        while True:
                            write_frame(broker, read_frame(client))
                finally:
                    with self._lock:
                        self._open -= {client, broker}
        except OSError:
            pass

    def _sign_in(self, client, broker):
        while True:
            request = read_frame(client)
            key, version, number = struct.unpack_from(">hhi", request)
            at = 8
            size = struct.unpack_from(">h", request, at)[0]
            body = request[at + 2 + max(size, 0) :]
            head = struct.pack(">i", number)
            if key == VERSIONS:
                write_frame(client, self._versions(broker, request) if version == 0 else head + struct.pack(">hi", UNSUPPORTED_VERSION, 0))
            elif key == HANDSHAKE:
                self.mechanisms.append(body[2:].decode())
                write_frame(client, head + struct.pack(">hi", 0, 1) + _text("OAUTHBEARER"))
            else:
                assert key == AUTHENTICATE, f"request {key} before the signing in"
                return self._judge(client, head, body[4:])

    @staticmethod
    def _versions(broker, request):
        """What the broker speaks, and how to sign in."""
        write_frame(broker, request)
        answer = read_frame(broker)
        number, error, count = struct.unpack_from(">ihi", answer)
        more = struct.pack(">hhhhhh", HANDSHAKE, 0, 1, AUTHENTICATE, 0, 0)
        return struct.pack(">ihi", number, error, count + 2) + answer[10 : 10 + 6 * count] + more

    def _judge(self, client, head, shown):
        parts = shown.split(b"\x01")
        assert parts[0].startswith(b"n,") and parts[1].startswith(b"auth=Bearer ") and parts[-2:] == [b"", b""], shown
        token = parts[1].removeprefix(b"auth=Bearer ").decode()
        self.tokens.append(token)
        if self.accepts(token):
            write_frame(client, head + struct.pack(">h", 0) + struct.pack(">h", -1) + struct.pack(">i", 0))
            return True
        # As brokers do: the reason in JSON, upon which the client sends one byte, then the refusal.
        why = b'{"status":"invalid_token"}'
        write_frame(client, head + struct.pack(">h", 0) + struct.pack(">h", -1) + struct.pack(">i", len(why)) + why)
        again = read_frame(client)
        head = again[4:8]
        write_frame(client, head + struct.pack(">h", AUTHENTICATION_FAILED) + _text("the token is not valid") + struct.pack(">i", 0))
        return False

    def _answers(self, broker, client):
        host = b"127.0.0.1"
        real, shown = (host + struct.pack(">i", port) for port in (self._behind[1], self.port))
        try:
            while True:
                write_frame(client, read_frame(broker).replace(real, shown))
        except OSError:
            self._shut(client)

    @staticmethod
    def _shut(client):
        try:
            client.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self.disconnect()
