"""The three layers of the deployment document, with every process of them killed in turn."""

import ssl
import sys
import time
from pathlib import Path

import yaml

from harness import cluster_api
from harness.kubelet_logs import ContainerLog, Writers
from harness.pods import Container, Node, PushSink
from harness.push_sink import EVENTS, TEXTS_MAX
from harness.storm import Load, Sink, Truth, wait_all_arrived
from harness.tls_line import TlsLine
from harness.victim import ROOT
from harness.waiting import until

sys.path.insert(0, str(ROOT / "tests"))

from support.certificates import Authority  # noqa: E402
from support.kubernetes import pod  # noqa: E402
from support.pod import enter_network  # noqa: E402

PROMISE = "H13, A1: the document's hybrid keeps what any of its processes acknowledged, whichever of them dies"
FAULT = (
    "the document's manifests and configurations, unchanged, in the image's root (sidecars, DaemonSet agent, three gateways, "
    "backends): SIGKILL of each process in turn, of each layer, of all at once; OOM kills; evictions, which take the volume; "
    "container logs rotated meanwhile"
)
HOLDS = "lost 0 from the senders' records to the contents of the backends; container logs neither lost nor doubled by the agent"
SUBSET = True

DOCUMENT = ROOT / "tests/support/document"
NODE = "node-1"
GATEWAY, NODE_AGENT, JAEGER, PROMETHEUS, LOKI = (f"10.96.0.{number}" for number in range(10, 15))
NAMES = {
    "otel-gateway.observability.svc.cluster.local": GATEWAY,
    "gateway": NODE_AGENT,  # of the optimized sidecar: the agent of its node
    "jaeger-collector.observability.svc.cluster.local": JAEGER,
    "prometheus.observability.svc.cluster.local": PROMETHEUS,
    "loki-gateway.observability.svc.cluster.local": LOKI,
}
SIGNALS = ("traces", "metrics", "logs")
SECONDS = 60
GRACE_SECONDS = 30  # of a pod that says nothing else


def run(lab):
    cluster = Cluster(lab)
    cluster.load(lab.count(1_200, 3_000))
    cluster.flows()
    for _ in range(lab.count(1, 30)):
        for victims in cluster.turns():
            cluster.kill(victims)
        for one in lab.random.sample(cluster.victims, len(cluster.victims)):
            one.kill_by_oom()
            lab.fault()
            cluster.start([one])
            cluster.flows()
        for victims in cluster.evictions():
            cluster.evict(victims)
    cluster.settle()
    cluster.agent.let_queues_stay()
    for _ in range(lab.count(1, 10)):
        container_logs(lab, cluster)
    watches = cluster.api.watches()
    if watches is not None:
        lab.note(f"a real kube-apiserver answered the agent's watches: {watches}")
        lab.require(all(watches.values()), "the agent did not watch there")
    for one in cluster.victims:
        lab.require(not dead_letters(one), f"{one.directory.name} has dead letters")
        one.terminate(40)


def dead_letters(holdfast):
    return holdfast.metric("holdfast_exporter_dead_lettered_items")


def manifest(name):
    """The container of a manifest, and the text of its configuration."""
    objects = [one for one in yaml.safe_load_all((DOCUMENT / f"{name}.yaml").read_text()) if one]
    (config,) = [one["data"]["config.yaml"] for one in objects if one["kind"] == "ConfigMap"]
    pods = [one for one in objects if one["kind"] in ("Deployment", "DaemonSet")]
    containers = pods[0]["spec"]["template"]["spec"]["containers"] if pods else []
    return next((one for one in containers if one["name"] == "otel-collector"), None), config


