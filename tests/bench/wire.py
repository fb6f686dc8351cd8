#!/usr/bin/env python3
"""Peers of bytes for measurements: one that answers HTTP requests, and one that is scraped.

    wire.py answer KIND         an HTTP server that reads every request and answers as a backend of that kind: ok, bulk, s3
    wire.py serve FILE          answers every request with the file's bytes

They know no protocol beyond what is counted, so that they cost little beside what is measured. What they did is in
a file (--status) as JSON, written when it changes, at most ten times a second.
"""

import argparse
import json
import os
import socket
import threading
import time
from pathlib import Path


class Status:
    def __init__(self, path):
        self.path, self.lock = Path(path), threading.Lock()
        self.counts = {"requests": 0, "bytes": 0, "items": 0, "port": 0}
        threading.Thread(target=self.write_always, daemon=True).start()

    def add(self, **counts):
        with self.lock:
            for name, count in counts.items():
                self.counts[name] += count

    def write(self):
        with self.lock:
            text = json.dumps(self.counts)
        new = self.path.with_suffix(".new")
        new.write_text(text)
        os.replace(new, self.path)

    def write_always(self):
        while True:
            self.write()
            time.sleep(0.1)


def read_head(peer, have):
    """(head, what came behind it); None: the peer has closed."""
    while (end := have.find(b"\r\n\r\n")) < 0:
        more = peer.recv(1 << 16)
        if not more:
            return None
        have += more
    return have[: end + 4], have[end + 4 :]


def length_of(head):
    lower = head.lower()
    start = lower.find(b"content-length:")
    return int(lower[start + 15 : lower.index(b"\r\n", start)]) if start >= 0 else 0


def response(body=b"", status=b"200 OK", more=b""):
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s" % (status, len(body), more, body)


def answer_ok(head, body):
    del head, body
    return response(status=b"204 No Content"), 1


def answer_bulk(head, body):
    """What Elasticsearch says of a bulk of which it took every document."""
    if b"/_bulk" not in head.split(b"\r\n", 1)[0]:
        return response(b"{}", more=b"Content-Type: application/json\r\nX-Elastic-Product: Elasticsearch\r\n"), 0
    count = body.count(b'{"create"') + body.count(b'{"index"')
    items = b",".join([b'{"create":{"status":201}}'] * count)
    found = b'{"took":1,"errors":false,"items":[%s]}' % items
    return response(found, more=b"Content-Type: application/json\r\nX-Elastic-Product: Elasticsearch\r\n"), count


def answer_s3(head, body):
    """Objects whole or in parts; nothing is kept."""
    del body
    line = head.split(b"\r\n", 1)[0]
    if line.startswith(b"POST") and b"?uploads" in line:
        text = b"<InitiateMultipartUploadResult><UploadId>one</UploadId></InitiateMultipartUploadResult>"
        return response(text, more=b"Content-Type: application/xml\r\n"), 0
    if line.startswith(b"POST"):
        text = b"<CompleteMultipartUploadResult><ETag>tag</ETag></CompleteMultipartUploadResult>"
        return response(text, more=b"Content-Type: application/xml\r\n"), 1
    return response(more=b'ETag: "tag"\r\n'), 1


KINDS = {"ok": answer_ok, "bulk": answer_bulk, "s3": answer_s3}


def converse(peer, status, answer):
    have = b""
    with peer:
        while (found := read_head(peer, have)) is not None:
            head, rest = found
            size = length_of(head)
            if b"100-continue" in head:
                peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            pieces, got = [rest], len(rest)
            while got < size:
                piece = peer.recv(1 << 20)
                if not piece:
                    return
                pieces.append(piece)
                got += len(piece)
            whole = b"".join(pieces)
            body, have = whole[:size], whole[size:]
            text, items = answer(head, body)
            peer.sendall(text)
            status.add(requests=1, bytes=size, items=items)


def listen(status, answer):
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as server:
        status.counts["port"] = server.getsockname()[1]
        while True:
            peer, _ = server.accept()
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=converse, args=(peer, status, answer), daemon=True).start()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--status", required=True)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("answer").add_argument("kind", choices=KINDS)
    verbs.add_parser("serve").add_argument("file")
    options = parser.parse_args()
    status = Status(options.status)
    if options.verb == "serve":
        body = Path(options.file).read_bytes()
        text = response(body, more=b"Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n")
        listen(status, lambda head, body: (text, 1))
    else:
        listen(status, KINDS[options.kind])


if __name__ == "__main__":
    main()
