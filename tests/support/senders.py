"""Senders: one raw request over either transport, a steady load that keeps the truth, and the official SDK."""

import gzip
import threading
import zlib

import cramjam
import grpc
import requests
import zstandard

from . import otlp
from .waiting import until

ENCODE = {
    "": lambda body: body,
    "gzip": gzip.compress,
    "zstd": lambda body: zstandard.ZstdCompressor(level=1).compress(body),
    "deflate": zlib.compress,
    "snappy": lambda body: bytes(cramjam.snappy.compress_raw(body)),
}


class GrpcSender:
    """A grpcio channel that sends bytes as they are."""

    def __init__(self, target, credentials=None, compression=None):
        options = [
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
            # Reconnect at once: the tests take the server away and bring it back.
            ("grpc.initial_reconnect_backoff_ms", 50),
            ("grpc.min_reconnect_backoff_ms", 5000),  # which is how long one attempt may take, on a busy machine
            ("grpc.max_reconnect_backoff_ms", 100),
            ("grpc.use_local_subchannel_pool", 1),
        ]
        if credentials:
            self.channel = grpc.secure_channel(target, credentials, options=options, compression=compression)
        else:
            self.channel = grpc.insecure_channel(target, options=options, compression=compression)
        self._methods = {one.name: self.channel.unary_unary(one.method_path) for one in otlp.ALL_SIGNALS}

    def export(self, signal, body, metadata=None, timeout=30):
        """Sends one request; returns the parsed response or raises grpc.RpcError."""
        if not isinstance(body, bytes):
            body = body.SerializeToString()
        answer = self._methods[signal.name](body, metadata=metadata, timeout=timeout)
        return signal.response.FromString(answer)

    def export_at_once(self, signal, messages, timeout=30):
        """Sends several requests without waiting between them."""
        calls = [self._methods[signal.name].future(one.SerializeToString(), timeout=timeout) for one in messages]
        for call in calls:
            call.result()

    def code(self, signal, body, **options):
        """The status code alone."""
        try:
            self.export(signal, body, **options)
        except grpc.RpcError as error:
            return error.code()
        return grpc.StatusCode.OK

    def close(self):
        self.channel.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def post(
    base,
    signal,
    body,
    coding="",
    content_type="application/x-protobuf",
    headers=None,
    session=requests,
    **options,
):
    """POSTs one request as OTLP/HTTP does; returns the response whatever its status."""
    if hasattr(body, "SerializeToString"):
        body = body.SerializeToString()
    wanted = {"Content-Type": content_type, **(headers or {})}
    if coding:
        wanted["Content-Encoding"] = coding
    options.setdefault("timeout", 30)
    return session.post(base + signal.http_path, data=ENCODE[coding](body), headers=wanted, **options)


class Load:
    """Threads that send without pause until told to stop; every acknowledged id is kept.

    `paths` are (signal, "grpc" or "http") pairs, one thread each. A request that failed is not sent again, so its
    items may arrive or not; one that was acknowledged must.
    """

    def __init__(self, holdfast, paths, items=10, padding="", pause=0.0):
        self._holdfast = holdfast
        self._items, self._padding, self._pause = items, padding, pause
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.acknowledged = []
        self.offered = []
        self.refused = 0
        self.failures = {}
        self._threads = [threading.Thread(target=self._run, args=path, daemon=True) for path in paths]

    def start(self):
        for thread in self._threads:
            thread.start()
        return self

    def stop(self):
        """Stops and returns the acknowledged ids."""
        self._stop.set()
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive(), "a sender did not come to an end"
        return self.acknowledged

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def _run(self, signal, transport):
        send = {"grpc": self._send_grpc, "http": self._send_http}[transport]
        with GrpcSender(self._holdfast.grpc_target) as sender, requests.Session() as session:
            while not self._stop.is_set():
                ids = otlp.new_ids(self._items)
                body = otlp.request(signal, ids, self._padding)
                with self._lock:
                    self.offered += ids
                problem = send(signal, body, sender, session)
                with self._lock:
                    if problem is None:
                        self.acknowledged += ids
                    else:
                        self.refused += 1
                        self.failures[problem] = self.failures.get(problem, 0) + 1
                if problem is not None or self._pause:
                    self._stop.wait(max(self._pause, 0.02))

    @staticmethod
    def _send_grpc(signal, body, sender, _):
        code = sender.code(signal, body, timeout=5)
        return None if code is grpc.StatusCode.OK else code.name

    def _send_http(self, signal, body, _, session):
        try:
            status = post(self._holdfast.http_base, signal, body, session=session, timeout=5).status_code
        except requests.RequestException as error:
            return type(error).__name__
        return None if status == 200 else str(status)


def wait_for_acknowledged(load, count, seconds=60):
    """Waits until the load has so many acknowledged items."""
    until(
        lambda: len(load.acknowledged) >= count,
        lambda: f"{len(load.acknowledged)} of {count}; {load.failures}",
        seconds,
    )