class Cluster:
    """One node, its pods, the Services that they know by name, and the backends. The document's TLS between the layers ends
    before a gateway, whose receiver has none: there a line stands for what does that in a cluster. The one thing that is
    not in the manifests is a volume at /var/lib/holdfast: a container that is started again has an empty root."""

    def __init__(self, lab):
        self.lab = lab
        self.node = node = Node(lab)
        self.folder = lab.directory / "node"
        self.logs, self.docker = self.folder / "log", self.folder / "docker"
        for path in (self.logs / "pods", self.docker, self.folder / "account", self.folder / "socket"):
            path.mkdir(parents=True)
        (self.folder / "socket").chmod(0o777)
        self.authority = Authority(self.folder / "authority")
        self.trust = self.folder / "certs"
        self.trust.mkdir()
        for name in ("ca.crt", "ca-certificates.crt"):
            (self.trust / name).write_bytes(self.authority.certificate.read_bytes())
        for address in NAMES.values():
            node.service(address)
        (self.folder / "hosts").write_text("".join(f"{address} {name}\n" for name, address in NAMES.items()) + "127.0.0.1 localhost\n")
        self.texts = self.folder / "texts"
        self.texts.write_bytes(bytes(TEXTS_MAX))
        self.make_backends()
        self.api = cluster_api.make(lab, self.authority)
        self.make_layers()

    def make_backends(self):
        lab = self.lab
        self.truths = {}
        for signal_name in SIGNALS:
            folder = lab.directory / signal_name
            folder.mkdir()
            self.truths[signal_name] = Truth(folder, 20, lab.count(20_000, 1_000_000), 4)
        lab.truth = self.truths["traces"]
        self.sinks = {
            "traces": Sink(self.truths["traces"], "jaeger"),
            "metrics": PushSink(lab, self.truths["metrics"], "prometheus", PROMETHEUS, 9090, self.texts),
            "logs": PushSink(lab, self.truths["logs"], "loki", LOKI, 3100, self.texts),
        }
        lab.stack.callback(self.sinks["traces"].kill)

    def make_layers(self):
        node, optimized = self.node, manifest("sidecar-optimized")[1]
        sidecar, agent, gateway = (manifest(name) for name in ("sidecar", "daemonset", "gateway"))
        self.shop = node.pod()
        self.sidecar = self.container("sidecar", *sidecar, node.pod())
        socket = {"/var/run/otel": (self.folder / "socket", True)}
        self.optimized = self.container("optimized", sidecar[0], optimized, node.pod(), socket)
        self.agent = self.make_agent(*agent)
        self.gateways = [self.container(f"gateway-{number}", *gateway, node.pod()) for number in range(3)]
        self.victims = [*self.gateways, self.agent, self.sidecar, self.optimized]
        self.lab.victims += self.victims
        self.line("otel-gateway.observability.svc.cluster.local", self.gateways)
        self.line("gateway", [self.agent])
        self.line("jaeger-collector.observability.svc.cluster.local", [], self.sinks["traces"].port)
        self.api.put("pods", "shop-7d9f-x", **pod("shop-7d9f-x", self.shop[0]))
        for one in self.victims:
            one.spawn()
        for one in self.victims:
            one.wait_ready(SECONDS)

    def container(self, name, described, config, network, mounts=None, environment=None):
        shared = {"/etc/hosts": (self.folder / "hosts", False), "/etc/ssl/certs": (self.trust, False)}
        one = Container(self.node, name, described, config, network, {**shared, **(mounts or {})}, environment)
        self.lab.stack.callback(lambda: one.is_running() and one.kill9())
        return one

    def make_agent(self, described, config):
        account = self.folder / "account"
        (account / "token").write_text(self.api.token)
        (account / "ca.crt").write_bytes(self.api.authority.read_bytes())
        (account / "namespace").write_text("observability")
        mounts = {
            "/var/log": (self.logs, False),
            "/var/lib/docker/containers": (self.docker, False),
            "/var/run/secrets/kubernetes.io/serviceaccount": (account, False),
        }
        environment = {
            "MY_NODE_NAME": NODE,
            "MY_POD_IP": Node.ADDRESS,
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(self.api.port),
        }
        return self.container("agent", described, config, (Node.ADDRESS, None), mounts, environment)

    def line(self, name, containers, port=None):
        """A Service's address where TLS ends, before those of its pods that live."""
        certificate, key = self.authority.issue(name)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.set_alpn_protocols(["h2"])

        def behind():
            if not containers:
                return [("127.0.0.1", port)]
            return [(one.address, 4317) for one in self.lab.random.sample(containers, len(containers))]

        TlsLine(self.lab, None, lambda: context, towards=False, at=(NAMES[name], 4317), behind=behind)

    # ---- load ----

    def load(self, rate):
        """Applications: in the pod of the sidecar, beside the Unix socket, and in a pod without a sidecar."""
        within, shop = enter_network(self.sidecar.box.namespace), enter_network(self.shop[1])
        agent = self.agent
        socket = f"unix://{self.folder}/socket/otel.sock"
        for signal_name, target, http, enter in (
            ("traces", "127.0.0.1:4317", False, within),
            ("traces", "127.0.0.1:4318", True, within),
            ("metrics", "127.0.0.1:4318", True, within),
            ("traces", socket, False, None),
            ("traces", agent.http, True, shop),
            ("metrics", agent.grpc, False, shop),
            ("logs", agent.grpc, False, shop),
            ("logs", agent.http, True, shop),
        ):
            options = {"before_exec": enter, "rate": rate / 8, "connections": 1, "coding": "gzip"}
            if signal_name == "traces":
                options["failed"] = True  # what the gateways' tail sampling keeps
            self.lab.loads.append(Load(self.truths[signal_name], target, http, signal_name, **options))
            self.lab.stack.callback(self.lab.loads[-1].stop)

    def flows(self):
        """Something of each signal is acknowledged again."""
        begun = time.monotonic()
        before = {name: truth.acknowledged() for name, truth in self.truths.items()}
        until(
            lambda: all(truth.acknowledged() > before[name] for name, truth in self.truths.items()),
            lambda: "acknowledged " + " ".join(f"{name} {truth.acknowledged() - before[name]}" for name, truth in self.truths.items()),
            SECONDS,
        )
        self.lab.recovered(time.monotonic() - begun)

    # ---- faults ----

    def turns(self):
        """Each process, each layer, all at once: in another order each time."""
        turns = [[one] for one in (*self.victims, *self.sinks.values())]
        turns += [self.gateways, [self.sidecar, self.optimized, self.agent], list(self.sinks.values())]
        turns.append([*self.victims, *self.sinks.values()])
        self.lab.random.shuffle(turns)
        return turns

    def kill(self, victims):
        self.lab.pause(0.1, 1.2)
        for one in victims:
            one.kill9() if isinstance(one, Container) else one.kill()
            self.lab.fault()
        self.lab.pause(0, 0.5)
        self.start(victims)
        self.flows()

    def evictions(self):
        """A gateway at a time, as a disruption budget has it, and all that else is on the node: the DaemonSet's agent is back
        as soon as it is gone, while the others still deliver."""
        turns = [[one] for one in self.gateways] + [[self.agent, self.sidecar, self.optimized]]
        self.lab.random.shuffle(turns)
        return turns

    def evict(self, victims):
        """SIGTERM, and what is queued must be gone with the process: the volume, an emptyDir, goes with the pod."""
        self.lab.pause(0.1, 1.2)
        for one in victims:
            one.process.terminate()
            self.lab.fault()
        for one in victims:
            status = one.wait_gone(GRACE_SECONDS)
            self.lab.require(status == 0, f"{one.directory.name} ended with {status}: {one.last_words()}")
            one.lose_volume()
            one.spawn()
        for one in victims:
            one.wait_ready(SECONDS)
        self.flows()

    @staticmethod
    def start(victims):
        for one in victims:
            one.spawn() if isinstance(one, Container) else one.start()
        for one in victims:
            if isinstance(one, Container):
                one.wait_ready(SECONDS)

    # ---- the end ----

    def settle(self):
        """Every acknowledged item is in the backend of its signal."""
        lab = self.lab
        lab.stop_loads()
        words = []
        for name, truth in self.truths.items():
            (check,) = wait_all_arrived(truth, [self.sinks[name]], SECONDS)
            lab.acknowledged += check["acknowledged"]
            lab.lost += check["lost"]
            lab.repeated += check["repeated"]
            words.append(f"{name}: {check['acknowledged']} acknowledged, {check['lost']} lost, {check['repeated']} repeated")
            lab.require(check["acknowledged"] > 0, f"no {name} were acknowledged")
        lab.note("; ".join(words))
        lab.require(lab.lost == 0, "acknowledged and lost: " + "; ".join(words))


