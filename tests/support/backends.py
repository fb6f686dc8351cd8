"""Backends that remember every item they accepted, and that refuse in every way a real one may.

What to answer is a list of answers, used one by one, and then `always`, which stands until it is changed:

    backend.next(refuse(StatusCode.UNAVAILABLE), hang())     # these two, then OK again
    backend.always = status(503, {"Retry-After": "1"})       # from now on
"""

import base64
import collections
import gzip
import http.server
import json
import sys
import threading
import time
import zlib
from concurrent import futures

import cramjam
import grpc
import zstandard
from google.protobuf import any_pb2, duration_pb2, json_format
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from . import otlp
from .ports import free_port
from .waiting import until

Received = collections.namedtuple("Received", "signal metadata body message ids when accepted")


class Answer:
    """What a backend does with one request. The kinds that make no sense for a transport are not offered to it."""

    def __init__(self, kind, **details):
        self.kind = kind
        self.__dict__.update(details)

    def __repr__(self):
        return f"Answer({self.__dict__})"


def ok():
    return Answer("ok")


def slow(seconds):
    """Accepts, later."""
    return Answer("ok", delay=seconds)


def partial(rejected, message):
    """Accepts all but so many items."""
    return Answer("partial", rejected=rejected, message=message)


def refuse(code, message="refused by the test", retry_delay=None):
    """gRPC: fails with the code; `retry_delay` in seconds adds RetryInfo."""
    return Answer("refuse", code=code, message=message, retry_delay=retry_delay)


def status(code, headers=None, body=b""):
    """HTTP: answers with that status."""
    return Answer("status", code=code, headers=headers or {}, body=body)


def hang():
    """Takes the request and never answers, until the backend stops."""
    return Answer("hang")


def cut():
    """HTTP: reads the request and closes the connection without a word."""
    return Answer("cut")


def accept_but_hide():
    """HTTP: keeps the items and closes the connection, so that the sender cannot know."""
    return Answer("hide")


class Backend:
    """What both transports share: the memory and the script."""

    def __init__(self):
        self.port = free_port()
        self.always = ok()
        self.requests = []
        self.errors = []  # what a real backend would answer 400 to; no test wants that unasked
        self._script = collections.deque()
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def next(self, *answers):
        with self._lock:
            self._script.extend(answers)

    def judge(self, _message):
        """The answer to one request; a test may put its own function here, to look at the message first."""
        with self._lock:
            return self._script.popleft() if self._script else self.always

    def _remember(self, signal, metadata, body, message, accepted):
        received = Received(
            signal, metadata, body, message, otlp.ids(signal, message), time.monotonic(), accepted
        )
        with self._lock:
            self.requests.append(received)

    def accepted(self, signal=None):
        """The requests that were accepted, in order of arrival."""
        with self._lock:
            return [one for one in self.requests if one.accepted and signal in (None, one.signal)]

    def records(self):
        """The log records that were accepted, in order of arrival."""
        return [
            record
            for request in self.accepted(otlp.LOGS)
            for resource in request.message.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]

    def metrics(self):
        """The metrics that were accepted, in order of arrival."""
        return [
            metric
            for request in self.accepted(otlp.METRICS)
            for resource in request.message.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ]

    def ids(self, signal=None):
        """The ids of all accepted items, in order of arrival, repeats included."""
        return [item for one in self.accepted(signal) for item in one.ids]

    def wait_for(self, ids, seconds=60):
        """Waits until every one of the ids has arrived."""
        wanted = set(ids)

        def missing():
            return wanted - set(self.ids())

        until(
            lambda: not missing(),
            lambda: f"{len(missing())} of {len(wanted)} items missing at the backend",
            seconds,
        )

    def wait_for_requests(self, count, seconds=60):
        """Waits until so many requests, accepted or not, were seen."""
        until(
            lambda: len(self.requests) >= count, lambda: f"{len(self.requests)} requests of {count}", seconds
        )

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        assert not self.errors, f"the backend could not read a request: {self.errors[0]!r}"


