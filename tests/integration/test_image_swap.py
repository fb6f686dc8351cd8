"""The image of `./dev image` in the pods that the Go collector's chart and operator make: their arguments, environment, probes,
mounts and users, in the image's root, read only. Needs root: mounts and chroot."""

import http.server
import json
import os
import threading
import time
import urllib.parse

import pytest
import yaml

from support import pod_shapes
from support.certificates import Authority
from support.container import Container, image_root
from support.kubelet import Kubelet
from support.kubernetes import KubernetesApi, pod
from support.pod import Network
from support.pod_shapes import POD_IP
from support.waiting import until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts and chroot need root")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return image_root(tmp_path_factory.mktemp("root"))


@pytest.fixture
def network(ending):
    return ending.enter_context(Network(POD_IP))


@pytest.fixture
def run(root, tmp_path, network, ending):
    """run(shape) -> a container that is not started."""

    def make(shape, **options):
        container = Container(shape, root, tmp_path, network, **options)
        ending.callback(container.close)
        return container

    return make


def work(container):
    """Starts it, and does what each of them must do."""
    container.start().wait_ready()
    container.send("said-to-the-pod")
    container.wait_said("said-to-the-pod")
    status, body = container.curl(f"http://{POD_IP}:8888/metrics")
    assert status == "200" and "otelcol_receiver_accepted_log_records" in body


class TestChart:
    @pytest.mark.parametrize("command", [None, "/otelcol", "/otelcol-contrib", "/otelcol-k8s"])
    def test_a_deployment(self, run, command):
        container = run(pod_shapes.chart(pod_shapes.chart_configuration("detailed"), command=command))
        work(container)
        container.end()

    @pytest.mark.parametrize("user", [(10001, 10001), (1000680000, 0)], ids=["image", "arbitrary"])
    def test_users_and_more_arguments(self, run, user):
        """`command.extraArgs`, and a user of a range that the cluster chooses."""
        more = ["--feature-gates=-component.UseLocalHostAsDefaultHost", "--set=processors.batch.timeout=100ms"]
        container = run(pod_shapes.chart(pod_shapes.chart_configuration("detailed"), more_arguments=more), user=user)
        work(container)
        container.end()

    @pytest.mark.parametrize("stored", [False, True], ids=["without a store", "storeCheckpoints"])
    def test_container_logs(self, run, stored):
        container = run(pod_shapes.chart_logs_collection(stored))
        logs = container.volume("pods") / "shop_web-5d4f_0a1b" / "app"
        own = container.volume("pods") / "telemetry_t-opentelemetry-collector-x_0c" / "opentelemetry-collector"
        for folder in (logs, own):
            folder.mkdir(parents=True)
        work(container)
        with open(logs / "0.log", "a") as log, open(own / "0.log", "a") as mine:
            log.write("2024-05-01T10:00:00.5Z stdout F line-of-the-shop\n")
            mine.write("2024-05-01T10:00:00.5Z stdout F line-of-its-own\n")
        container.wait_said("line-of-the-shop", "web-5d4f")
        assert "line-of-its-own" not in container.log()
        if stored:
            assert list(container.volume("storage").iterdir())
            container.kill9()
            with open(logs / "0.log", "a") as log:
                log.write("2024-05-01T10:00:01Z stdout F written-while-it-was-away\n")
            container.start().wait_ready()
            container.wait_said("written-while-it-was-away")
        container.end()

    def test_host_metrics(self, run):
        shape = pod_shapes.chart_host_metrics()
        container = run(shape)
        container.box.mounts["/hostfs"] = ("/", False)
        work(container)
        container.wait_said("system.cpu.time", "system.memory.usage", "system.network.io", "system.filesystem.usage")
        container.end()

    def test_kubernetes_attributes_and_kubelet_metrics(self, run, network, tmp_path, ending):
        authority = Authority(tmp_path / "authority")
        api = KubernetesApi(authority.issue("kubernetes"), {"a-token"})
        api.put("pods", "web-5d4f", **pod("web-5d4f", POD_IP, uid="0a1b"))
        network.call(api.start)
        ending.callback(api.stop)
        kubelet = Kubelet(authority.issue("kubelet"), token="a-token")
        kubelet.port = 10250
        network.call(kubelet.__enter__)
        ending.callback(kubelet.__exit__, None, None, None)
        shape = pod_shapes.chart_kubernetes()
        service = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(api.port)}
        container = run(shape._replace(environment={**shape.environment, **service}))
        account = container.volume("account")
        (account / "token").write_text("a-token")
        (account / "ca.crt").write_bytes(authority.certificate.read_bytes())
        (account / "namespace").write_text("telemetry")
        work(container)
        container.wait_said("web-5d4f", "k8s.pod.start_time", "k8s.node.cpu.usage", "container.image.tag")
        container.end()

    def test_a_statefulset_keeps_its_claim(self, run, network, ending):
        backend = Taking()
        network.call(backend.start)
        ending.callback(backend.stop)
        container = run(pod_shapes.chart_statefulset(f"http://127.0.0.1:{backend.port}"))
        backend.refuses = True
        container.start().wait_ready()
        for number in range(5):
            container.send(f"kept-{number}")
        container.kill9()
        assert list(container.volume("claim").iterdir())
        backend.refuses = False
        container.start().wait_ready()
        until(lambda: all(b"kept-%d" % number in backend.taken() for number in range(5)), "what the claim had")
        container.end()


