"""The DaemonSet of tests/support/document/daemonset.yaml as it stands: its configuration, arguments, environment and mounts, with
the image exchanged. The node has containers' logs as kubelet and Docker lay them out and rotate them, an API server, and a
gateway with a certificate of its own. Needs root: mounts and chroot.

The agent, the gateway and the API server are killed in turn, while logs and events go on. Each line and event is read once, as
the agent's own accounts say, and comes; a request that is being sent when its sender is killed, or whose answer was not
noted on disk yet, may come twice (docs/guarantees.md). What the agent has taken stands in its volume."""

import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from support import otlp
from support.backends import HttpBackend
from support.certificates import Authority
from support.container import Container, image_root
from support.holdfast import run
from support.kubernetes import KubernetesApi, events_of, pod, put_event
from support.pod import Network
from support.pod_shapes import POD_IP, Shape
from support.waiting import until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts and chroot need root")

DOCUMENT = Path(__file__).parents[1] / "support" / "document" / "daemonset.yaml"
GATEWAY_IP, GATEWAY = "10.244.7.10", "otel-gateway.observability.svc.cluster.local"
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
NAMESPACES = ("default", "production", "staging")
TOKEN = "a-token"
ROTATED_AT = 120  # lines


class Logs:
    """A container's log: a link in kubelet's folder to a file of Docker's. kubelet rotates by moving the file that the link
    leads to, and Docker opens a new one."""

    def __init__(self, logs, containers, namespace, name):
        self.id = f"{namespace}-{name}".encode().hex().ljust(64, "0")
        self.name, self.count, self.rotations = f"{namespace}-{name}", 0, 0
        self.file = containers / self.id / f"{self.id}-json.log"
        self.file.parent.mkdir(parents=True)
        self.file.touch()
        link = logs / "pods" / f"{namespace}_{name}_uid-of-{name}" / "app" / "0.log"
        link.parent.mkdir(parents=True)
        link.symlink_to(f"/var/lib/docker/containers/{self.id}/{self.id}-json.log")

    def write(self, count):
        for _ in range(count):
            if self.count and self.count % ROTATED_AT == 0:
                self.rotations += 1
                self.file.rename(f"{self.file}.{self.rotations}")
            line = {"log": f"line {self.name}/{self.count}.\n", "stream": "stdout", "time": "2026-01-02T03:04:05.678Z"}
            with open(self.file, "a") as file:
                file.write(json.dumps(line) + "\n")
            self.count += 1

    def lines(self):
        return {f"{self.name}/{number}" for number in range(self.count)}


def document():
    """The pod's template and the configuration, which is a text."""
    daemonset, configuration = yaml.safe_load_all(DOCUMENT.read_text())
    return daemonset["spec"]["template"]["spec"], configuration["data"]["config.yaml"]


def agent_shape(api):
    """Of the document alone, but for what every pod is given: the account and the address of the API server."""
    spec, text = document()
    (container,) = spec["containers"]
    given = {"MY_NODE_NAME": "node-1", "MY_POD_IP": POD_IP}
    assert [one["name"] for one in container["env"]] == list(given)
    mounts = {one["mountPath"]: (one["name"], not one.get("readOnly")) for one in container["volumeMounts"]}
    mounts["/etc/otelcol"] = ("configuration", False)
    mounts[ACCOUNT] = ("account", False)
    service = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(api.port)}
    path = container["args"][0].partition("=")[2]
    assert container["args"] == [f"--config={path}"]
    return Shape([f"--config={path}"], {**given, **service}, text, mounts)


def gateway_shape(backend):
    tls = {"cert_file": "/etc/tls/gateway.crt", "key_file": "/etc/tls/gateway.key"}
    exporter = {"endpoint": backend.endpoint, "compression": "none", "retry_on_failure": {"initial_interval": "200ms", "max_interval": "1s"}}
    pipeline = {"receivers": ["otlp"], "exporters": ["otlphttp"]}
    configuration = {
        "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": f"{GATEWAY_IP}:4317", "tls": tls}}}},
        "exporters": {"otlphttp": exporter},
        "service": {
            "pipelines": {signal: pipeline for signal in ("traces", "metrics", "logs")},
            "telemetry": {"metrics": {"level": "none"}},
        },
    }
    environment = {"HOLDFAST_HEALTH": f"{GATEWAY_IP}:13134"}
    mounts = {"/etc/otelcol": ("configuration", False), "/etc/tls": ("tls", False)}
    return Shape(["--config=/etc/otelcol/config.yaml"], environment, configuration, mounts)


