"""A sender and a backend of few lines, where order or single answers matter and speed does not: OTLP/HTTP logs."""

import http.client
import http.server
import socket
import threading

from .errors import Broken


def _varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _field(number, content):
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def logs_request(number, padding=0):
    """An Export request of one log record whose body is `number`."""
    record = _field(5, _field(1, b"number=%d;" % number + b"." * padding))
    return _field(1, _field(2, _field(2, record)))


def numbers_in(body):
    """The numbers of all records in an Export request made of such."""
    return [int(part.split(b";", 1)[0]) for part in body.split(b"number=")[1:]]


def post(holdfast, body, timeout=10, path="/v1/logs", headers=None):
    """The status of one request; 0 when there was no answer."""
    host, port = holdfast.http.split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/x-protobuf", **(headers or {})})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def post_all(holdfast, numbers, padding=0):
    """One request for each number over one connection, in order; each must get OK."""
    host, port = holdfast.http.split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=20)
    for number in numbers:
        connection.request("POST", "/v1/logs", logs_request(number, padding), {"Content-Type": "application/x-protobuf"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise Broken(f"request {number} was answered {answer.status}")
    connection.close()


class Backend:
    """Takes OTLP/HTTP and keeps the order. `answer(count)` gives (status, headers), or None to cut the connection.
    With a `token` whoever does not bear it is answered 401."""

    def __init__(self, answer=lambda count: (200, {})):
        self.answer, self.order, self.asked = answer, [], 0
        self.token, self.refused = None, 0
        self.lock = threading.Lock()
        backend = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                backend.serve(self, body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # a victim that dies in the middle is what is wanted
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def serve(self, handler, body):
        with self.lock:
            verdict = self.answer(self.asked)
            if self.token is not None and handler.headers.get("Authorization") != f"Bearer {self.token}":
                verdict = (401, {})
                self.refused += 1
            self.asked += 1
            if verdict is not None and verdict[0] == 200:
                self.order += numbers_in(body)
        if verdict is None:
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        status, headers = verdict
        handler.send_response(status)
        for key, value in {"Content-Length": "0", "Content-Type": "application/x-protobuf", **headers}.items():
            handler.send_header(key, value)
        handler.end_headers()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
