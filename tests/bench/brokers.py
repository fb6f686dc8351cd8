"""Works through Kafka: what a span costs in the exporter `kafka`, and in the receiver.

    ./dev bench out-kafka in-kafka

The peer is one broker of Apache Kafka with a topic of three partitions (tests/real/kafka_brokers.py: needs Java and Maven).
A message is one request of 100 spans as otlp_proto. The exporter waits for the acknowledgement of all replicas; the
receiver ends in `nop`, with its queue in between, and finds the messages of an exporter at the broker when it starts.
"""

import contextlib
import sys
import time
from pathlib import Path

import flows
from rig import ROOT, Collector, Failed, busy_seconds, send, until, workplace

sys.path.insert(0, str(ROOT / "tests"))

from real import kafka_brokers  # noqa: E402

SPANS = 100
BACKLOG = 10_000  # requests that the receiver finds
NAMES = ["out-kafka", "in-kafka"]
LOAD = {"items": SPANS, "connections": 4, "in_flight": 4, "retry": True}


def writing(broker):
    receivers = lambda collector: {  # noqa: E731
        "otlp": {"protocols": {"grpc": {"endpoint": f"127.0.0.1:{collector.ports['grpc']}"}}}
    }
    exporter = {"kafka": {"brokers": [broker], "producer": {"required_acks": "all"}}}
    return flows.configuration("traces", receivers, lambda _: exporter)


def reading(broker):
    receiver = {"kafka": {"brokers": [broker], "group_id": "bench", "initial_offset": "earliest"}}
    return flows.configuration("traces", lambda _: receiver, lambda _: {"nop": {}})


def sent(collector):
    return flows.metric_sum(collector, "otelcol_exporter_sent_spans")


@contextlib.contextmanager
def broker_at(directory):
    kafka_brokers.install()
    with kafka_brokers.plain(directory / "broker") as server:
        yield f"127.0.0.1:{server.ports[1]}"


def measure_out(peer, seconds, tool=None):
    with workplace() as (disk, memory), broker_at(memory) as broker:
        collector = Collector(*peer, disk / "collector", writing(broker))
        with flows.running(collector):
            warm = send(collector.ports["grpc"], seconds=1, **LOAD)
            until(lambda: sent(collector) >= warm["items"], 60, "the first spans")
            before, begun = (collector.cpu(), busy_seconds()), time.monotonic()
            stop_tool = tool(collector) if tool else None
            more = send(collector.ports["grpc"], seconds=seconds, first=warm["next"], **LOAD)
            until(lambda: sent(collector) >= warm["items"] + more["items"], 120, "the spans")
            used, wall = collector.cpu() - before[0], time.monotonic() - begun
            if stop_tool:
                stop_tool()
            return flows.result(collector, more["items"], used, wall, busy_seconds() - before[1] - used)


def measure_in(peer, seconds, tool=None):
    """`seconds` does not count: the work ends when all that is at the broker has been stored."""
    del seconds
    with workplace() as (disk, memory), broker_at(memory) as broker:
        filler = Collector("holdfast", peer[1], disk / "filler", writing(broker))
        with flows.running(filler):
            filled = send(filler.ports["grpc"], requests=BACKLOG, **LOAD)["items"]
            until(lambda: sent(filler) >= filled, 300, "a topic that is filled")
        collector = Collector(*peer, disk / "collector", reading(broker))
        counter = "otelcol_receiver_accepted_spans"
        before, begun = busy_seconds(), time.monotonic()
        with flows.running(collector):
            stop_tool = tool(collector) if tool else None
            until(lambda: flows.metric_sum(collector, counter) >= filled, 300, f"{filled} spans")
            used, wall = collector.cpu(), time.monotonic() - begun
            if stop_tool:
                stop_tool()
            return flows.result(collector, filled, used, wall, busy_seconds() - before - used)


def run(name, peer, seconds, tool=None):
    """One round."""
    if peer[0] != "holdfast":
        raise Failed(f"{name} is of Holdfast alone")
    measure = {"out-kafka": measure_out, "in-kafka": measure_in}[name]
    return measure(peer, seconds, tool=tool)
