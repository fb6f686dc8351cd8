"""The metrics of a host as a comparable set of series."""

import json
import os
import subprocess

from .backends import HttpBackend
from .waiting import until

SCRAPERS = ("cpu", "disk", "filesystem", "load", "memory", "network", "nfs", "paging", "process", "processes", "system")

# Those that are off by default, by scraper.
OPTIONAL = {
    "cpu": ("system.cpu.frequency", "system.cpu.physical.count", "system.cpu.utilization"),
    "filesystem": ("system.filesystem.utilization",),
    "memory": (
        "system.linux.memory.available",
        "system.linux.memory.dirty",
        "system.memory.limit",
        "system.memory.linux.hugepages.limit",
        "system.memory.linux.hugepages.page_size",
        "system.memory.linux.hugepages.reserved",
        "system.memory.linux.hugepages.surplus",
        "system.memory.linux.hugepages.usage",
        "system.memory.linux.hugepages.utilization",
        "system.memory.linux.shared",
        "system.memory.page_size",
        "system.memory.utilization",
    ),
    "network": ("system.network.conntrack.count", "system.network.conntrack.max"),
    "paging": ("system.paging.utilization",),
    "process": (
        "process.context_switches",
        "process.cpu.utilization",
        "process.disk.operations",
        "process.memory.utilization",
        "process.open_file_descriptors",
        "process.paging.faults",
        "process.signals_pending",
        "process.threads",
        "process.uptime",
    ),
}
ATTRIBUTES = ("process.cgroup", "process.linux.cgroup")


def scrapers(optional=True, names=SCRAPERS):
    """The configuration of the scrapers, with everything that is optional or nothing."""
    if not optional:
        return {name: None for name in names}
    made = {name: {"metrics": {metric: {"enabled": True} for metric in OPTIONAL.get(name, ())}} for name in names}
    if "process" in made:
        made["process"]["resource_attributes"] = {name: {"enabled": True} for name in ATTRIBUTES}
    return made


def value_of(value):
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind else None


def attributes_of(attributes):
    return tuple(sorted((pair.key, value_of(pair.value)) for pair in attributes))


def kind_of(metric):
    data = metric.WhichOneof("data")
    if data == "sum":
        return ["sum", metric.sum.aggregation_temporality, metric.sum.is_monotonic]
    return [data]


def series(message):
    """{(metric, resource attributes, attributes): [unit, kind, number type, value]} of one request, of its last scrape:
    those that wait may go as one request."""
    found, times = {}, {}
    for resource in message.resource_metrics:
        of_resource = attributes_of(resource.resource.attributes)
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in getattr(metric, metric.WhichOneof("data")).data_points:
                    key = (metric.name, of_resource, attributes_of(point.attributes))
                    assert point.time_unix_nano != times.get(key), key
                    if point.time_unix_nano < times.get(key, 0):
                        continue
                    times[key] = point.time_unix_nano
                    number = point.WhichOneof("value")
                    found[key] = [metric.unit, kind_of(metric), number, getattr(point, number)]
    return found


def shapes(message):
    """{metric: [unit, kind, number types, sets of attribute names]}."""
    found = {}
    for (name, _, attributes), (unit, kind, number, _) in series(message).items():
        shape = found.setdefault(name, [unit, kind, set(), set()])
        shape[2].add(number)
        shape[3].add(tuple(key for key, _ in attributes))
    return {name: [unit, kind, sorted(a), sorted(b)] for name, (unit, kind, a, b) in found.items()}


class Peer:
    """The Go collector, which scrapes the same and sends it to a backend of its own; a context."""

    def __init__(self, program, directory, receiver, name="hostmetrics"):
        self.backend = HttpBackend()
        self.program, self.log = program, directory / "peer.log"
        self.config = directory / "peer.yaml"
        self.receiver, self.name = receiver, name

    def __enter__(self):
        self.backend.__enter__()
        self.config.write_text(
            json.dumps(
                {
                    "receivers": {self.name: self.receiver},
                    "exporters": {
                        "otlphttp": {"endpoint": self.backend.endpoint, "compression": "none"}
                    },
                    "service": {
                        "telemetry": {"metrics": {"level": "none"}},
                        "pipelines": {"metrics": {"receivers": [self.name], "exporters": ["otlphttp"]}},
                    },
                }
            )
        )
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [self.program, "--config", self.config], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.backend.__exit__(*_)

    def requests(self, count):
        until(
            lambda: len(self.backend.requests) >= count or self.process.poll() is not None,
            lambda: self.log.read_text(errors="replace")[-2000:],
            60,
        )
        assert self.process.poll() is None, self.log.read_text(errors="replace")[-2000:]
        return [one.message for one in self.backend.requests[:count]]


def peer_program():
    """The Go collector to compare with, if the environment names one."""
    return os.environ.get("HOLDFAST_PEER")
