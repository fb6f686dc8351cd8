"""docker_stats against a small Docker daemon."""

import pytest
import yaml

from support.backends import ok, status
from support.certificates import Authority
from support.docker import UNLIMITED, Docker, stats_v1
from support.holdfast import otlphttp_exporter, run
from support.hostmetrics import series
from support.waiting import until


def configuration(backend, endpoint, **keys):
    receiver = {"endpoint": endpoint, "collection_interval": "200ms", "initial_delay": "10ms", **keys}
    return {
        "receivers": {"docker_stats": receiver},
        # One consumer: the measurements arrive in their order.
        "exporters": {"otlphttp": otlphttp_exporter(backend, sending_queue={"num_consumers": 1})},
        "service": {"pipelines": {"metrics": {"receivers": ["docker_stats"], "exporters": ["otlphttp"]}}},
    }


@pytest.fixture
def docker(ending, tmp_path):
    return ending.enter_context(Docker(tmp_path))


def last(backend):
    """{(metric, name of the container, attributes...): value} of the last request."""
    found = {}
    if backend.requests:
        for (name, resource, attributes), (*_, value) in series(backend.requests[-1].message).items():
            found[(name, dict(resource).get("container.name"), *(value for _, value in attributes))] = value
    return found


def wait_for(backend, wanted):
    until(lambda: wanted.items() <= last(backend).items(), lambda: f"{wanted} in {last(backend)}")


DEFAULTS = {
    ("container.cpu.usage.total", "a"): 1500,
    ("container.cpu.usage.kernelmode", "a"): 100,
    ("container.cpu.usage.usermode", "a"): 200,
    ("container.cpu.utilization", "a"): 100.0,
    ("container.memory.usage.total", "a"): 800,
    ("container.memory.usage.limit", "a"): 4000,
    ("container.memory.percent", "a"): 20.0,
    ("container.memory.file", "a"): 22,
    ("container.blockio.io_service_bytes_recursive", "a", "8", "0", "read"): 10,
    ("container.blockio.io_service_bytes_recursive", "a", "8", "0", "write"): 20,
    ("container.network.io.usage.rx_bytes", "a", "eth0"): 1,
    ("container.network.io.usage.rx_dropped", "a", "eth0"): 2,
    ("container.network.io.usage.tx_bytes", "a", "eth0"): 5,
    ("container.network.io.usage.tx_dropped", "a", "eth0"): 6,
    ("container.network.io.usage.rx_bytes", "a", "eth1"): 7,
    ("container.network.io.usage.rx_dropped", "a", "eth1"): 0,
    ("container.network.io.usage.tx_bytes", "a", "eth1"): 0,
    ("container.network.io.usage.tx_dropped", "a", "eth1"): 0,
}


def on(*names):
    return {name: {"enabled": True} for name in names}


def test_a_running_container_is_measured(docker, start, http_backend):
    docker.add("a")
    start(configuration(http_backend, docker.endpoint))
    wait_for(http_backend, DEFAULTS)
    assert last(http_backend) == DEFAULTS
    resources = {resource for _, resource, _ in series(http_backend.requests[-1].message)}
    assert [dict(one) for one in resources] == [
        {
            "container.runtime": "docker",
            "container.hostname": "host-a",
            "container.id": "aaaa",
            "container.image.name": "team/app:1",
            "container.name": "a",
        }
    ]
    assert docker.requests[0] == ("/v1.44/containers/json", {"filters": '{"status":["running"]}'})
    assert ("/v1.44/containers/aaaa/stats", {"stream": "false"}) in docker.requests


