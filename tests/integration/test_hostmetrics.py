"""hostmetrics on a made-up machine and on this one, beside what the Go collector measures.

hostmetrics.json holds what the Go collector 0.160 measured on the made-up machine. HOLDFAST_PEER=PROGRAM compares
with a collector that runs, too; HOLDFAST_RECORD=1 writes the file from it."""

import json
import os
from pathlib import Path

import pytest

from support import host_tree, hostmetrics, otlp
from support.holdfast import otlphttp_exporter
from support.hostmetrics import Peer, peer_program, scrapers, series, shapes
from support.waiting import until

RECORD = Path(__file__).parent / "hostmetrics.json"

# What the Go collector reads from this machine whatever its root_path, or what depends on the clock or the disk.
OWN_MACHINE = (
    "system.paging.usage",
    "system.paging.utilization",
    "system.cpu.frequency",
    "nfs.",
)
CHANGING = ("system.filesystem.", "system.uptime", "process.uptime")


def configuration(backend, receiver, **more):
    return {
        "receivers": {"hostmetrics": {"collection_interval": "1s", "initial_delay": "10ms", **receiver}},
        # One consumer: the measurements arrive in their order.
        "exporters": {"otlphttp": otlphttp_exporter(backend, sending_queue={"num_consumers": 1})},
        "service": {"pipelines": {"metrics": {"receivers": ["hostmetrics"], "exporters": ["otlphttp"]}}},
        **more,
    }


def comparable(message):
    """The series as a list that JSON can hold, without what belongs to the machine of the test."""
    rows = []
    for (name, resource, attributes), (unit, kind, number, value) in series(message).items():
        if not name.startswith(OWN_MACHINE):
            changing = name.startswith(CHANGING)
            rows.append(
                [name, [list(pair) for pair in resource], [list(pair) for pair in attributes], unit, kind, number]
                + [None if changing else value]
            )
    return sorted(rows, key=json.dumps)


@pytest.fixture
def machine(tmp_path):
    return host_tree.make(tmp_path / "machine")


def receiver_of(machine, **more):
    return {"root_path": str(machine), "scrapers": scrapers(), **more}


def measured(start, backend, receiver, count=2):
    """The last of so many requests."""
    instance = start(configuration(backend, receiver))
    backend.wait_for_requests(count)
    return instance, backend.requests[count - 1].message


def test_measures_what_the_go_collector_does_on_a_made_up_machine(start, http_backend, machine, tmp_path):
    _, message = measured(start, http_backend, receiver_of(machine))
    found = comparable(message)
    if peer_program():
        receiver = {"collection_interval": "1s", "initial_delay": "10ms", **receiver_of(machine)}
        with Peer(peer_program(), tmp_path, receiver) as peer:
            theirs = comparable(peer.requests(2)[1])
        if os.environ.get("HOLDFAST_RECORD"):
            lines = ",\n".join(json.dumps(row) for row in theirs)
            RECORD.write_text(f"[\n{lines}\n]\n")
        assert found == theirs
    assert found == json.loads(RECORD.read_text())


def values(message, prefix):
    """{(metric, values of its attributes): value} of the metrics with that prefix."""
    return {
        (name, *(value for _, value in attributes)): row[3]
        for (name, _, attributes), row in series(message).items()
        if name.startswith(prefix)
    }


