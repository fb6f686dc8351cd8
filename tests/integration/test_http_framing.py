"""HTTP/1.1 by hand: requests whose ends two readers could see at different places.

Each is sent with a whole and good request right behind it. What is refused must be answered and closed, and neither of
the two may reach the queue: a proxy in front might have seen only one, and somebody else's credentials on the other.
"""

import copy
import ctypes
import socket
import ssl

import pytest

from support import otlp
from support.backends import GrpcBackend
from support.certificates import Authority
from support.holdfast import BASE, Holdfast, config, otlp_exporter

_library = ctypes.CDLL("libmicrohttpd.so.12")
_library.MHD_get_version.restype = ctypes.c_char_p
# Newer ones look at more themselves, and word it in their own way: docs/decisions/libmicrohttpd.md.
IS_0_9 = _library.MHD_get_version().startswith(b"0.9.")
CODING = 501 if IS_0_9 else 400
NUL_IN_URI = 400 if IS_0_9 else None
WITH_EXTENSION = 200 if IS_0_9 else 400

BODY = otlp.request(otlp.TRACES, [1]).SerializeToString()
SIZE = b"Content-Length: %d" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked"
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)


def request(*lines, body=BODY, start=b"POST /v1/traces HTTP/1.1", host=(b"Host: x",), end=b"\r\n"):
    head = [start, *host, b"Content-Type: application/x-protobuf", *lines]
    return b"".join(line + end for line in head) + end + body


GOOD = request(SIZE)
LAST = request(SIZE, b"Connection: close")


def start_line(line, **more):
    return request(SIZE, start=line, **more)


