"""Clients that mean harm."""

import gzip
import resource
import socket
import struct
import time
import zlib

from harness.plain import logs_request, post
from harness.victim import configuration, grpc_exporter

PROMISE = "E1: memory is bounded whatever clients send; the others are served meanwhile"
FAULT = "10,000 idle connections, slow-loris over HTTP and HTTP/2, rapid resets, header floods, decompression bombs, noise"
HOLDS = "lives; anonymous memory stays below 192 MiB; good senders go on; lost 0"

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + struct.pack(">I", 0)[1:] + b"\x04\x00" + bytes(4)
MEMORY_MAX = 192 << 20


def run(lab):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(16384, min(hard, 65536)), max(16384, hard)))
    lab.new_truth(items=20)
    sink = lab.sink()
    holdfast = lab.holdfast(configuration({"otlp": grpc_exporter(sink)}))
    holdfast.start()
    lab.load_all(holdfast, rate=2_000)
    lab.wait_acknowledged(400)
    attacks = (idle_connections, slow_loris, rapid_reset, header_flood, bombs, noise)
    for _ in range(lab.count(1, 10)):
        for attack in attacks:
            peak = attack(lab, holdfast)
            lab.fault()
            lab.require(holdfast.is_running(), f"ended by {attack.__name__}: {holdfast.last_words()}")
            lab.recovered(lab.wait_acknowledged(40, seconds=10))
            lab.note(f"{attack.__name__}: at most {peak >> 20} MiB of anonymous memory")
            lab.require(peak < MEMORY_MAX, f"{peak >> 20} MiB of anonymous memory by {attack.__name__}")
    lab.settle()
    lab.require(holdfast.terminate()[0] == 0, "a bad end")


def connect(target, timeout=5):
    host, port = target.split(":")
    return socket.create_connection((host, int(port)), timeout=timeout)


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(name, value):
    """A header field that no table holds (RFC 7541, 6.2.2), with short lengths."""
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


HEADERS = b"".join(
    literal(*pair)
    for pair in (
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", b"/opentelemetry.proto.collector.logs.v1.LogsService/Export"),
        (b":authority", b"x"),
        (b"content-type", b"application/grpc"),
        (b"te", b"trailers"),
    )
)


def idle_connections(lab, holdfast):
    """Half speak HTTP/2 and then nothing; half say nothing at all."""
    count = 10_000
    held = []
    for i in range(count):
        try:
            one = connect(holdfast.grpc if i % 2 else holdfast.http, 1)
            one.sendall(PREFACE if i % 4 == 1 else b"")
            held.append(one)
        except OSError:
            pass
    peak = holdfast.memory()
    lab.require(holdfast.health() == 200, "not ready among idle connections")
    lab.wait_acknowledged(40, seconds=10)
    lab.note(f"{len(held)} of {count} idle connections were taken, {holdfast.descriptors()} descriptors")
    lab.require(holdfast.descriptors() >= count, "they were not held: nothing is shown")
    for one in held:
        one.close()
    return peak


def trickle(lab, holdfast, seconds, openings, drop):
    """Sends openings, then one more piece of each every 50 ms; the highest memory on the way."""
    held = []
    for target, words in openings:
        try:
            one = connect(target, 1)
            one.sendall(words)
            held.append(one)
        except OSError:
            pass
    peak, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        for one in held:
            try:
                one.send(drop)
            except OSError:
                pass
        peak = max(peak, holdfast.memory())
        time.sleep(0.05)
    for one in held:
        one.close()
    return peak


def slow_loris(lab, holdfast):
    head = b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
    body = head + b"Content-Length: 4000000\r\n\r\n" + b"\n" * 1000
    message = PREFACE + frame(1, 4, 1, HEADERS) + frame(0, 0, 1, b"\0" + struct.pack(">I", 4_000_000) + b"\n" * 1000)
    openings = [(holdfast.http, head), (holdfast.http, body), (holdfast.grpc, PREFACE[:20]), (holdfast.grpc, message)]
    return trickle(lab, holdfast, lab.count(2, 60), openings * 50, b"a")


def rapid_reset(lab, holdfast):
    """Streams opened and reset in one breath (CVE-2023-44487)."""
    peak = 0
    for _ in range(lab.count(4, 40)):
        one = connect(holdfast.grpc)
        try:
            one.sendall(PREFACE)
            for stream in range(1, 20_001, 2):
                one.sendall(frame(1, 4, stream, HEADERS) + frame(3, 0, stream, struct.pack(">I", 8)))
        except OSError:
            pass  # thrown out: well done
        peak = max(peak, holdfast.memory())
        one.close()
    return peak


def header_flood(lab, holdfast):
    peak = 0
    for _ in range(lab.count(20, 200)):
        one = connect(holdfast.grpc)
        try:
            one.sendall(PREFACE + frame(1, 0, 1, HEADERS))
            for i in range(2_000):  # CONTINUATION without end
                one.sendall(frame(9, 0, 1, literal(b"x-%d" % i, b"y" * 100) * 50))
        except OSError:
            pass
        peak = max(peak, holdfast.memory())
        one.close()
        one = connect(holdfast.http)
        try:
            one.sendall(b"POST /v1/logs HTTP/1.1\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"z" * 500) for i in range(4_000)))
        except OSError:
            pass
        peak = max(peak, holdfast.memory())
        one.close()
    return peak


def bombs(lab, holdfast):
    """A gigabyte in a megabyte of gzip, and gzip in gzip."""
    squeezer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(squeezer.compress(bytes(1 << 20)) for _ in range(1024)) + squeezer.flush()
    good = gzip.compress(logs_request(7, 1_000))
    peak = 0
    for _ in range(lab.count(5, 50)):
        status = post(holdfast, bomb, 20, headers={"Content-Encoding": "gzip"})
        lab.require(status in (400, 413, 0, 503), f"a bomb was answered {status}")
        peak = max(peak, holdfast.memory())
        one = connect(holdfast.grpc)
        try:
            one.sendall(PREFACE + frame(1, 4, 1, HEADERS + literal(b"grpc-encoding", b"gzip")))
            one.sendall(frame(0, 0, 1, b"\1" + struct.pack(">I", len(bomb)) + bomb[:16_000]))
            for at in range(16_000, 64_000, 16_000):
                one.sendall(frame(0, 0, 1, bomb[at : at + 16_000]))
        except OSError:
            pass
        peak = max(peak, holdfast.memory())
        one.close()
    lab.require(post(holdfast, good, headers={"Content-Encoding": "gzip"}) == 200, "a good gzip body is refused afterwards")
    return peak


def noise(lab, holdfast):
    peak = 0
    for i in range(lab.count(300, 5_000)):
        try:
            one = connect(holdfast.grpc if i % 2 else holdfast.http)
            one.sendall((PREFACE if i % 4 == 1 else b"") + lab.random.randbytes(lab.random.randrange(1, 3_000)))
            one.close()
        except OSError:
            pass
        post(holdfast, lab.random.randbytes(200))
        peak = max(peak, holdfast.memory())
    return peak