def test_measures_swap_areas_frequencies_and_nfs_of_the_root(start, http_backend, machine):
    _, message = measured(start, http_backend, receiver_of(machine))
    assert values(message, "system.paging.u") == {
        ("system.paging.usage", "/dev/sda3", "used"): 268435456,
        ("system.paging.usage", "/dev/sda3", "free"): 805306368,
        ("system.paging.usage", "/swap\\040file", "used"): 0,
        ("system.paging.usage", "/swap\\040file", "free"): 2097152,
        ("system.paging.utilization", "/dev/sda3", "used"): 0.25,
        ("system.paging.utilization", "/dev/sda3", "free"): 0.75,
        ("system.paging.utilization", "/swap\\040file", "used"): 0,
        ("system.paging.utilization", "/swap\\040file", "free"): 1,
    }
    assert values(message, "system.cpu.frequency") == {
        ("system.cpu.frequency", "cpu0"): 2400125000,
        ("system.cpu.frequency", "cpu1"): 1200500000,
    }
    client = values(message, "nfs.client.")
    assert client["nfs.client.net.count", "udp"] == 40
    assert client["nfs.client.net.count", "tcp"] == 60
    assert client[("nfs.client.net.tcp.connection.accepted",)] == 5
    assert client[("nfs.client.rpc.count",)] == 1000
    assert client[("nfs.client.rpc.retransmit.count",)] == 2
    assert client[("nfs.client.rpc.authrefresh.count",)] == 3
    assert client["nfs.client.procedure.count", "COMMIT", 3] == 21
    assert client["nfs.client.operation.count", "WRITE", 4] == 9
    assert len(client) == 6 + 22 + 3
    server = values(message, "nfs.server.")
    assert server["nfs.server.repcache.requests", "nocache"] == 3
    assert server[("nfs.server.fh.stale.count",)] == 4
    assert server["nfs.server.io", "receive"] == 500
    assert server["nfs.server.io", "transmit"] == 600
    assert server[("nfs.server.thread.count",)] == 8
    assert server["nfs.server.rpc.count", "client"] == 8
    assert server["nfs.server.procedure.count", "COMPOUND", 4] == 6
    assert server["nfs.server.operation.count", "ACCESS", 4] == 44
    assert len(server) == 3 + 1 + 2 + 1 + 3 + 3 + 22 + 2 + 2


def test_measures_each_processor_when_asked(start, http_backend, machine):
    cpu = {"metrics": {"system.cpu.time": {"attributes": ["cpu", "state"]}}}
    _, message = measured(start, http_backend, {"root_path": str(machine), "scrapers": {"cpu": cpu}}, 1)
    found = values(message, "system.cpu.time")
    assert len(found) == 16
    assert found["system.cpu.time", "cpu1", "wait"] == 0.4
    assert found["system.cpu.time", "cpu0", "user"] == 1


def test_joins_points_as_it_is_told(start, http_backend, machine):
    cpu = {"metrics": {"system.cpu.time": {"attributes": ["cpu"], "aggregation_strategy": "max"}}}
    disk = {"metrics": {"system.disk.io": {"attributes": ["direction"]}, "system.disk.io_time": {"attributes": []}}}
    _, message = measured(start, http_backend, {"root_path": str(machine), "scrapers": {"cpu": cpu, "disk": disk}}, 1)
    assert values(message, "system.disk.io") == {
        ("system.disk.io", "read"): 45056 + 10485760 + 9437184,
        ("system.disk.io", "write"): 20971520 + 19922944,
        ("system.disk.io_time",): pytest.approx(0.007 + 0.987 + 0.9),
    }
    assert values(message, "system.cpu.time") == {
        ("system.cpu.time", "cpu0"): 20,
        ("system.cpu.time", "cpu1"): 30,
    }


def test_filters_by_name_and_pattern(start, http_backend, machine):
    chosen = {
        "disk": {"include": {"devices": ["^sd"], "match_type": "regexp"}, "exclude": {"devices": ["sda1"], "match_type": "strict"}},
        "network": {"exclude": {"interfaces": ["lo"], "match_type": "strict"}},
        "filesystem": {
            "include_virtual_filesystems": True,
            "exclude_mount_points": {"mount_points": ["^/with"], "match_type": "regexp"},
            "exclude_devices": {"devices": ["/dev/sdb1"], "match_type": "strict"},
        },
        "process": {"exclude": {"names": ["a name"], "match_type": "regexp"}},
        "load": None,
    }
    _, message = measured(start, http_backend, {"root_path": str(machine), "scrapers": chosen}, 1)
    assert {key[1] for key in values(message, "system.disk.io_time")} == {"sda"}
    assert {key[1] for key in values(message, "system.network.io")} == {"eth0", "eth0:1"}
    assert {key[2:4] for key in values(message, "system.filesystem.usage")} == {("rw", "/"), ("rw", "/run")}
    assert not values(message, "process.")


def test_goes_on_when_a_scraper_fails(start, http_backend, machine):
    (machine / "proc/meminfo").unlink()
    (machine / "proc/loadavg").write_text("nonsense\n")
    instance, message = measured(start, http_backend, receiver_of(machine))
    found = shapes(message)
    assert "system.memory.usage" not in found and "system.cpu.load_average.1m" not in found
    assert "system.cpu.time" in found and "system.network.io" in found
    assert instance.metric("otelcol_scraper_errored_metric_points", scraper="memory") >= 2
    assert instance.metric("otelcol_scraper_scraped_metric_points", scraper="memory") == 0
    assert instance.metric("otelcol_scraper_scraped_metric_points", scraper="cpu") > 0
    said = [line for line in instance.log_path.read_text().splitlines() if "meminfo" in line]
    assert len(said) == 1  # once a minute