# Name, bytes, status. Whatever the status, the connection is closed and nothing is accepted.
REFUSED = [
    # One length, said once.
    ("lengths that differ", request(SIZE, b"Content-Length: 1"), 400),
    ("lengths that differ, the other way", request(b"Content-Length: 1", SIZE), 400),
    ("the same length twice", request(SIZE, SIZE), 400),
    ("a length that differs and stands apart", request(SIZE, b"X: y", b"content-length: 0"), 400),
    ("a list of lengths", request(SIZE + b", %d" % len(BODY)), 400),
    ("lengths 5,5", request(b"Content-Length: 5,5"), 400),
    ("a length with a sign", request(b"Content-Length: +5"), 400),
    ("a negative length", request(b"Content-Length: -5"), 400),
    ("a hexadecimal length", request(b"Content-Length: 0x5"), 400),
    ("a length with a blank inside", request(b"Content-Length: 1 0"), 400),
    ("a length with a fraction", request(b"Content-Length: 5.0"), 400),
    ("an empty length", request(b"Content-Length:"), 400),
    ("a length past 64 bits", request(b"Content-Length: 18446744073709551617"), (400, 413)),
    ("a length with a vertical tab", request(b"Content-Length: \x0b5"), 400),
    # One way to say how long the body is.
    ("a length and chunks", request(SIZE, CHUNKED, body=CHUNKS), 400),
    ("chunks and a length", request(CHUNKED, SIZE, body=CHUNKS), 400),
    ("chunks and an empty length", request(CHUNKED, b"Content-Length: 0", body=CHUNKS), 400),
    ("a blank before the colon of chunks", request(b"Transfer-Encoding : chunked", body=CHUNKS), 400),
    ("a tab before the colon of chunks", request(b"Transfer-Encoding\t: chunked", body=CHUNKS), 400),
    ("a blank before the colon of the length", request(b"Content-Length : %d" % len(BODY)), 400),
    ("chunks twice", request(b"Transfer-Encoding: chunked, chunked", body=CHUNKS), 400),
    ("chunks in two lines", request(CHUNKED, CHUNKED, body=CHUNKS), 400),
    ("chunks that are not the last coding", request(b"Transfer-Encoding: chunked, gzip", body=CHUNKS), 400),
    ("chunks and an unknown one in two lines", request(CHUNKED, b"Transfer-Encoding: x", body=CHUNKS), 400),
    ("an empty transfer coding", request(b"Transfer-Encoding:", SIZE), 400),
    ("chunks behind a vertical tab", request(b"Transfer-Encoding: \x0bchunked", body=CHUNKS), 400),
    ("chunks in quotes", request(b'Transfer-Encoding: "chunked"', body=CHUNKS), 400),
    ("chunks with a parameter", request(b"Transfer-Encoding: chunked;q=1", body=CHUNKS), (400, CODING)),
    ("chunks of HTTP/1.0", request(CHUNKED, body=CHUNKS, start=b"POST /v1/traces HTTP/1.0"), 400),
    ("gzip and chunks", request(b"Transfer-Encoding: gzip, chunked", body=CHUNKS), CODING),
    ("gzip and chunks in two lines", request(b"Transfer-Encoding: gzip", CHUNKED, body=CHUNKS), CODING),
    ("gzip alone", request(b"Transfer-Encoding: gzip"), CODING),
    ("identity", request(b"Transfer-Encoding: identity"), CODING),
    ("identity and a length", request(b"Transfer-Encoding: identity", SIZE), 400),
    ("an unknown coding", request(b"Transfer-Encoding: xchunked", body=CHUNKS), CODING),
    ("a coding that begins like chunks", request(b"Transfer-Encoding: chunkedd", body=CHUNKS), CODING),
    # Lines end in one way.
    ("bare LF everywhere", request(SIZE, end=b"\n"), 400),
    ("a bare LF after the request line", GOOD.replace(b"HTTP/1.1\r\n", b"HTTP/1.1\n", 1), 400),
    ("a bare LF after a header", GOOD.replace(b"Host: x\r\n", b"Host: x\n", 1), 400),
    ("a bare LF that hides a header", request(SIZE, b"X: y\nTransfer-Encoding: chunked"), 400),
    ("a bare LF that ends the head", request(SIZE + b"\r\n\n" + BODY), 400),
    ("a bare CR in a value", request(SIZE, b"X: y\rZ: 1"), 400),
    ("a bare CR that hides a header", request(SIZE, b"X: y\rTransfer-Encoding: chunked"), 400),
    ("a bare CR in a name", request(SIZE, b"X\rY: z"), 400),
    ("a bare CR in the request line", start_line(b"POST /v1/traces\r HTTP/1.1"), 400),
    ("CR CR LF", request(SIZE, b"X: y\r"), 400),
    ("a NUL in a value", request(SIZE, b"X: a\x00b"), 400),
    ("a NUL at the end of a value", request(SIZE, b"X: a\x00"), 400),
    ("two NULs that look like a line's end", request(SIZE, b"X: a\x00\x00Y: b"), 400),
    ("NULs that look like the head's end", request(b"X: a\x00\x00\x00\x00", SIZE), 400),
    ("a line that begins with a NUL", request(b"\x00X: a", SIZE), 400),
    ("a NUL in a name", request(SIZE, b"X\x00Y: a"), 400),
    ("a NUL in the length", request(b"Content-Length: 5\x00%d" % len(BODY)), 400),
    ("a NUL in the URI", start_line(b"POST /v1/traces\x00x HTTP/1.1"), NUL_IN_URI),
    ("a NUL in the query", start_line(b"POST /v1/traces?a\x00b HTTP/1.1"), NUL_IN_URI),
    ("an escaped NUL in the URI", start_line(b"POST /v1/traces%00x HTTP/1.1"), 400),
    ("a control byte in the URI", start_line(b"POST /v1/traces\x01 HTTP/1.1"), 400),
    ("a DEL in the URI", start_line(b"POST /v1/traces\x7f HTTP/1.1"), 400),
    ("a control byte in a value", request(SIZE, b"X: a\x01b"), 400),
    ("an escape in a value", request(SIZE, b"X: \x1b[31m"), 400),
    ("a DEL in a value", request(SIZE, b"X: a\x7fb"), 400),
    # Headers stand in one line each.
    ("a folded header", request(SIZE, b"X: y\r\n z"), 400),
    ("a folded header by a tab", request(SIZE, b"X: y\r\n\tz"), 400),
    ("a folded length", request(b"Content-Length:\r\n %d" % len(BODY)), 400),
    ("a length folded in two", request(b"Content-Length: 1\r\n 0"), 400),
    ("folded chunks", request(b"Transfer-Encoding:\r\n chunked", body=CHUNKS), 400),
    ("a folded line that hides a length", request(b"X: y\r\n Content-Length: 0", SIZE), 400),
    ("a fold that is empty", request(SIZE, b"X: y\r\n "), 400),
    ("a blank before the first header", request(SIZE, host=(b" Host: x",)), 400),
    ("a tab before the first header", request(SIZE, host=(b"\tHost: x",)), 400),
    ("a line without a colon", request(SIZE, b"nothing"), 400),
    ("a line without a name", request(SIZE, b": y"), 400),
    ("a blank in a name", request(SIZE, b"X Y: z"), 400),
    ("a slash in a name", request(SIZE, b"X/Y: z"), 400),
    ("a name that is not ASCII", request(SIZE, b"X\xe9: z"), 400),
    # One host.
    ("no host", request(SIZE, host=()), 400),
    ("two hosts", request(SIZE, host=(b"Host: x", b"Host: y")), 400),
    ("the same host twice", request(SIZE, host=(b"Host: x", b"Host: x")), 400),
    ("two hosts of HTTP/1.0", start_line(b"POST /v1/traces HTTP/1.0", host=(b"Host: x", b"Host: y")), 400),
    ("hosts in a list", request(SIZE, host=(b"Host: x, y",)), 400),
    ("a host with a blank", request(SIZE, host=(b"Host: x y",)), 400),
    ("a host with a path", request(SIZE, host=(b"Host: x/y",)), 400),
    ("a host with a user", request(SIZE, host=(b"Host: a@x",)), 400),
    # The request line.
    ("a method that is no token", start_line(b"PO(ST /v1/traces HTTP/1.1"), 400),
    ("a method with a control byte", start_line(b"PO\x01ST /v1/traces HTTP/1.1"), 400),
    ("two blanks before the URI", start_line(b"POST  /v1/traces HTTP/1.1"), 400),
    ("two blanks behind the URI", start_line(b"POST /v1/traces  HTTP/1.1"), 400),
    ("a tab for a blank", start_line(b"POST\t/v1/traces HTTP/1.1"), (400, None)),
    ("a blank in the URI", start_line(b"POST /v1/traces x HTTP/1.1"), 400),
    ("a blank behind the version", start_line(b"POST /v1/traces HTTP/1.1 "), 400),
    ("a URI without a slash", start_line(b"POST v1/traces HTTP/1.1"), 400),
    ("no version, HTTP/0.9", b"GET /v1/traces\r\n" + GOOD, (400, 505)),
    ("HTTP/0.9 in words", start_line(b"POST /v1/traces HTTP/0.9"), 505),
    ("HTTP/2.0", start_line(b"POST /v1/traces HTTP/2.0"), 505),
    ("HTTP/1.10", start_line(b"POST /v1/traces HTTP/1.10"), 400),
    ("HTTP/11", start_line(b"POST /v1/traces HTTP/11"), 400),
    ("http/1.1", start_line(b"POST /v1/traces http/1.1"), 400),
    ("only a method", b"POST\r\n" + GOOD, (400, None)),
    # Chunks.
    ("a chunk without a size", request(CHUNKED, body=b"\r\n" + CHUNKS), 400),
    ("a chunk whose size is no number", request(CHUNKED, body=b"xyz\r\n" + CHUNKS), 400),
    ("a chunk with 0x", request(CHUNKED, body=b"0x" + CHUNKS), 400),
    ("a chunk with a sign", request(CHUNKED, body=b"+" + CHUNKS), 400),
    ("a chunk with a negative size", request(CHUNKED, body=b"-1\r\n" + CHUNKS), 400),
    ("a chunk size behind a blank", request(CHUNKED, body=b" " + CHUNKS), 400),
    ("a chunk size past 64 bits", request(CHUNKED, body=b"1" * 17 + b"\r\n" + BODY), (400, 413)),
    ("a chunk longer than its size", request(CHUNKED, body=b"2\r\nabcd\r\n0\r\n\r\n"), 400),
    ("a chunk with a bare CR", request(CHUNKED, body=b"5\rabcde\r\n0\r\n\r\n"), 400),
    ("a chunk that ends with a bare CR", request(CHUNKED, body=b"5\r\nabcde\r0\r\n\r\n"), 400),
    ("a chunk size with a NUL", request(CHUNKED, body=b"\x005\r\nabcde\r\n0\r\n\r\n"), 400),
    # Heads that are too large.
    ("a value of 100 KB", request(SIZE, b"X: " + b"a" * 100_000), (413, 431)),
    ("a name of 100 KB", request(SIZE, b"X" * 100_000 + b": a"), (413, 431)),
    ("a thousand headers", request(SIZE, *[b"X%d: a" % i for i in range(20_000)]), (413, 431)),
    ("a URI of 100 KB", start_line(b"POST /" + b"a" * 100_000 + b" HTTP/1.1"), (400, 414)),
]

