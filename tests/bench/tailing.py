"""Works with files that are tailed: what a line costs, and what files cost that nobody writes to.

    ./dev bench in-filelog idle-files --vs otelcol
    HOLDFAST_PEER=/path/to/fluent-bit ./dev bench in-filelog in-filelog-json idle-files --vs fluent-bit

Lines as a container runtime writes them. The queue is on disk with fsync (flows.py); of Fluent Bit the places of its
files are, and its chunks, with `storage.sync full`. Its records go out as OTLP/HTTP, as the Go collector's do.
"""

import contextlib
import threading
import time

import flows
from rig import Collector, busy_seconds, until, workplace

LINES, PEER_LINES = 1_500_000, 300_000  # a peer takes longer for a line
FILES, FILE_LINES = 10_000, 20
WRITTEN = FILES // 100  # of the files, one line a second each
COUNTER = "otelcol_receiver_accepted_log_records"


def container_line(text):
    return f"2026-11-29T10:00:00.123456789Z stdout F {text}\n"


def plain_line(i):
    return container_line(f"{i:07d} " + "x" * 150)


def json_line(i):
    filler = "x" * 60
    return container_line(
        f'{{"time":"2026-11-29T10:00:00.123Z","level":"info","msg":"order {i % 1000:04d} was paid","note":"{filler}"}}'
    )


JSON_PARSER = {
    "type": "json_parser",
    "timestamp": {"parse_from": "attributes.time", "layout": "%Y-%m-%dT%H:%M:%S.%LZ"},
    "severity": {"parse_from": "attributes.level"},
}
FLUENT_JSON = {
    "name": "json",
    "format": "json",
    "time_key": "time",
    "time_format": "%Y-%m-%dT%H:%M:%S.%LZ",
}

# Name: (the i-th line, does it hold JSON)
READ = {"in-filelog": (plain_line, False), "in-filelog-json": (json_line, True)}
NAMES = [*READ, "idle-files", "idle-files-written"]


def filelog(pattern, has_json):
    return {
        "include": [str(pattern)],
        "start_at": "beginning",
        "include_file_path": True,
        "operators": [
            {"type": "container", "format": "containerd", "add_metadata_from_filepath": False},
            *([JSON_PARSER] if has_json else []),
        ],
    }


def fluent_bit(pattern, has_json, backend):
    """The same for Fluent Bit, whose files are YAML too."""

    def build(collector):
        tail = {
            "name": "tail",
            "path": str(pattern),
            "path_key": "log.file.path",
            "read_from_head": True,
            "multiline.parser": "cri",
            "db": str(collector.data / "places.db"),
            "db.sync": "full",
            "storage.type": "filesystem",
        }
        parser = {"name": "parser", "match": "*", "key_name": "log", "parser": "json"}
        parser |= {"reserve_data": True, "preserve_key": True}
        return {
            "service": {
                "flush": 1,
                "http_server": True,
                "http_listen": "127.0.0.1",
                "http_port": collector.ports["health"],
                "storage.path": str(collector.data),
                "storage.sync": "full",
            },
            "parsers": [FLUENT_JSON],
            "pipeline": {
                "inputs": [tail],
                "filters": [parser] if has_json else [],
                "outputs": [
                    {
                        "name": "opentelemetry",
                        "match": "*",
                        "host": "127.0.0.1",
                        "port": backend.port,
                        "logs_uri": "/v1/logs",
                        "logs_body_key": "$log",
                        "logs_body_key_attributes": True,
                        "retry_limit": "no_limits",
                    }
                ],
            },
        }

    return build


@contextlib.contextmanager
def tailed(peer, pattern, has_json, disk, memory):
    """(the collector that tails, what moves while lines are read or sent on)."""
    backend = flows.Wire(memory, "backend", "answer", "ok")
    if peer[0] == "fluent-bit":
        settings = fluent_bit(pattern, has_json, backend)
    else:
        receivers = {"filelog": filelog(pattern, has_json)}
        settings = flows.configuration("logs", lambda _: receivers, flows.otlp_out(backend))
    collector = Collector(*peer, disk / "collector", settings)
    with flows.running(collector, backend):
        yield collector, lambda: flows.seen_of(collector, backend, COUNTER)


def wait_read(collector, seen, lines):
    """Until so many lines have been read and sent on; when the last one had been."""
    if collector.kind == "holdfast":
        until(lambda: flows.metric_sum(collector, COUNTER) >= lines, 300, f"{lines} lines")
    until(seen, 60, "the first lines")
    return flows.wait_quiet(seen)[1]


def measure_read(name, peer):
    line, has_json = READ[name]
    lines = LINES if peer[0] == "holdfast" else PEER_LINES
    with workplace() as (disk, memory):
        path = memory / "0.log"
        with open(path, "w") as file:
            file.writelines(line(i) for i in range(lines))
        before, begun = busy_seconds(), time.monotonic()
        with tailed(peer, path, has_json, disk, memory) as (collector, seen):
            last = wait_read(collector, seen, lines)
            used = collector.cpu()
            others, passed = busy_seconds() - before - used, time.monotonic() - begun
            return flows.result(collector, lines, used, last - begun, others, passed=passed)


@contextlib.contextmanager
def writing(paths):
    """One line a second into each of them."""
    over = threading.Event()

    def write():
        number = 0
        while not over.wait(1):
            number += 1
            for path in paths:
                with open(path, "a") as file:
                    file.write(plain_line(number))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def measure_idle(peer, seconds, written):
    with workplace() as (disk, memory):
        folder = memory / "pods"
        folder.mkdir()
        paths = [folder / f"checkout-{i}.log" for i in range(FILES)]
        for i, path in enumerate(paths):
            path.write_text("".join(plain_line(i * FILE_LINES + k) for k in range(FILE_LINES)))
        with tailed(peer, folder / "*.log", False, disk, memory) as (collector, seen):
            wait_read(collector, seen, FILES * FILE_LINES)
            with writing(paths[:written]):
                return flows.at_rest(collector, seconds)


def run(name, peer, seconds):
    """One round."""
    if name in READ:
        return measure_read(name, peer)
    return measure_idle(peer, seconds, WRITTEN if name == "idle-files-written" else 0)
