"""gRPC by hand over the h2 library: any coding, and everything that a polite client would never send."""

import base64
import gzip
import socket
import struct
import urllib.parse
import zlib

import cramjam
import h2.config
import h2.connection
import h2.events
import zstandard
from google.rpc import error_details_pb2, status_pb2

# gRPC's snappy is the framed format; its deflate is zlib's.
ENCODE = {
    "identity": lambda body: body,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": lambda body: zstandard.ZstdCompressor().compress(body),
    "snappy": lambda body: bytes(cramjam.snappy.compress(body)),
}


class Reply:
    """What came back on one stream."""

    def __init__(self):
        self.headers, self.trailers = {}, {}
        self.data = b""
        self.reset = None  # the error code of an RST_STREAM
        self.ended = False

    def _field(self, name):
        return self.trailers.get(name, self.headers.get(name))

    @property
    def http_status(self):
        return int(self.headers[":status"])

    @property
    def code(self):
        """grpc-status as a number, None when there is none."""
        value = self._field("grpc-status")
        return None if value is None else int(value)

    @property
    def text(self):
        return urllib.parse.unquote(self._field("grpc-message") or "")

    @property
    def retry_delay(self):
        """Seconds of RetryInfo, None when there is none."""
        packed = self._field("grpc-status-details-bin")
        if packed is None:
            return None
        rich = status_pb2.Status.FromString(base64.b64decode(packed + "=" * (-len(packed) % 4)))
        for detail in rich.details:
            info = error_details_pb2.RetryInfo()
            if detail.Unpack(info):
                return info.retry_delay.seconds + info.retry_delay.nanos / 1e9
        return None

    @property
    def message(self):
        """The one message, decoded."""
        flag, size = struct.unpack(">BI", self.data[:5])
        body = self.data[5:]
        assert len(body) == size
        if flag:
            coding = self.headers.get("grpc-encoding")
            return {"gzip": gzip.decompress, "deflate": zlib.decompress}[coding](body)
        return body


def frame(body, compressed=False):
    """A body behind gRPC's five-byte prefix."""
    return struct.pack(">BI", int(compressed), len(body)) + body


class RawGrpc:
    """One HTTP/2 connection."""

    def __init__(self, port, timeout=30, host="127.0.0.1"):
        self.socket = socket.create_connection((host, port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(header_encoding="utf-8", validate_outbound_headers=False)
        )
        self.h2.initiate_connection()
        self.replies = {}
        self.goaway = None
        self.flush()

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            self.socket.sendall(data)

    def headers(self, path, coding=None, extra=(), drop=(), method="POST", content_type="application/grpc"):
        fields = [
            (":method", method),
            (":scheme", "http"),
            (":path", path),
            (":authority", "test"),
            ("te", "trailers"),
            ("content-type", content_type),
        ]
        if coding:
            fields.append(("grpc-encoding", coding))
        return [field for field in fields if field[0] not in drop] + list(extra)

    def open(self, headers, end=False):
        stream = self.h2.get_next_available_stream_id()
        self.replies[stream] = Reply()
        self.h2.send_headers(stream, headers, end_stream=end)
        self.flush()
        return stream

    def send(self, stream, data, end=True):
        """Sends data as the windows allow; stops when the stream was answered."""
        while data:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(data))
            if room > 0:
                self.h2.send_data(stream, data[:room])
                data = data[room:]
                self.flush()
            elif not self.pump() or self.replies[stream].ended:
                return
        if end:
            self.h2.end_stream(stream)
            self.flush()

    def pump(self):
        """Reads once and takes in what came; False when the peer has closed."""
        data = self.socket.recv(65536)
        if not data:
            return False
        for event in self.h2.receive_data(data):
            self._take(event)
        self.flush()
        return True

    def _take(self, event):
        reply = self.replies.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.ResponseReceived):
            reply.headers.update(event.headers)
        elif isinstance(event, h2.events.TrailersReceived):
            reply.trailers.update(event.headers)
        elif isinstance(event, h2.events.DataReceived):
            reply.data += event.data
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            reply.ended = True
        elif isinstance(event, h2.events.StreamReset):
            if reply:
                reply.reset, reply.ended = event.error_code, True
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.goaway = event.error_code

    def wait(self, stream):
        """The reply, complete; or what there is of it when the connection ended."""
        while not self.replies[stream].ended and self.pump():
            pass
        return self.replies[stream]

    def call(self, path, body, coding=None, compressed=None, **options):
        """One unary call; the body is encoded as `coding` says."""
        stream = self.open(self.headers(path, coding, **options))
        flag = coding not in (None, "identity") if compressed is None else compressed
        self.send(stream, frame(ENCODE[coding or "identity"](body), flag))
        return self.wait(stream)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