# What is unusual and has one meaning only.
TAKEN = [
    ("plain", GOOD),
    ("chunks", request(CHUNKED, body=CHUNKS)),
    ("chunks in another case", request(b"tRANSFER-eNCODING: Chunked", body=CHUNKS)),
    ("chunks with a trailer", request(CHUNKED, body=CHUNKS[:-2] + b"X: y\r\n\r\n")),
    ("no blank behind the colon", request(SIZE.replace(b" ", b""))),
    ("blanks and tabs around a value", request(SIZE, b"X: \t y \t")),
    ("blanks around the length", request(b"Content-Length: \t %d" % len(BODY))),
    ("an empty value", request(SIZE, b"X:")),
    ("a value that is not ASCII", request(SIZE, b"X: \xe9\xff")),
    ("every character of a name", request(SIZE, b"!#$%&'*+-.^_`|~09azAZ: y")),
    ("an empty host", request(SIZE, host=(b"Host:",))),
    ("a host that is an address", request(SIZE, host=(b"Host: [::1]:4318",))),
    ("the host last", request(SIZE, b"Host: x", host=())),
    ("a URI with a host", start_line(b"POST http://x:4318/v1/traces HTTP/1.1")),
    ("an escape in the URI", start_line(b"POST /v1/%74races?a=%41&b HTTP/1.1")),
    ("an empty line before", b"\r\n" + GOOD),
    ("a newer minor version", start_line(b"POST /v1/traces HTTP/1.2")),
    ("HTTP/1.0 without a host", start_line(b"POST /v1/traces HTTP/1.0", host=())),
    ("leading zeros of the length", request(b"Content-Length: 000%d" % len(BODY))),
    ("leading zeros of a chunk", request(CHUNKED, body=b"000" + CHUNKS)),
    ("thirty headers", request(SIZE, *[b"X-%d: y" % i for i in range(30)])),
]