class Node:
    """All of it. `ending` ends it."""

    def __init__(self, root, folder, ending):
        self.network = ending.enter_context(Network(POD_IP, GATEWAY_IP))
        self.backend = HttpBackend()
        self.network.call(self.backend.start)
        ending.callback(self.backend.stop)
        authority = Authority(folder / "authority")
        self.api = KubernetesApi(authority.issue("kubernetes"), {TOKEN})
        self.network.call(self.api.start)
        ending.callback(lambda: self.api.server and self.api.stop())
        (folder / "hosts").write_text(f"127.0.0.1 localhost\n{GATEWAY_IP} {GATEWAY}\n")
        files = {"/etc/hosts": folder / "hosts", "/etc/ssl/certs/ca-certificates.crt": authority.certificate}

        def container(name, shape, address, **more):
            (folder / name).mkdir(mode=0o755)
            made = Container(shape, root, folder / name, self.network, address=address, **more)
            ending.callback(made.close)
            return made

        self.agent = container("agent", agent_shape(self.api), POD_IP, files=files)
        self.gateway = container("gateway", gateway_shape(self.backend), GATEWAY_IP)
        account = self.agent.volume("account")
        (account / "token").write_text(TOKEN)
        (account / "ca.crt").write_bytes(authority.certificate.read_bytes())
        (account / "namespace").write_text("observability")
        for path, name in zip(authority.issue("gateway", names=f"DNS:{GATEWAY}"), ("gateway.crt", "gateway.key")):
            (self.gateway.volume("tls") / name).write_bytes(path.read_bytes())
            (self.gateway.volume("tls") / name).chmod(0o644)  # as a Secret's files are
        logs, containers = self.agent.volume("varlog"), self.agent.volume("varlibdockercontainers")
        self.logs = [Logs(logs, containers, namespace, f"{namespace}-app-{number}") for namespace in NAMESPACES for number in (1, 2)]
        self.events = set()

    def write(self, count):
        for one in self.logs:
            one.write(count)

    def happen(self, name):
        for namespace in NAMESPACES:
            self.events.add(f"{name}-{namespace}")
            put_event(self.api, f"{name}-{namespace}", namespace=namespace)

    def lines(self):
        """{line: how often it came}"""
        counts = Counter()
        for request in self.backend.accepted(otlp.LOGS):
            for record in otlp.items(otlp.LOGS, request.message):
                counts.update(re.findall(r"line ([a-z0-9/-]+)\.", record.body.string_value))
        return counts

    def wait_all(self):
        """Everything has come, and nothing is left to send."""
        wanted = set().union(*(one.lines() for one in self.logs))
        until(lambda: wanted <= self.lines().keys(), lambda: f"{len(wanted - self.lines().keys())} of {len(wanted)} are missing:\n{self.agent.log()[-3000:]}", 120)
        until(lambda: self.events <= set(events_of(self.backend)), lambda: f"{events_of(self.backend)}\n{self.agent.log()[-2000:]}", 120)
        until(lambda: self.queued(self.agent) == self.queued(self.gateway) == 0, lambda: f"{self.queued(self.agent)} are queued")

    @staticmethod
    def queues(container, signal=None):
        done = run("queue", "stat", "--json", "--data-dir", container.volume("image-volume"))
        assert done.returncode == 0, done.stderr
        return [one for one in json.loads(done.stdout)["queues"] if signal in (None, one["id"])]

    def queued(self, container, signal=None):
        """What it has to send, of one pipeline or of all."""
        queues = self.queues(container, signal)
        return sum(one["queued"]["items"] for queue in queues for one in queue["exporters"] if one["exporter"] != "prometheus")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return image_root(tmp_path_factory.mktemp("root"))


