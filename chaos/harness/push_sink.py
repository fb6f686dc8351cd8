"""A backend of Loki's or Prometheus' push protocol that knows the truth, as a process of its own: it may be killed.

    push_sink.py loki|prometheus ADDRESS PORT ARRIVED TEXTS

ARRIVED is marked as holdfast-storm's sink does it, by the number in a record's span id or in a sample's value. TEXTS has a
byte for each number in "container line N" and, from EVENTS on, in "event N". Marks are made before the answer.
"""

import http.server
import json
import mmap
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import cramjam  # noqa: E402

from support.pushes import LOKI, PROMETHEUS  # noqa: E402

EVENTS, TEXTS_MAX = 1_000_000, 1_001_000
TEXT = re.compile(r"(container line|event) (\d+)")
POINTS = "http_server_request_duration"
PATHS = {"loki": "/loki/api/v1/push", "prometheus": "/api/v1/write"}


class Marks:
    """A file of counting bytes, shared."""

    def __init__(self, path):
        with open(path, "r+b") as file:
            self.bytes = mmap.mmap(file.fileno(), 0)

    def add(self, number):
        if 0 <= number < len(self.bytes):
            self.bytes[number] = min(255, self.bytes[number] + 1)


def take_logs(body, arrived, texts):
    for stream in LOKI["PushRequest"].FromString(body).streams:
        for entry in stream.entries:
            found = TEXT.search(entry.line)
            if found:
                texts.add(int(found[2]) + (EVENTS if found[1] == "event" else 0))
            else:
                arrived.add(int.from_bytes(bytes.fromhex(json.loads(entry.line)["spanid"]), "little") - 1)


def take_samples(body, arrived, _texts):
    for series in PROMETHEUS["WriteRequest"].FromString(body).timeseries:
        if any(one.name == "__name__" and one.value.startswith(POINTS) for one in series.labels):
            for sample in series.samples:
                arrived.add(int(sample.value) - 1)


def main():
    kind, address, port, arrived, texts = sys.argv[1:]
    take = {"loki": take_logs, "prometheus": take_samples}[kind]
    arrived, texts = Marks(arrived), Marks(texts)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            known = self.path == PATHS[kind]
            if known:
                take(bytes(cramjam.snappy.decompress_raw(body)), arrived, texts)
            self.send_response(204 if known else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer((address, int(port)), Handler)
    server.daemon_threads = True
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
