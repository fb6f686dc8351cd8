"""A server of OpAMP that remembers what agents report: over WebSockets (the library `websockets`) and over HTTP, with
the messages of our proto/ compiled by protoc for Python."""

import functools
import http.server
import importlib
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

from .waiting import until

PROTO = Path(__file__).resolve().parents[2] / "proto"


@functools.cache
def messages():
    """The module of proto/opamp/opamp.proto."""
    target = tempfile.mkdtemp(prefix="opamp-proto-")
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", "-I", PROTO, f"--python_out={target}", "opamp/opamp.proto"],
        check=True,
    )
    sys.path.insert(0, target)
    try:
        return importlib.import_module("opamp.opamp_pb2")
    finally:
        sys.path.remove(target)


class Server:
    """What both transports share: the memory, and what is answered."""

    def __init__(self):
        self.reports = []  # AgentToServer, in the order of arrival
        self.headers = []  # of the request of each report
        self.answers = []  # ServerToAgent, for the next reports, one each
        self.port = 0
        self._lock = threading.Lock()

    def take(self, body, headers):
        """Remembers a report; the answer to it."""
        proto = messages()
        report = proto.AgentToServer.FromString(body)
        with self._lock:
            self.reports.append(report)
            self.headers.append(headers)
            answer = self.answers.pop(0) if self.answers else proto.ServerToAgent()
        answer.instance_uid = report.instance_uid
        return answer.SerializeToString()

    def __exit__(self, *_):
        self.close()

    def wait_for(self, found, what, seconds=60):
        """The first report of which `found` is true."""
        return until(lambda: next(filter(found, list(self.reports)), None), what, seconds)

    def wait_full(self, after=0):
        """The first report with everything, behind so many."""
        return until(
            lambda: next((one for one in self.reports[after:] if one.HasField("agent_description")), None),
            lambda: f"no full report: {self.reports[after:]}",
        )


class HttpServer(Server):
    """POST of AgentToServer, answered by ServerToAgent."""

    def __init__(self):
        super().__init__()
        self.codes = []  # instead of the next answers: (status, headers)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if outer.codes:
                    code, headers = outer.codes.pop(0)
                    answer = b""
                else:
                    code, headers = 200, {"Content-Type": "application/x-protobuf"}
                    answer = outer.take(body, {key.lower(): value for key, value in self.headers.items()})
                self.send_response(code)
                for key, value in {**headers, "Content-Length": str(len(answer))}.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/v1/opamp"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class WebSocketServer(Server):
    """A WebSocket for each agent. `send()` tells all that are connected something."""

    def __init__(self, port=0, context=None, refuse=None):
        super().__init__()
        self.connections = []  # that are open
        self.opened = 0
        self.closes = []  # the code with which each connection ended
        self.refuse = refuse  # (connection, request) -> an HTTP answer instead of the WebSocket
        self.server = serve(
            self._serve,
            "127.0.0.1",
            port,
            ssl=context,
            process_request=self._judge,
            ping_interval=0.5,
            ping_timeout=20,
        )
        self.port = self.server.socket.getsockname()[1]
        self.url = f"{'wss' if context else 'ws'}://127.0.0.1:{self.port}/v1/opamp"

    def _judge(self, connection, request):
        return self.refuse(connection, request) if self.refuse else None

    def _serve(self, connection):
        headers = {key.lower(): value for key, value in connection.request.headers.raw_items()}
        self.connections.append(connection)
        self.opened += 1
        try:
            for message in connection:
                assert message[:1] == b"\0", "a message begins with a header of 0"
                connection.send(b"\0" + self.take(message[1:], headers))
        except ConnectionClosed:
            pass
        finally:
            self.connections.remove(connection)
            self.closes.append(connection.protocol.close_code)

    def send(self, answer, fragments=1):
        body = b"\0" + answer.SerializeToString()
        size = -(-len(body) // fragments)
        parts = [body[at : at + size] for at in range(0, len(body), size)]
        for connection in list(self.connections):
            connection.send(parts if len(parts) > 1 else body)

    def cut(self):
        """Ends all connections without a word."""
        for connection in list(self.connections):
            connection.socket.shutdown(2)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def close(self):
        self.server.shutdown()
        for connection in list(self.connections):
            connection.close()
        until(lambda: not self.connections or time.sleep(0.1), "the connections did not end", 20)
