"""Clients that mean harm."""

import base64
import gzip
import resource
import socket
import struct
import time
import zlib

from harness.errors import Skipped
from harness.places import MemoryGroup
from harness.plain import logs_request, post
from harness.victim import configuration, grpc_exporter
from harness.waiting import free_port, until

PROMISE = "E1: memory is bounded whatever clients send; the others are served meanwhile"
FAULT = (
    "in a container of 256 MiB: 10,000 idle connections, 5,400 of one peer, floods of wrong passwords, slow-loris over "
    "HTTP and HTTP/2, rapid resets, header floods, decompression bombs, noise, promised and unfinished large messages, "
    "indexed metadata, closed windows"
)
HOLDS = "lives; anonymous memory stays below 192 MiB; good senders go on, small and large; memory comes back; lost 0"

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + struct.pack(">I", 0)[1:] + b"\x04\x00" + bytes(4)
MEMORY_MAX = 192 << 20
CONTAINER = 256 << 20
LARGE = 3 << 20  # bytes of a good sender's large request
PER_PEER = 5_000  # the default
# bcrypt of "secret" at cost 12, as a configuration writes it.
SLOW_HASH = "$2b$12$abcdefghijklmnopqrstuuT1Iwu6o8Wx7BoOyIMHfgVJq6JO/IJhW".replace("$", "$$")


def run(lab):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(16384, min(hard, 65536)), max(16384, hard)))
    lab.new_truth(items=20)
    sink = lab.sink()
    settings = configuration({"otlp": grpc_exporter(sink)})
    # What keeps clients' metadata, and a component that asks for it.
    settings["receivers"]["otlp"]["protocols"]["grpc"]["include_metadata"] = True
    settings["processors"] = {"attributes": {"actions": [{"key": "hostile", "from_context": "x-kept", "action": "insert"}]}}
    for pipeline in settings["service"]["pipelines"].values():
        pipeline["processors"] = ["attributes"]
    guarded = guard(settings)
    holdfast = lab.holdfast(settings)
    holdfast.guarded = guarded
    group = container(lab)
    if group is not None:
        holdfast.before_exec = group.join
    holdfast.start()
    lab.load_all(holdfast, rate=2_000)
    lab.wait_acknowledged(400)
    attacks = (
        *(idle_connections, crowding, wrong_passwords, slow_loris, rapid_reset, header_flood, bombs, noise),
        *(promised_bodies, unfinished_messages, indexed_metadata, closed_windows),
    )
    for _ in range(lab.count(1, 10)):
        for attack in attacks:
            peak = attack(lab, holdfast)
            lab.fault()
            lab.require(holdfast.is_running(), f"ended by {attack.__name__}: {holdfast.last_words()}")
            lab.recovered(lab.wait_acknowledged(40, seconds=10))
            lab.note(f"{attack.__name__}: at most {peak >> 20} MiB of anonymous memory")
            lab.require(peak < MEMORY_MAX, f"{peak >> 20} MiB of anonymous memory by {attack.__name__}")
    if group is not None:
        lab.note(f"at most {(group.peak() or 0) >> 20} of {CONTAINER >> 20} MiB in its container, files included")
        lab.require(not group.kills(), "killed for want of memory")
    lab.settle()
    lab.require(holdfast.terminate()[0] == 0, "a bad end")


def container(lab):
    """None where none can be made: then only what the process says of itself is measured."""
    try:
        return MemoryGroup(lab, CONTAINER)
    except Skipped as why:
        lab.note(f"not in a container: {why}")
        return None


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


def guard(settings):
    """One more receiver, which asks for a password that is slow to check; returns its address."""
    address = f"127.0.0.1:{free_port()}"
    settings["extensions"]["basicauth"] = {"htpasswd": {"inline": f"ann:{SLOW_HASH}\n"}}
    settings["service"]["extensions"].append("basicauth")
    settings["receivers"]["otlp/guarded"] = {
        "protocols": {"grpc": {"endpoint": address, "auth": {"authenticator": "basicauth"}}}
    }
    for pipeline in settings["service"]["pipelines"].values():
        pipeline["receivers"] = ["otlp", "otlp/guarded"]
    return address


def crowding(lab, holdfast):
    """One address asks for more connections than one may have; others still get in."""
    host, port = holdfast.grpc.split(":")
    held = []
    for _ in range(PER_PEER + 400):
        one = socket.create_connection((host, int(port)), 5, source_address=("127.0.0.9", 0))
        one.setblocking(False)
        held.append(one)
    peak = holdfast.memory()
    lab.wait_acknowledged(40, seconds=10)
    with connect(holdfast.grpc) as other:
        other.sendall(PREFACE)
        lab.require(other.recv(9)[3:4] == b"\x04", "another address is not served")
    closed = sum(map(is_closed, held))
    lab.note(f"of {len(held)} connections of one address {closed} were closed for its later ones")
    lab.require(closed >= 400, "one address has more connections than it may have")
    for one in held:
        one.close()
    return peak