def test_what_is_off_can_be_had(docker, start, http_backend):
    docker.add("a")
    docker.add("b", stats=stats_v1(), HostConfig={"CpusetCpus": "0-2,5"})
    docker.containers["bbbb"]["inspect"]["State"]["Health"] = {"Status": "healthy"}
    names = (
        *("container.cpu.limit", "container.cpu.logical.count", "container.cpu.shares", "container.cpu.usage.system"),
        *("container.cpu.usage.percpu", "container.cpu.throttling_data.periods", "container.memory.anon"),
        *("container.cpu.throttling_data.throttled_periods", "container.cpu.throttling_data.throttled_time"),
        *("container.memory.pgfault", "container.memory.usage.max", "container.memory.fails", "container.memory.total_rss"),
        *("container.memory.total_pgfault", "container.network.io.usage.rx_errors", "container.network.io.usage.rx_packets"),
        "container.state.health.status",
        *("container.pids.count", "container.pids.limit", "container.restarts", "container.state.status", "container.uptime"),
    )
    keys = {
        "metrics": {**on(*names), "container.memory.percent": {"enabled": False}},
        "resource_attributes": on("container.command_line", "container.image.id"),
        "container_labels_to_metric_labels": {"team": "of.team", "none": "of.none"},
        "env_vars_to_metric_labels": {"A": "of.a", "EMPTY": "of.empty"},
    }
    start(configuration(http_backend, docker.endpoint, **keys))
    wait_for(
        http_backend,
        {
            ("container.cpu.limit", "a"): 1.5,
            ("container.cpu.limit", "b"): 4.0,
            ("container.cpu.logical.count", "a"): 2,
            ("container.cpu.shares", "a"): 512,
            ("container.cpu.usage.system", "a"): 11000,
            ("container.cpu.usage.percpu", "a", "cpu0"): 30,
            ("container.cpu.usage.percpu", "a", "cpu1"): 40,
            ("container.cpu.throttling_data.periods", "a"): 5,
            ("container.cpu.throttling_data.throttled_periods", "a"): 2,
            ("container.cpu.throttling_data.throttled_time", "a"): 77,
            ("container.memory.anon", "a"): 11,
            ("container.memory.pgfault", "a"): 33,
            ("container.memory.usage.max", "a"): 0,
            ("container.memory.usage.max", "b"): 1234,
            ("container.memory.fails", "b"): 3,
            ("container.memory.usage.total", "b"): 700,
            ("container.memory.usage.limit", "b"): 9223372036854771712,
            ("container.memory.total_cache", "b"): 2,
            ("container.memory.total_rss", "b"): 4,
            ("container.memory.total_pgfault", "b"): 5,
            ("container.network.io.usage.rx_errors", "a", "eth0"): 3,
            ("container.network.io.usage.rx_packets", "a", "eth0"): 4,
            ("container.pids.count", "a"): 9,
            ("container.pids.limit", "a"): -1,
            ("container.restarts", "a"): 3,
            ("container.state.status", None, "running"): 2,
            ("container.state.health.status", "b", "healthy"): 1,
            ("container.state.health.status", "b", "starting"): 0,
        },
    )
    assert UNLIMITED > 1 << 63
    names = {name for name, *_ in last(http_backend)}
    assert "container.memory.percent" not in names and "container.uptime" in names
    found = next(dict(resource) for _, resource, _ in series(http_backend.requests[-1].message) if resource)
    assert found["container.command_line"] == "run it" and found["container.image.id"] == "sha256:abc"
    assert (found["of.team"], found["of.a"]) == ("one", "b=c")
    assert "of.none" not in found and "of.empty" not in found


@pytest.mark.parametrize(
    "excluded, left",
    [
        (["team/app:1"], {"b", "c"}),
        (["team/*"], {"c"}),
        (["/^team/"], {"c"}),
        (["*", "!team/other:2"], {"b"}),
        (["nothing"], {"a", "b", "c"}),
    ],
)
def test_images_can_be_left_out(docker, start, http_backend, excluded, left):
    docker.add("a")
    docker.add("b", "team/other:2")
    docker.add("c", "third")
    start(configuration(http_backend, docker.endpoint, excluded_images=excluded))
    until(lambda: {name for _, name, *_ in last(http_backend)} == left, lambda: f"{last(http_backend)}")


def test_containers_come_and_go(docker, start, http_backend):
    start(configuration(http_backend, docker.endpoint))
    until(lambda: len(docker.requests) > 1, "scrapes of nothing")
    first = docker.add("a")
    wait_for(http_backend, DEFAULTS)
    docker.add("b")
    del docker.containers[first]
    until(lambda: {name for _, name, *_ in last(http_backend)} == {"b"}, lambda: f"{last(http_backend)}")


def test_a_daemon_is_reached_by_tcp_too(start, http_backend):
    with Docker() as docker:
        docker.add("a")
        start(configuration(http_backend, docker.endpoint, api_version=1.41))
        wait_for(http_backend, DEFAULTS)
        assert docker.requests[0][0] == "/v1.41/containers/json"


def test_a_daemon_is_reached_by_tls(start, http_backend, tmp_path):
    authority = Authority(tmp_path / "ca")
    with Docker(certificate=authority.issue("docker")) as docker:
        docker.add("a")
        start(configuration(http_backend, docker.endpoint, tls={"ca_file": str(authority.certificate)}))
        wait_for(http_backend, DEFAULTS)


def test_a_daemon_whose_certificate_is_not_known_is_not_read(start, http_backend, tmp_path):
    authority = Authority(tmp_path / "ca")
    with Docker(certificate=authority.issue("docker")) as docker:
        docker.add("a")
        instance = start(configuration(http_backend, docker.endpoint, tls={}))
        instance.wait_for_log("certificate")
        assert not docker.requests


