"""The gateway of the deployment document, its configuration unchanged, before a real Jaeger, Prometheus and Loki under the names
that it has for them: each is killed in turn. Then two such gateways behind loadbalancing. `./dev test --real gateway` runs it
in a network and with mounts of its own."""

import os
import subprocess
import time

import pytest
import yaml
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from real import jaeger as real_jaeger
from real import loki as real_loki
from real import prometheus as real_prometheus
from real.tools import ROOT
from support import otlp
from support.certificates import Authority
from support.holdfast import FAST_RETRY, Holdfast, config
from support.senders import GrpcSender
from support.waiting import until

DOCUMENT = ROOT / "tests" / "support" / "document" / "gateway.yaml"
DOMAIN = "observability.svc.cluster.local"
ADDRESSES = {"jaeger-collector": "10.96.0.12", "prometheus": "10.96.0.13", "loki-gateway": "10.96.0.14"}
PORTS = {"GRPC_PORT": 4317, "HTTP_PORT": 4318, "METRICS_PORT": 8888, "HEALTH_PORT": 13133}
LOG_LINES = ('{service_name="shop", namespace="far"} | json', {"text": "body", "id": "attributes_test_id", "trace": "traceid"})
SETTLED_SECONDS = 180  # decisions and batches take 10 s each, an attempt at a backend that was away up to 30 s


def ip(*words):
    subprocess.run(["ip", *map(str, words)], check=True, capture_output=True, timeout=30)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """The addresses of the backends, their names, and who signs their certificates."""
    assert os.environ.get("HOLDFAST_APART"), "this covers /etc/hosts and /etc/ssl/certs: run it by ./dev test --real gateway"
    place = tmp_path_factory.mktemp("names")
    signing = Authority(place / "certificates")
    hosts = place / "hosts"
    hosts.write_text("127.0.0.1 localhost\n" + "".join(f"{at} {name}.{DOMAIN}\n" for name, at in ADDRESSES.items()))
    for address in ADDRESSES.values():
        ip("address", "add", f"{address}/32", "dev", "lo")
    for source, target in ((hosts, "/etc/hosts"), (signing.directory, "/etc/ssl/certs")):
        subprocess.run(["mount", "--bind", source, target], check=True, timeout=30)
    return signing


