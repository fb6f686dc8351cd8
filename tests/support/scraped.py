"""A target to be scraped, and the points of an export request as plain rows."""

import base64
import gzip
import http.server
import struct
import threading

from . import otlp
from .ports import free_port

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"
KINDS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")


class Target:
    """Serves `page` at any path: a text, or a function of the number of the request. Keeps what was asked."""

    def __init__(self, page="", content_type=TEXT, port=None, tls=None):
        self.page, self.content_type = page, content_type
        self.status, self.headers, self.uses_gzip = 200, {}, False
        self.port = port or free_port()
        self.requests = []  # (path, headers)
        self.tls = tls
        self.server = None

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def url(self):
        return f"http://{self.address}"

    def __enter__(self):
        target = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                if target.server is None:  # stopped, but for connections that were kept
                    self.close_connection = True
                    return
                target.requests.append((self.path, {name.title(): value for name, value in self.headers.items()}))
                body = target.page(len(target.requests)) if callable(target.page) else target.page
                body = body.encode() if isinstance(body, str) else body
                self.send_response(target.status)
                if target.uses_gzip and "gzip" in self.headers.get("Accept-Encoding", ""):
                    body = gzip.compress(body)
                    self.send_header("Content-Encoding", "gzip")
                if target.content_type:
                    self.send_header("Content-Type", target.content_type)
                for name, value in target.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads, request_queue_size = True, 500

            def handle_error(self, *_):
                pass  # a client that has gone

        self.server = Server(("127.0.0.1", self.port), Handler)
        if self.tls:
            self.server.socket = self.tls.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


def _pairs(items):
    return {entry.key: otlp.value(entry.value) for entry in items}


def _number(point):
    return point.as_double if point.WhichOneof("value") == "as_double" else point.as_int


def _value(kind, point):
    """What the point says, as values that compare."""
    if point.flags & 1:
        return "stale"
    if kind in ("gauge", "sum"):
        return _number(point)
    if kind == "histogram":
        return (point.count, point.sum, tuple(point.explicit_bounds), tuple(point.bucket_counts))
    if kind == "summary":
        return (point.count, point.sum, tuple((q.quantile, q.value) for q in point.quantile_values))
    return (
        point.count,
        point.sum,
        point.scale,
        point.zero_count,
        (point.positive.offset, tuple(point.positive.bucket_counts)),
        (point.negative.offset, tuple(point.negative.bucket_counts)),
    )


def _exemplar(one):
    return {
        "value": one.as_double,
        "trace_id": one.trace_id.hex(),
        "span_id": one.span_id.hex(),
        "attributes": _pairs(one.filtered_attributes),
    }


def rows(message):
    """Each point: resource, scope, name, unit, description, kind, attributes, value, start, time, exemplars."""
    found = []
    for resource in message.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                kind = next(kind for kind in KINDS if metric.HasField(kind))
                data = getattr(metric, kind)
                for point in data.data_points:
                    found.append(
                        {
                            "resource": otlp.attributes(resource.resource),
                            "scope": (scope.scope.name, scope.scope.version, otlp.attributes(scope.scope)),
                            "name": metric.name,
                            "unit": metric.unit,
                            "description": metric.description,
                            "type": _pairs(metric.metadata).get("prometheus.type"),
                            "kind": kind,
                            "monotonic": kind == "sum" and data.is_monotonic,
                            "attributes": otlp.attributes(point),
                            "value": _value(kind, point),
                            "start": point.start_time_unix_nano,
                            "time": point.time_unix_nano,
                            "exemplars": [_exemplar(one) for one in getattr(point, "exemplars", ())],
                        }
                    )
    return found


def field(number, value):
    """A field of a protobuf message: a varint, a double, or bytes and texts."""

    def varint(integer):
        rest, low = integer >> 7, integer & 0x7F
        return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])

    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def delimited(*families):
    """Messages as the stream has them: each behind its size."""
    return b"".join(field(0, family)[1:] for family in families)


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