@pytest.fixture(scope="module")
def through(tmp_path_factory):
    with GrpcBackend() as backend:
        holdfast = Holdfast(tmp_path_factory.mktemp("framing"), config({"otlp": otlp_exporter(backend)})).start()
        yield holdfast
        holdfast.close()


def send(peer, data):
    try:
        peer.sendall(data)
    except ConnectionError:
        pass  # it has closed already; its answer is there to be read


def hear(peer):
    answer = b""
    try:
        while part := peer.recv(65536):
            answer += part
    except ConnectionError:
        pass
    return answer


def exchange(holdfast, data, port="HTTP_PORT", wrap=lambda peer: peer):
    """Everything that comes back until the peer closes."""
    with wrap(socket.create_connection(("127.0.0.1", holdfast.ports[port]), 10)) as peer:
        send(peer, data)
        return hear(peer)


def statuses(answer):
    return [int(line[9:12]) for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]


def accepted(holdfast):
    return holdfast.metric("otelcol_receiver_accepted_spans")


class TestFraming:
    @pytest.mark.parametrize("data, expected", [pytest.param(*row[1:], id=row[0]) for row in REFUSED])
    def test_what_could_be_read_in_two_ways_is_refused_and_closed(self, through, data, expected):
        before = accepted(through)
        seen = statuses(exchange(through, data + LAST)) or [None]
        # libmicrohttpd 0.9.75 sends the head of an answer of its own twice.
        assert len(set(seen)) == 1, seen
        assert seen[0] in (expected if isinstance(expected, tuple) else (expected,))
        assert accepted(through) == before

    @pytest.mark.parametrize("data", [pytest.param(row[1], id=row[0]) for row in TAKEN])
    def test_what_has_one_meaning_is_taken(self, through, data):
        before = accepted(through)
        closes = b"HTTP/1.0" in data or b"X: y\r\n\r\n" in data[-10:]
        seen = statuses(exchange(through, data + LAST))
        assert seen == ([200] if closes else [200, 200])
        assert accepted(through) == before + len(seen)

    def test_an_extension_of_a_chunk_is_skipped_or_refused(self, through):
        """libmicrohttpd 1.0.1 counts the end of its line as the first byte of the chunk, and so finds no end behind it."""
        data = request(CHUNKED, body=CHUNKS.replace(b"\r\n", b";a=b\r\n", 1))
        seen = statuses(exchange(through, data + LAST))
        assert set(seen) == {WITH_EXTENSION}

    def test_an_endless_extension_of_a_chunk_ends_its_connection_alone(self, through):
        before = accepted(through)
        data = request(CHUNKED, body=b"5;x=" + b"a" * 200_000)
        with socket.create_connection(("127.0.0.1", through.ports["HTTP_PORT"]), 60) as peer:
            send(peer, data)
            assert statuses(exchange(through, LAST)) == [200]
            # 500 at once, or an end when the time of the body is over.
            seen = statuses(hear(peer))
        assert seen == [500] if IS_0_9 else 200 not in seen
        assert accepted(through) == before + 1