def test_measures_this_machine_as_the_go_collector_does(start, http_backend, tmp_path):
    """Counters of the Go collector lie between those of the scrapes before and after."""
    names = [name for name in hostmetrics.SCRAPERS if name != "process"]
    receiver = {"scrapers": scrapers(names=names)}
    start(configuration(http_backend, receiver))
    http_backend.wait_for_requests(2)
    known = {row[0]: row[3:6] for row in json.loads(RECORD.read_text())}
    for name, (unit, kind, numbers, _) in shapes(http_backend.requests[1].message).items():
        if name in known:
            assert [unit, kind, numbers[0]] == known[name], name
    if not peer_program():
        return
    with Peer(peer_program(), tmp_path, {"collection_interval": "1s", "initial_delay": "10ms", **receiver}) as peer:
        theirs = peer.requests(2)[1]
    http_backend.wait_for_requests(len(http_backend.requests) + 2)
    first, last = series(http_backend.requests[1].message), series(http_backend.requests[-1].message)
    measured_there = series(theirs)
    # Devices come and go, states occur or not: what is there at both ends is there in between.
    assert {key for key in first if key in last} <= set(measured_there) | rare(first)
    assert set(measured_there) <= set(first) | set(last) | rare(measured_there)
    for key, (unit, kind, number, value) in measured_there.items():
        for ours in (first, last):
            if key in ours:
                assert ours[key][:3] == [unit, kind, number], key
        if kind == ["sum", 2, True] and key in first and key in last:
            assert first[key][3] <= value <= last[key][3], key


def rare(found):
    """States of processes and connections that need not be there."""
    return {key for key in found if key[0] in ("system.processes.count", "system.network.connections")}


@pytest.mark.parametrize(
    "scraper, problem",
    [
        ({"nothing": None}, "nothing"),
        ({"cpu": {"metrics": {"system.cpu.nothing": {"enabled": True}}}}, "system.cpu.nothing"),
        ({"disk": {"include": {"devices": ["sda"]}}}, "match_type"),
        ({"cpu": {"metrics": {"system.cpu.time": {"attributes": ["thread"]}}}}, "attributes"),
        ({}, "scrapers"),
    ],
)
def test_refuses_keys_that_mean_nothing(start, http_backend, scraper, problem):
    instance = start(configuration(http_backend, {"scrapers": scraper}), ready=False)
    instance.spawn()
    assert instance.process.wait(60) == 1
    assert problem in instance.log_path.read_text()


def test_metrics_of_a_feature_gate_of_the_go_collector_are_taken_and_said_to_do_nothing(start, http_backend, machine):
    """There the gate is off by default, and without it these metrics are not reported either."""
    receiver = receiver_of(machine)
    receiver["scrapers"]["process"] = {**(receiver["scrapers"].get("process") or {}), "metrics": {"process.cpu.time@v1": {"enabled": True}}}
    instance, message = measured(start, http_backend, receiver)
    assert {attributes[0][0] for name, _, attributes in series(message) if name == "process.cpu.time"} == {"state"}
    instance.wait_for_log("scraper.process.EmitV1SystemConventions")


@pytest.mark.parametrize("interval", ["1s", "0s"])
def test_tells_logs_of_the_host_as_an_entity(start, http_backend, machine, interval):
    """What the Go collector 0.160 sends, but for its resource and scope without content."""
    receiver = receiver_of(machine, metadata_collection_interval=interval)
    pipelines = {"logs": {"receivers": ["hostmetrics"], "exporters": ["otlphttp"]}}
    start(configuration(http_backend, receiver, service={"pipelines": pipelines}))
    wanted = 2 if interval == "1s" else 1
    until(lambda: len(http_backend.requests) >= wanted, "the events")
    (scope,) = http_backend.requests[0].message.resource_logs[0].scope_logs
    assert otlp.attributes(scope.scope) == {"otel.entity.event_as_log": True}
    (record,) = scope.log_records
    repeated = {"otel.entity.interval": 1000} if interval == "1s" else {}
    assert otlp.attributes(record) == {
        "otel.entity.event.type": "entity_state",
        "otel.entity.type": "host",
        **repeated,
    }
    assert record.time_unix_nano > 0