def test_many_containers_are_asked_at_once(docker, start, http_backend):
    for number in range(30):
        docker.add(f"c{number:02}")
    docker.slow.clear()
    start(configuration(http_backend, docker.endpoint))
    until(lambda: len([1 for path, _ in docker.requests if path.endswith("/stats")]) == 30, "all of them, unanswered")
    docker.slow.set()
    until(lambda: len({name for _, name, *_ in last(http_backend)}) == 30, lambda: f"{last(http_backend)}")


# ---- what goes wrong ----


@pytest.mark.parametrize(
    "part, answer, words",
    [
        ("inspect", 500, "a container is left out: the answer is 500"),
        ("stats", 500, "a container is left out: the answer is 500"),
        ("stats", "no JSON", "a container is left out"),
        ("stats", "", "a container is left out"),
    ],
)
def test_one_bad_container_leaves_the_others(docker, start, http_backend, part, answer, words):
    docker.add("a")
    docker.containers[docker.add("b")][part] = answer
    instance = start(configuration(http_backend, docker.endpoint))
    instance.wait_for_log(words)
    wait_for(http_backend, DEFAULTS)
    assert {name for _, name, *_ in last(http_backend)} == {"a"}
    instance.wait_metric("otelcol_scraper_errored_metric_points", 1)


def test_a_container_that_has_ended_is_no_fault(docker, start, http_backend):
    docker.add("a")
    docker.containers[docker.add("b")]["stats"] = 404
    instance = start(configuration(http_backend, docker.endpoint))
    wait_for(http_backend, DEFAULTS)
    assert instance.metric("otelcol_scraper_errored_metric_points") == 0


@pytest.mark.parametrize("answer, words", [(500, "the answer is 500"), ({}, "the answer is no list"), ("[", "failed")])
def test_a_daemon_that_refuses_is_asked_again(docker, start, http_backend, answer, words):
    docker.add("a")
    docker.refusal = answer
    instance = start(configuration(http_backend, docker.endpoint))
    instance.wait_for_log("for the containers failed: .*" + ("" if words == "failed" else words))
    docker.refusal = None
    wait_for(http_backend, DEFAULTS)


def test_a_daemon_may_be_away(start, http_backend, tmp_path):
    instance = start(configuration(http_backend, f"unix://{tmp_path}/docker.sock"))
    instance.wait_for_log("for the containers failed")
    with Docker(tmp_path) as docker:
        docker.add("a")
        wait_for(http_backend, DEFAULTS)


def test_an_answer_that_does_not_come_is_given_up(docker, start, http_backend):
    docker.add("a")
    docker.slow.clear()
    instance = start(configuration(http_backend, docker.endpoint, timeout="300ms"))
    instance.wait_for_log("a container is left out")
    docker.slow.set()
    wait_for(http_backend, DEFAULTS)


def test_a_daemon_that_hangs_holds_up_no_reload(docker, start, http_backend):
    docker.add("a")
    docker.slow.clear()
    made = configuration(http_backend, docker.endpoint, timeout="1h")
    instance = start(made)
    until(lambda: any(path.endswith("/stats") for path, _ in docker.requests), "a request that hangs")
    made["receivers"]["docker_stats"]["excluded_images"] = ["*"]
    instance.write_config(made)
    instance.reload()
    instance.wait_for_log("the new configuration runs")
    count = len(docker.requests)
    until(lambda: len(docker.requests) > count + 2, "scrapes of the new configuration")
    assert instance.terminate()[0] == 0


def test_what_was_measured_survives_a_kill_while_the_backend_is_away(docker, start, http_backend):
    docker.add("a")
    http_backend.always = status(503)
    instance = start(configuration(http_backend, docker.endpoint))
    wait_for(http_backend, DEFAULTS)  # what is refused is seen, too
    instance.kill9()
    docker.refusal = 500
    http_backend.requests.clear()
    http_backend.always = ok()
    instance.start()
    wait_for(http_backend, DEFAULTS)


@pytest.mark.parametrize(
    "keys, words",
    [
        ({"endpoint": "docker.sock"}, "unix:///path, tcp://host:port or http://host:port"),
        ({"api_version": "1.24"}, "a version from 1.25 on"),
        ({"api_version": "new"}, "a version from 1.25 on"),
        ({"excluded_images": ["/(/"]}, "excluded_images[0]"),
        ({"metrics": on("container.cpu")}, "container.cpu"),
        ({"tls": {}}, "tls: the endpoint is a Unix socket"),
        ({"endpoint": "tcp://x:1", "tls": {"cert_file": "/a"}}, "needs its key"),
    ],
)
def test_wrong_configurations_are_refused(tmp_path, http_backend, keys, words):
    path = tmp_path / "config.yaml"
    made = configuration(http_backend, "unix:///x")
    made["receivers"]["docker_stats"].update(keys)
    path.write_text(yaml.safe_dump(made))
    done = run("validate", "--config", path)
    assert done.returncode == 1
    assert words in done.stdout + done.stderr