class GrpcBackend(Backend):
    """An OTLP/gRPC server on grpcio. `stop()` and `start()` take it away and bring it back on the same port."""

    def __init__(self, max_message_bytes=64 << 20, credentials=None, compression=None):
        super().__init__()
        self._server = None
        self._options = [
            ("grpc.max_receive_message_length", max_message_bytes),
            ("grpc.so_reuseport", 0),
        ]
        self._credentials = credentials
        self._compression = compression

    @property
    def endpoint(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        self._stopping.clear()
        # A hanging answer holds a thread, so there are more than any test hangs.
        self._server = grpc.server(
            futures.ThreadPoolExecutor(max_workers=32), options=self._options, compression=self._compression
        )
        for signal in otlp.ALL_SIGNALS:
            method = grpc.unary_unary_rpc_method_handler(self._handler(signal), None, None)
            self._server.add_generic_rpc_handlers(
                (grpc.method_handlers_generic_handler(signal.service, {"Export": method}),)
            )
        if self._credentials:
            bound = self._server.add_secure_port(f"127.0.0.1:{self.port}", self._credentials)
        else:
            bound = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        assert bound == self.port
        self._server.start()

    def stop(self):
        self._stopping.set()
        if self._server:
            self._server.stop(grace=0).wait()
            self._server = None

    def _handler(self, signal):
        def export(body, context):
            metadata = dict(context.invocation_metadata())
            try:
                message = signal.request.FromString(body)
            except DecodeError as error:
                self.errors.append(error)
                raise
            answer = self.judge(message)
            if answer.kind == "hang":
                self._remember(signal, metadata, body, message, False)
                self._stopping.wait()
                context.abort(grpc.StatusCode.UNAVAILABLE, "the backend stops")
            if getattr(answer, "delay", 0):
                self._stopping.wait(answer.delay)
            accepted = answer.kind in ("ok", "partial")
            self._remember(signal, metadata, body, message, accepted)
            if answer.kind == "refuse":
                self._refuse(context, answer)
            response = signal.response()
            if answer.kind == "partial":
                setattr(response.partial_success, signal.rejected, answer.rejected)
                response.partial_success.error_message = answer.message
            return response.SerializeToString()

        return export

    @staticmethod
    def _refuse(context, answer):
        if answer.retry_delay is not None:
            whole = int(answer.retry_delay)
            delay = duration_pb2.Duration(seconds=whole, nanos=int((answer.retry_delay - whole) * 1e9))
            detail = any_pb2.Any()
            detail.Pack(error_details_pb2.RetryInfo(retry_delay=delay))
            rich = status_pb2.Status(code=answer.code.value[0], message=answer.message, details=[detail])
            context.set_trailing_metadata((("grpc-status-details-bin", rich.SerializeToString()),))
        context.abort(answer.code, answer.message)


DECODE = {
    "": lambda body: body,
    "identity": lambda body: body,
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "zlib": zlib.decompress,
    "zstd": lambda body: zstandard.ZstdDecompressor().stream_reader(body, read_across_frames=True).read(),
    "snappy": lambda body: bytes(cramjam.snappy.decompress_raw(body)),
}


class HttpBackend(Backend):
    """An OTLP/HTTP server on Python's http.server."""

    def __init__(self, tls=None):
        super().__init__()
        self._server = None
        self._thread = None
        self._tls = tls

    @property
    def endpoint(self):
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def start(self):
        self._stopping.clear()
        backend = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body of the answer go out together; Nagle would hold the second for the peer's delayed ACK.
            wbufsize = -1
            disable_nagle_algorithm = True

            def do_POST(self):
                backend._serve_one(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                error = sys.exception()
                if not isinstance(error, OSError):  # a client that goes away is part of the tests
                    backend.errors.append(error)

        self._server = Server(("127.0.0.1", self.port), Handler)
        if self._tls:
            self._server.socket = self._tls.wrap_socket(self._server.socket, server_side=True)
        self._connections = set()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self):
        self._stopping.set()
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = None
            with self._lock:
                connections = list(self._connections)
            for connection in connections:
                try:
                    connection.shutdown(2)
                except OSError:
                    pass

    def _serve_one(self, handler):
        """Reads a request and has it served; on a backend that stops the connection ends."""
        with self._lock:
            self._connections.add(handler.connection)
        if self._stopping.is_set():
            handler.close_connection = True
            return
        body = self._read_body(handler)
        self._serve(handler, {key.lower(): value for key, value in handler.headers.items()}, body)

    def _serve(self, handler, metadata, body):
        signal = next((one for one in otlp.ALL_SIGNALS if one.http_path == handler.path), None)
        if signal is None:
            self._answer(handler, 404, {}, b"")
            return
        message = self._parse(signal, metadata, body)
        answer = self.judge(message)
        accepted = answer.kind in ("ok", "partial", "hide")
        if getattr(answer, "delay", 0):
            self._stopping.wait(answer.delay)
        self._remember(signal, metadata, body, message, accepted)
        if answer.kind == "hang":
            self._stopping.wait()
        if answer.kind in ("hang", "cut", "hide"):
            handler.close_connection = True
        elif answer.kind == "status":
            self._answer(handler, answer.code, answer.headers, answer.body)
        else:
            self._answer_ok(handler, signal, metadata, answer)

    @staticmethod
    def _read_body(handler):
        if "chunked" not in handler.headers.get("Transfer-Encoding", ""):
            return handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        pieces = []
        while size := int(handler.rfile.readline().split(b";")[0], 16):
            pieces.append(handler.rfile.read(size))
            handler.rfile.readline()
        while handler.rfile.readline().strip():
            pass
        return b"".join(pieces)

    @staticmethod
    def _parse(signal, metadata, body):
        plain = DECODE[metadata.get("content-encoding", "")](body)
        if metadata["content-type"].startswith("application/json"):
            return otlp_json(signal, plain)
        return signal.request.FromString(plain)

    def _answer_ok(self, handler, signal, metadata, answer):
        response = signal.response()
        if answer.kind == "partial":
            setattr(response.partial_success, signal.rejected, answer.rejected)
            response.partial_success.error_message = answer.message
        if metadata["content-type"].startswith("application/json"):
            body = json_format.MessageToJson(response).encode()
        else:
            body = response.SerializeToString()
        self._answer(handler, 200, {"Content-Type": metadata["content-type"]}, body)

    @staticmethod
    def _answer(handler, code, headers, body):
        handler.send_response(code)
        for key, value in headers.items():
            handler.send_header(key, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
        handler.wfile.flush()


def otlp_json(signal, text):
    """Parses OTLP/JSON: protobuf's JSON but for ids, which are hex there and base64 here."""

    def walk(node):
        if isinstance(node, dict):
            for key, entry in node.items():
                if key in ("traceId", "spanId", "parentSpanId") and isinstance(entry, str):
                    node[key] = base64.b64encode(bytes.fromhex(entry)).decode()
                else:
                    walk(entry)
        elif isinstance(node, list):
            for entry in node:
                walk(entry)
        return node

    return json_format.ParseDict(walk(json.loads(text)), signal.request(), ignore_unknown_fields=True)