class Pod:
    """A network with an address that the backends and the senders reach."""

    def __init__(self, number):
        self.address, node = f"10.244.{number}.2", f"10.244.{number}.1"
        self.holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo up; exec sleep infinity"], stdout=subprocess.PIPE)
        assert self.holder.stdout.readline() == b"up\n"
        self.inside = ["nsenter", f"--target={self.holder.pid}", "--net"]
        ip("link", "add", f"pod{number}", "type", "veth", "peer", "name", "eth0", "netns", self.holder.pid)
        ip("address", "add", f"{node}/24", "dev", f"pod{number}")
        ip("link", "set", f"pod{number}", "up")
        for words in ("link set lo up", f"address add {self.address}/24 dev eth0", "link set eth0 up", f"route add default via {node}"):
            subprocess.run([*self.inside, "ip", *words.split()], check=True, timeout=30)

    def close(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()


class Gateway(Holdfast):
    def __init__(self, directory, pod):
        objects = [one for one in yaml.safe_load_all(DOCUMENT.read_text()) if one]
        (text,) = [one["data"]["config.yaml"] for one in objects if one["kind"] == "ConfigMap"]
        super().__init__(directory, text, base={}, environment={"HOLDFAST_HEALTH": f"0.0.0.0:{PORTS['HEALTH_PORT']}"})
        self.host, self.prefix = pod.address, pod.inside
        self.ports = PORTS


@pytest.fixture
def backends(authority, tmp_path, ending):
    """Jaeger, Prometheus and Loki, where the document has them."""
    at = ADDRESSES
    certificate = authority.issue(f"jaeger-collector.{DOMAIN}")
    made = (
        real_jaeger.Jaeger(tmp_path, grpc=f"{at['jaeger-collector']}:4317", certificate=certificate),
        real_prometheus.Prometheus(tmp_path, host=at["prometheus"], port=9090),
        real_loki.Loki(tmp_path, tenants=False, host=at["loki-gateway"], port=3100),
    )
    for one in made:
        ending.callback(one.close)
        one.start()
    return made


_pods = iter(range(1, 250))


@pytest.fixture
def gateway(tmp_path, ending):
    """gateway() -> one that runs, in a pod of its own."""

    def make():
        number = next(_pods)
        pod = Pod(number)
        ending.callback(pod.close)
        made = Gateway(tmp_path / f"gateway{number}", pod)
        ending.callback(made.close)
        return made.start()

    return make


def queued(holdfast):
    """{(queue, who reads it): items}, without the empty ones."""
    counts = {
        (queue["id"], one["exporter"]): one["queued"]["items"]
        for queue in holdfast.queue("stat")["queues"]
        for one in queue["exporters"]
    }
    return {name: count for name, count in counts.items() if count}


def wait_settled(holdfast):
    until(lambda: not queued(holdfast), lambda: (queued(holdfast), holdfast.log()[-2000:]), SETTLED_SECONDS, 0.5)


def begin_ns():
    """Ten minutes ago, where the times of what is sent begin."""
    return time.time_ns() - 600 * 10**9


class Sent:
    """What was acknowledged, by the backend that must have it."""

    def __init__(self, sender):
        self.sender, self.begun_ns, self.number = sender, begin_ns(), 0
        self.spans, self.samples, self.records = {}, {}, {}

    def some(self, rounds=15):
        for _ in range(rounds):
            time_ns = self.begun_ns + self.number * 10**9
            self.spans |= real_jaeger.send(self.sender, Status.STATUS_CODE_ERROR)  # what the policies keep
            counter = real_prometheus.counter(self.number, time_ns)
            self.sender.export(otlp.METRICS, real_prometheus.request(counter))
            self.samples[time_ns // 10**6] = self.number
            self.records |= real_loki.send(self.sender, [time_ns + at for at in range(1, 6)])
            self.number += 1


def test_the_configuration_runs_unchanged_and_each_is_killed_in_turn(backends, gateway, ending):
    first = gateway()
    sent = Sent(ending.enter_context(GrpcSender(first.grpc_target)))
    sent.some()
    first.kill9()
    first.start()
    sent.some()
    for one in backends:
        one.kill()
        sent.some()
        one.start()
        sent.some()
    wait_settled(first)
    for one in backends:
        one.kill()
        one.start()
    jaeger, prometheus, loki = backends
    real_jaeger.check_values(jaeger, "otlp/jaeger", sent.spans)
    until(lambda: prometheus.values("items_total") == sent.samples, lambda: f"{prometheus.find('items_total[3h]')}")
    (series,) = prometheus.find("items_total[3h]")
    assert {"cluster": "prod", "collector": "gateway", "job": "shop"}.items() <= series["metric"].items()
    query, names = LOG_LINES
    real_loki.check("loki", loki.entries(query, sent.begun_ns), names, sent.records)


def halves(count):
    """Two requests with a span each of so many new traces."""
    pair = [otlp.request(otlp.TRACES, otlp.new_ids(count)) for _ in range(2)]
    first, second = (one.resource_spans[0].scope_spans[0].spans for one in pair)
    for one, other in zip(first, second, strict=True):
        other.trace_id = one.trace_id
    return pair


def ids(*requests):
    """{trace id: ids of its spans}"""
    found = {}
    for span in (span for one in requests for span in one.resource_spans[0].scope_spans[0].spans):
        found.setdefault(span.trace_id.hex(), set()).add(span.span_id.hex())
    return found


def test_traces_stay_whole_behind_loadbalancing_while_a_gateway_is_killed(backends, gateway, start, ending):
    """The first spans of some traces have an error: both are kept. Of the others a share is kept, likewise whole."""
    gateways = [gateway() for _ in range(2)]
    names = {"static": {"hostnames": [one.grpc_target for one in gateways]}}
    protocol = {"otlp": {"tls": {"insecure": True}}}
    front = start(config({"loadbalancing": {"protocol": protocol, "resolver": names, "retry_on_failure": dict(FAST_RETRY)}}))
    sender = ending.enter_context(GrpcSender(front.grpc_target))
    wrong, right = [halves(20) for _ in range(15)], [halves(20) for _ in range(15)]
    for first, _ in wrong:
        for span in first.resource_spans[0].scope_spans[0].spans:
            span.status.code = Status.STATUS_CODE_ERROR
    for number, (one, other) in enumerate(zip(wrong, right, strict=True)):
        sender.export(otlp.TRACES, one[0])
        sender.export(otlp.TRACES, other[0])
        if number == 7:
            gateways[0].kill9()
    gateways[0].start()
    for number, (one, other) in enumerate(zip(wrong, right, strict=True)):
        if number == 7:
            gateways[1].kill9()
        sender.export(otlp.TRACES, one[1])
        sender.export(otlp.TRACES, other[1])
    gateways[1].start()
    for one in (front, *gateways):
        wait_settled(one)
    jaeger = backends[0]
    kept = {trace: {one["spanID"] for one in jaeger.spans(trace)} for trace in ids(*(half for one in (*wrong, *right) for half in one))}
    wanted = ids(*(half for one in wrong for half in one))
    assert {trace: kept[trace] for trace in wanted} == wanted
    others = ids(*(half for one in right for half in one))
    in_part = [trace for trace, spans in others.items() if kept[trace] not in (set(), spans)]
    assert not in_part, f"{len(in_part)} of {len(others)} traces are kept in part"
    assert any(kept[trace] for trace in others), "the policy random-policy keeps a tenth of them"
    for one in gateways:
        assert one.metric("otelcol_receiver_accepted_spans") > 0, "each has its share"
