"""How long it takes to look: each page of the console and each command, at a long queue and at many components."""

import contextlib
import functools
import json
import re
import statistics
import subprocess
import threading
import time
import urllib.parse
import urllib.request

from rig import BUILD, Collector, Failed, Sink, busy_seconds, compile_targets, end, send, until, workplace

from tests.support.ports import free_port

TIMES = 5
LETTERS = 1_000_000  # about what the default limit of dead letters takes


def with_console(settings, port):
    """The configuration with a console on that port."""

    def build(collector):
        made = settings(collector)
        made["extensions"]["console"] = {"endpoint": f"127.0.0.1:{port}"}
        made["service"]["extensions"].append("console")
        return made

    return build


def page(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=120) as answer:
        return answer.read().decode()


def command(collector, *words):
    """Runs `holdfast ...` on the collector's directory; returns what it prints."""
    done = subprocess.run(
        [collector.binary, *words, "--data-dir", collector.data], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    if done.returncode != 0:
        raise Failed(f"{' '.join(words)}: {done.stderr[-500:] or done.stdout[-500:]}")
    return done.stdout


def milliseconds(look, times=TIMES):
    """The median of some times; before them one that does not count."""
    took = []
    for _ in range(times + 1):
        begun = time.monotonic()
        look()
        took.append((time.monotonic() - begun) * 1000)
    return statistics.median(took[1:] or took)


def span_of_record(port, sequence):
    """A trace id and an attribute that only that record has."""
    text = page(port, f"/record?queue=traces&seq={sequence}")
    return re.search(r"Trace <code>([0-9a-f]{32})", text).group(1)


def quoted(**parameters):
    return urllib.parse.urlencode(parameters)


def time_of(sequence, count):
    """When a record was received, as the console takes it: they are spread over the last day."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 86400 * (1 - sequence / count)))


def pages_of(port, count):
    """What each page is asked, by the name of its figure."""
    middle = count // 2
    trace = span_of_record(port, middle)
    return {
        "map": "/",
        "queues": "/queues",
        "queue": "/queue?kind=queue&id=traces",
        "records": "/records?queue=traces",
        "records_deep": f"/records?queue=traces&after={middle}",
        "records_time": "/records?" + quoted(queue="traces", **{"from": time_of(middle, count)}),
        "records_trace": "/records?" + quoted(queue="traces", trace=trace),
        "records_trace_time": "/records?" + quoted(queue="traces", trace=trace, **{"from": time_of(middle - 1000, count)}),
        "records_attribute": "/records?" + quoted(queue="traces", key="none", value="none"),
        "record": f"/record?queue=traces&seq={middle}",
        "letters": "/letters",
        "letters_of": f"/letters/of?{quoted(exporter='otlp/0')}",
        "component": f"/component?{quoted(kind='exporter', id='otlp/0')}",
        "outages": "/outages",
        "certificates": "/certificates",
        "reloads": "/reloads",
        "validate": "/validate",
    }


def commands_of(count):
    """The words of each command, by the name of its figure."""
    middle = str(count // 2)
    return {
        "top": ("top", "--once", "--interval", "100ms"),
        "stat": ("queue", "stat"),
        "ls_first": ("queue", "ls", "traces", "-n", "20"),
        "ls_deep": ("queue", "ls", "traces", "--from", middle, "-n", "20"),
        "cat_deep": ("queue", "cat", "traces", "--from", middle, "-n", "20", "--json"),
        "ls_time": ("queue", "ls", "traces", "--since", time_of(count // 2, count) + "Z", "-n", "20"),
        "sample": ("queue", "sample", "traces", "-n", "100"),
    }


# Those that read every record: once each.
WHOLE = {
    "count": ("queue", "count", "traces"),
    "count_since": ("queue", "count", "traces", "--since", "1h"),
    "count_where": ("queue", "count", "traces", "--where", 'span.name == "none"'),
    "verify": ("queue", "verify", "traces"),
}


def meanwhile(collector, port):
    """The slowest page of records while `queue count` reads everything."""
    done = threading.Event()

    def count():
        command(collector, *WHOLE["count_where"])
        done.set()

    thread = threading.Thread(target=count)
    slowest = 0
    thread.start()
    while not done.is_set():
        slowest = max(slowest, milliseconds(lambda: page(port, "/records?queue=traces"), 0))
    thread.join()
    return slowest


def with_room(settings, records):
    """The configuration with queues that so many records do not fill: a full queue is not healthy."""

    def build(collector):
        made = settings(collector)
        for exporter in made["exporters"].values():
            exporter["sending_queue"]["queue_size"] = 2 * records
        return made

    return build


def fill(collector, folder, name, count, reader, *more):
    target = collector.data / folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([BUILD / "chaos" / "bench-fill", target, str(count), reader, *more])
    if done.returncode != 0:
        raise Failed("the queue was not filled")


def long_queue(peer, thousands, configuration):
    """Pages and commands at a queue of so many thousand records of one span."""
    compile_targets("bench-fill")
    count, port = thousands * 1000, free_port()
    with workplace() as (disk, memory):
        sink = Sink(memory, truth=False)
        sink.order("code 14")
        settings = with_room(with_console(configuration([sink.port], max_gib=100), port), count)
        collector = Collector(*peer, disk / "collector", settings)
        found = {"verdict": "", "lost": 0}
        try:
            fill(collector, "queue", "traces", count, "otlp/0")
            fill(collector, "deadletter", "otlp%2F0", min(count, LETTERS), "operator", "letters")
            found["ready_ms"] = collector.start() * 1000
            until(lambda: "waiting" in page(port, "/"), 30, "a map")
            for name, path in pages_of(port, count).items():
                found[f"page_{name}_ms"] = milliseconds(functools.partial(page, port, path))
            for name, words in commands_of(count).items():
                found[f"{name}_ms"] = milliseconds(functools.partial(command, collector, *words))
            for name, words in WHOLE.items():
                found[f"{name}_ms"] = milliseconds(functools.partial(command, collector, *words), 0)
            found["page_records_meanwhile_ms"] = meanwhile(collector, port)
            found["peak_rss_mib"] = collector.memory()["VmHWM"] / 1024
        finally:
            collector.stop()
            sink.stop()
    return found


def many(configuration, count, sink_port, port):
    """Pipelines of a receiver, a processor and an exporter each, of so many components in all."""

    def build(collector):
        made = with_console(configuration([sink_port]), port)(collector)
        exporter = made["exporters"]["otlp/0"]
        made["receivers"] |= {f"nop/{i}": None for i in range(count // 3)}
        action = {"key": "a", "value": "b", "action": "insert"}
        made["processors"] = {f"attributes/{i}": {"actions": [action]} for i in range(count // 3)}
        made["exporters"] |= {f"otlp/{i}": exporter for i in range(count // 3)}
        made["service"]["pipelines"] = {
            f"traces/{i}": {
                "receivers": [f"nop/{i}", "otlp"],
                "processors": [f"attributes/{i}"],
                "exporters": [f"otlp/{i}"],
            }
            for i in range(count // 3)
        }
        return made

    return build


def many_components(peer, count, configuration):
    """Pages, and what an open map costs in a second, with so many components, all of whose exporters fail."""
    port = free_port()
    with workplace() as (disk, memory):
        sink = Sink(memory, truth=False)
        sink.order("code 14")
        collector = Collector(*peer, disk / "collector", many(configuration, count, sink.port, port))
        found = {"verdict": "", "lost": 0}
        try:
            found["ready_ms"] = collector.start() * 1000
            until(lambda: "waiting" in page(port, "/"), 30, "a map")
            send(collector.ports["grpc"], requests=20, items=10)
            time.sleep(2)
            for name, path in {"map": "/", "queues": "/queues", "component": "/component?kind=exporter&id=otlp/1"}.items():
                found[f"page_{name}_ms"] = milliseconds(functools.partial(page, port, path))
            found["page_map_kib"] = len(page(port, "/")) / 1024
            found["status_kib"] = len(json.dumps(json.loads(command(collector, "top", "--once", "--json")))) / 1024
            found["top_ms"] = milliseconds(
                functools.partial(command, collector, "top", "--once", "--interval", "100ms")
            )
            before = collector.cpu()
            time.sleep(12)  # nobody has looked for ten seconds
            found["closed_cpu_percent"] = 100 * (collector.cpu() - before) / 12
            before = collector.cpu()
            until_s = time.monotonic() + 10
            while time.monotonic() < until_s:
                page(port, "/events?path=/")
            found["open_cpu_percent"] = 100 * (collector.cpu() - before) / 10
            found["peak_rss_mib"] = collector.memory()["VmHWM"] / 1024
        finally:
            collector.stop()
            sink.stop()
    return found


# ---- what it costs while someone looks ----


@contextlib.contextmanager
def open_console(collector, port):
    """A browser's stream of the map: the next event is asked for when one has come."""
    over = threading.Event()

    def stream():
        while not over.is_set():
            page(port, "/events?path=/")

    thread = threading.Thread(target=stream)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextlib.contextmanager
def open_command(collector, *words):
    """A command that goes on until it is ended; nobody reads what it prints, so it is not held up."""
    process = subprocess.Popen([collector.binary, *words, "--data-dir", collector.data], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        end(process)


LOOKERS = {
    "console": open_console,
    "tail": lambda collector, port: open_command(collector, "tail"),
    "json": lambda collector, port: open_command(collector, "tail", "--json"),
    "top": lambda collector, port: open_command(collector, "top", "--interval", "1s"),
}


def watched(peer, kind, seconds, configuration):
    """Spans per second and CPU-second while someone looks, to those while nobody does: four spells, the second and third
    with a looker, so that what drifts falls out."""
    port = free_port()
    with workplace() as (disk, memory):
        sink = Sink(memory, truth=False)
        settings = with_console(configuration([sink.port]), port)
        collector = Collector(*peer, disk / "collector", settings)
        load = {"items": 100, "connections": 4, "in_flight": 4, "retry": True}
        sums = {True: [0, 0.0, 0.0], False: [0, 0.0, 0.0]}
        busy = busy_seconds()
        begun = time.monotonic()
        try:
            collector.start()
            until(lambda: "waiting" in page(port, "/"), 30, "a map")
            sent = send(collector.ports["grpc"], seconds=1, **load)
            all_items = sent["items"]
            for is_watched in (False, True, True, False):
                with LOOKERS[kind](collector, port) if is_watched else contextlib.nullcontext():
                    cpu, from_s = collector.cpu(), time.monotonic()
                    sent = send(collector.ports["grpc"], seconds=seconds, first=sent["next"], **load)
                    all_items += sent["items"]
                    sink.wait(all_items, 60)
                    found = sums[is_watched]
                    found[0] += sent["items"]
                    found[1] += collector.cpu() - cpu
                    found[2] += time.monotonic() - from_s
            counted = sink.counters.read()["items"]
            own = collector.cpu() + sink.cpu()
        finally:
            collector.stop()
            sink.stop()
        looked, alone = sums[True], sums[False]
        others = busy_seconds() - busy - own
        return {
            "spans_per_cpu_s": alone[0] / alone[1],
            "wall_per_s": alone[0] / alone[2],
            "looked_at_cpu_ratio": (looked[0] / looked[1]) / (alone[0] / alone[1]),
            "looked_at_wall_ratio": (looked[0] / looked[2]) / (alone[0] / alone[2]),
            "lost": max(0, all_items - counted),
            "others_cores": others / (time.monotonic() - begun),
            "verdict": "",
        }