@pytest.fixture
def node(root, tmp_path, ending):
    made = Node(root, tmp_path, ending)
    for namespace in NAMESPACES:
        made.api.put("pods", f"{namespace}-app-1", namespace, **pod(f"{namespace}-app-1", f"10.244.7.{20 + NAMESPACES.index(namespace)}"))
    labels = {"labels": {"app": "shop", "version": "7"}}
    made.api.put("pods", "web", "production", **pod("web", POD_IP, metadata=labels))
    return made


def test_every_process_is_killed_in_turn_and_nothing_is_lost_or_read_twice(node):
    node.gateway.start().wait_ready()
    node.agent.start().wait_ready()
    until(lambda: node.api.watching.get("events") == len(NAMESPACES), lambda: node.agent.log()[-3000:])
    # Files that are there at the first start are read from their ends: none has a line yet.
    node.write(50)
    node.happen("first")
    node.wait_all()

    # The agent, twice, while the gateway is away and files are rotated. A file that comes and goes while the agent is away
    # is none that the document's configuration names: there is one rotation in that time.
    node.gateway.kill9()
    taken = 0
    for name in ("second", "third"):
        node.write(60)
        node.happen(name)
        node.agent.kill9()
        node.write(80)
        node.agent.start().wait_ready()
        taken += 140 * len(node.logs)
        until(lambda taken=taken: node.queued(node.agent, "logs") >= taken, node.agent.log)
    node.happen("fourth")
    node.gateway.start().wait_ready()
    node.wait_all()

    # The gateway, and the API server with the agent, which finds it later.
    node.gateway.kill9()
    node.network.call(node.api.stop)
    node.write(50)
    node.agent.kill9()
    node.agent.start()
    node.network.call(node.api.start)
    node.agent.wait_ready()
    node.happen("fifth")
    node.write(50)
    node.gateway.start().wait_ready()
    node.wait_all()

    assert all(one.rotations >= 3 for one in node.logs)
    (logs,) = node.queues(node.agent, "logs")
    assert logs["appended"]["items"] == sum(one.count for one in node.logs) + len(node.events)
    node.agent.end()
    node.gateway.end()


def test_all_that_the_document_asks_for_is_there(node):
    node.gateway.start().wait_ready()
    node.agent.start().wait_ready()
    until(lambda: node.api.watching.get("events") == len(NAMESPACES), lambda: node.agent.log()[-3000:])
    node.write(1)
    node.happen("first")
    node.agent.send("said to the agent")
    node.wait_all()
    resources, records = {}, {}
    for request in node.backend.accepted(otlp.LOGS):
        for resource in request.message.resource_logs:
            for scope in resource.scope_logs:
                for record in scope.log_records:
                    resources[record.body.string_value] = otlp.attributes(resource.resource)
                    records[record.body.string_value] = record
    own = {"k8s.node.name": "node-1", "collector.type": "daemonset"}
    assert all(own.items() <= found.items() for found in resources.values()), resources
    said = resources["said to the agent"]
    assert (said["app"], said["version"], said["k8s.pod.name"], said["k8s.namespace.name"]) == ("shop", "7", "web", "production")
    line = next(record for body, record in records.items() if "line default-default-app-1/0." in body)
    found = otlp.attributes(line)
    path = "/var/log/pods/default_default-app-1_uid-of-default-app-1/app/0.log"
    assert (found["stream"], found["time"], found["log.file.path"]) == ("stdout", "2026-01-02T03:04:05.678Z", path)
    assert line.time_unix_nano == 1767323045678000000

    def names():
        requests = node.backend.accepted(otlp.METRICS)
        return {
            metric.name
            for request in requests
            for resource in request.message.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    scraped = ("cpu.time", "disk.io", "cpu.load_average.1m", "filesystem.usage", "memory.usage", "network.io", "paging.faults")
    until(lambda: {f"system.{name}" for name in scraped} <= names(), lambda: names())

    def page():
        return node.agent.curl(f"http://{POD_IP}:8889/metrics")[1]

    shown = r'otel_daemonset_system_memory_usage_bytes\{.*collector="daemonset",node="node-1"\} [0-9]'
    until(lambda: re.search(shown, page()), page)
    status, own_page = node.agent.curl(f"http://{POD_IP}:8888/metrics")
    assert status == "200" and "otelcol_receiver_accepted_log_records" in own_page
    node.agent.end()