def container_logs(lab, cluster):
    """The way from the files to the agent's queue repeats nothing and loses nothing: the gateways are away while the agent is
    killed and the files are moved, so that what is doubled at the end was read twice, not sent twice."""
    agent, first = cluster.agent, texts_seen(cluster.texts)
    for one in cluster.gateways:
        one.kill9()
        lab.fault()
    before = agent.metric("otelcol_receiver_accepted_log_records", receiver="filelog") or 0
    logs = [ContainerLog(cluster.logs, cluster.docker, f"shop-{number}") for number in range(3)]
    lab.require(first == {}, f"there are texts already: {len(first)}")
    writers = Writers(lab, logs, rate=200)
    until(lambda: (agent.metric("otelcol_receiver_accepted_log_records", receiver="filelog") or 0) > before, "no line is read", SECONDS)
    for turn in range(lab.count(4, 40)):
        lab.pause(0.2, 0.8)
        if turn % 2 == 0:
            writers.rotate()
        else:
            writers.add(ContainerLog(cluster.logs, cluster.docker, f"late-{turn}"))
        lab.pause(0.3, 0.6)
        if turn % 4 == 3:
            agent.terminate(40)
        else:
            agent.kill9()
            lab.pause(0.1, 0.3)
            writers.rotate()  # what was not read yet is in a file that no pattern finds
        lab.fault()
        cluster.api.put("events", f"e-{turn}", **event(turn))
        cluster.start([agent])
    written = writers.stop()
    cluster.start(cluster.gateways)
    events = lab.count(4, 40)
    deadline = time.monotonic() + SECONDS
    seen = {}
    while time.monotonic() < deadline:
        seen = texts_seen(cluster.texts)
        if len(seen) >= written + events:
            break
        time.sleep(0.25)
    lines = {number: count for number, count in seen.items() if number < EVENTS}
    lost = written - len(lines)
    doubled = sum(count > 1 for count in lines.values())
    lab.acknowledged += written
    lab.lost += lost
    lab.note(
        f"{written} lines of {len(writers.logs)} containers in {sum(one.moved for one in writers.logs)} moved files: {lost} lost, "
        f"{doubled} doubled; {sum(number >= EVENTS for number in seen)} of {events} events"
    )
    lab.require(not lost, f"{lost} lines lost, the first is {min(set(range(written)) - set(lines), default=None)}")
    lab.require(not doubled, f"{doubled} lines doubled")


def texts_seen(path):
    """{number: how often}"""
    data = Path(path).read_bytes()
    return {number: count for number, count in enumerate(data) if count}


def event(number):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
    return {
        "type": "Normal",
        "reason": "Tested",
        "message": f"event {number}",
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
        "involvedObject": {"kind": "Pod", "name": "p", "namespace": "default", "uid": "u"},
        "source": {"component": "test", "host": NODE},
    }