class TestOperator:
    @pytest.mark.parametrize(
        "arguments",
        [[], ["--feature-gates=+a.gate.of.a.newer.release,-another", "--set=exporters.debug.verbosity=detailed"]],
        ids=["deployment", "daemonset with arguments"],
    )
    def test_a_deployment_and_a_daemonset(self, run, arguments):
        container = run(pod_shapes.operator(arguments=arguments))
        work(container)
        container.wait_said("collector-0")
        container.end()

    def test_a_statefulset_with_a_target_allocator(self, run, network, ending):
        allocator = Allocator()
        network.call(allocator.start)
        ending.callback(allocator.stop)
        container = run(pod_shapes.operator_statefulset(f"http://127.0.0.1:{allocator.port}"))
        work(container)
        until(lambda: "collector-0" in allocator.collectors, "it asks for its own targets")
        container.wait_said("up_and_scraped")
        container.end()

    def test_a_sidecar(self, run):
        text = yaml.safe_dump(pod_shapes.operator_configuration())
        container = run(pod_shapes.operator_sidecar(text))
        work(container)
        container.wait_said("shop-7d9f-x")
        container.end()


class Served:
    """A small HTTP server; started within the pod's network."""

    def start(self):
        served = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                code, kind, body = served.answer(self, self.rfile.read(int(self.headers.get("Content-Length", 0))))
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Taking(Served):
    """A backend of OTLP/HTTP that keeps the bodies, or refuses."""

    def __init__(self):
        self.refuses, self.bodies = False, []

    def taken(self):
        return b"".join(self.bodies)

    def answer(self, _handler, body):
        if self.refuses:
            return 503, "text/plain", b""
        self.bodies.append(body)
        return 200, "application/x-protobuf", b""


class Allocator(Served):
    """A target allocator with one job, whose target is itself."""

    def __init__(self):
        self.collectors = set()

    def answer(self, handler, _body):
        path, _, query = handler.path.partition("?")
        if path == "/scrape_configs":
            job = {"job_name": "a job", "scrape_interval": "1s", "scrape_timeout": "1s", "metrics_path": "/metrics", "scheme": "http"}
            return 200, "application/json", json.dumps({"a job": job}).encode()
        if urllib.parse.unquote(path) == "/jobs/a job/targets":
            self.collectors |= set(urllib.parse.parse_qs(query)["collector_id"])
            targets = [{"targets": [f"127.0.0.1:{self.port}"], "labels": {}}]
            return 200, "application/json", json.dumps(targets).encode()
        return 200, "text/plain", b"# TYPE up_and_scraped gauge\nup_and_scraped %d\n" % int(time.time())