# One of each kind that is told in another way.
KINDS = [
    request(SIZE, b"Content-Length: 1"),
    request(CHUNKED, SIZE, body=CHUNKS),
    request(SIZE, b"X: y\nTransfer-Encoding: chunked"),
    request(SIZE, b"X: y\r\n z"),
    request(SIZE, b"X: a\x00b"),
    request(SIZE, host=()),
    start_line(b"POST /v1/traces%00 HTTP/1.1"),
]


class TestElsewhere:
    def test_encrypted_requests_are_looked_at_too(self, ending, tmp_path):
        authority = Authority(tmp_path / "authority")
        authority.issue("server")
        base = copy.deepcopy(BASE)
        base["receivers"]["otlp"]["protocols"]["http"]["tls"] = {
            f"{part}_file": str(authority.directory / f"server.{ending_}")
            for part, ending_ in (("cert", "crt"), ("key", "key"))
        }
        context = ssl.create_default_context(cafile=authority.certificate)
        holdfast = Holdfast(tmp_path / "holdfast", config({"nop": {}}), base=base).start()
        ending.callback(holdfast.close)
        for data in KINDS:
            answer = exchange(
                holdfast, data + LAST, wrap=lambda peer: context.wrap_socket(peer, server_hostname="localhost")
            )
            assert statuses(answer) == [400], data
        assert accepted(holdfast) == 0

    @pytest.mark.parametrize("port", ["HEALTH_PORT", "METRICS_PORT"])
    def test_so_are_those_to_the_other_servers(self, through, port):
        for data in KINDS:
            assert statuses(exchange(through, data + LAST, port)) == [400], data