def is_closed(connection):
    try:
        while connection.recv(4096):
            pass
        return True
    except BlockingIOError:
        return False
    except OSError:
        return True


def wrong_passwords(lab, holdfast):
    """Each would take a loop for a fifth of a second."""
    held = []
    for _ in range(lab.count(2, 20)):
        one = connect(holdfast.guarded)
        one.sendall(PREFACE)
        for i in range(200):
            shown = b"Basic " + base64.b64encode(b"ann:wrong%d" % i)
            block = HEADERS + literal(b"authorization", shown)
            one.sendall(frame(1, 4, 2 * i + 1, block) + frame(0, 1, 2 * i + 1, bytes(5)))
        held.append(one)
    lab.wait_acknowledged(400, seconds=10)
    lab.require(holdfast.health() == 200, "not ready while passwords are checked")
    peak = holdfast.memory()
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


def good_senders_pass(lab, holdfast, name):
    """A small request at once, and a large one soon: it may have been asked to come again."""
    lab.require(post(holdfast, logs_request(7, 1), 5) == 200, f"a small request does not pass by {name}")
    lab.wait_acknowledged(40, seconds=10)
    large = logs_request(7, LARGE)
    until(lambda: post(holdfast, large, 10) == 200, f"a large request passes by {name}", 15)


def promised_bodies(lab, holdfast):
    """Large lengths, and little behind them."""
    held = []
    for _ in range(64):
        one = connect(holdfast.http)
        one.sendall(
            b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
            b"Content-Length: 20000000\r\n\r\n" + b"\n" * 60_000
        )
        held.append(one)
    peak = holdfast.memory()
    good_senders_pass(lab, holdfast, "promised bodies")
    for one in held:
        one.close()
    return peak


def unfinished_messages(lab, holdfast):
    """Messages of 4 MiB on every stream of a connection, each without its last byte."""
    one, size = connect(holdfast.grpc), 4 << 20
    body = b"\0" + struct.pack(">I", size) + bytes(size - 1)
    peak = 0
    try:
        one.sendall(PREFACE)
        for stream in range(1, 2 * 63, 2):
            one.sendall(frame(1, 4, stream, HEADERS))
            # Windows are not looked at: they are open for what is taken.
            for at in range(0, len(body), 16_384):
                one.sendall(frame(0, 0, stream, body[at : at + 16_384]))
            peak = max(peak, holdfast.memory())
    except OSError:
        pass
    good_senders_pass(lab, holdfast, "unfinished messages")
    one.close()
    return max(peak, holdfast.memory())


def indexed_metadata(lab, holdfast):
    """One large header in the table, a byte each time it is named (RFC 7541, 6.1)."""
    held, peak = [], 0
    value = b"v" * 3_500
    table = b"\x40" + bytes([6]) + b"x-kept" + b"\x7f" + bytes([(3_500 - 127) & 127 | 128, (3_500 - 127) >> 7]) + value
    for _ in range(5):
        one = connect(holdfast.grpc)
        try:
            one.sendall(PREFACE + frame(1, 4, 1, HEADERS + table))
            for stream in range(3, 2 * 9_900, 2):
                one.sendall(frame(1, 4, stream, HEADERS + b"\xbe" * 4))
        except OSError:
            pass
        held.append(one)
        peak = max(peak, holdfast.memory())
    good_senders_pass(lab, holdfast, "indexed metadata")
    for one in held:
        one.close()
    return peak


def closed_windows(lab, holdfast):
    """Calls that are answered, and answers that are not taken: the client's window is 0."""
    settings = frame(4, 0, 0, struct.pack(">HI", 4, 0))
    message = b"\0" + struct.pack(">I", 0)
    held, peak = [], 0
    for _ in range(lab.count(20, 100)):
        one = connect(holdfast.grpc)
        try:
            one.sendall(PREFACE[:24] + settings)
            for stream in range(1, 2_001, 2):
                one.sendall(frame(1, 4, stream, HEADERS + literal(b"x-kept", b"w" * 100)) + frame(0, 1, stream, message))
        except OSError:
            pass
        held.append(one)
        peak = max(peak, holdfast.memory())
    good_senders_pass(lab, holdfast, "closed windows")
    before = holdfast.memory()
    for one in held:
        one.close()
    until(lambda: holdfast.memory() <= max(before, 48 << 20), "memory comes back after close", 20)
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
