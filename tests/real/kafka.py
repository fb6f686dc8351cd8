"""A Kafka broker (KRaft, one node, from Maven Central) between two Holdfasts: restarts and kills, TLS, SASL PLAIN and
OAUTHBEARER, and the encodings of Jaeger and Zipkin."""

import base64
import contextlib
import json
import shutil
import subprocess
import time
from pathlib import Path

from support import backends, otlp, senders
from support.holdfast import FAST_RETRY, Holdfast, config, otlp_exporter
from support.kafka import Kafka
from support.oauth import TokenServer
from support.ports import free_port
from support.scraped_servers import scrape, scraping, switched, values
from support.waiting import until

from .tools import FOLDER, judge

POM = Path(__file__).with_name("kafka-pom.xml")
JARS = FOLDER / "kafka"
STORE_PASSWORD = "changeit"
SESSION_S = 4  # of a connection that is signed in by a token
LOGGING = """<Configuration status="WARN">
<Appenders><Console name="c" target="SYSTEM_OUT"><PatternLayout pattern="[%d] %p %m (%c)%n"/></Console></Appenders>
<Loggers><Root level="INFO"><AppenderRef ref="c"/></Root></Loggers></Configuration>
"""


def install():
    stamp = JARS / "pom.xml"
    if stamp.exists() and stamp.read_text() == POM.read_text():
        return
    for program in ("java", "mvn", "keytool", "openssl"):
        if shutil.which(program) is None:
            raise SystemExit(f"Kafka needs {program} (apt-get install default-jdk-headless maven openssl)")
    JARS.mkdir(parents=True, exist_ok=True)
    print("downloading Kafka 4.1.1", flush=True)
    copy = ["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={JARS}"]
    subprocess.run(copy, stdin=subprocess.DEVNULL, check=True, timeout=600)
    stamp.write_text(POM.read_text())


class Broker:
    """One broker with a plain, a TLS, a SASL_SSL and an OAUTHBEARER listener; its data stay over `stop()` and `start()`."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.directory.mkdir()
        self.plain, self.tls, self.sasl, self.oauth, self.controller = (free_port() for _ in range(5))
        self.ca = self.directory / "ca.crt"
        self.process = None
        self._make_certificates()
        self._write_properties()
        cluster = self._java("kafka.tools.StorageTool", "random-uuid").stdout.split()[-1]
        self._java("kafka.tools.StorageTool", "format", "-t", cluster, "-c", "server.properties")

    def _java(self, name, *arguments):
        return subprocess.run(
            [*self._command(), name, *arguments],
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )

    def _command(self):
        return ["java", "-Xmx512m", f"-Dlog4j2.configurationFile={self.directory}/log4j2.xml", "-cp", f"{JARS}/*"]

    def _make_certificates(self):
        def run(*command):
            subprocess.run(command, cwd=self.directory, check=True, capture_output=True, timeout=60)

        request = ("openssl", "req", "-newkey", "rsa:2048", "-nodes")
        run(*request, "-x509", "-days", "30", "-subj", "/CN=kafka-ca", "-keyout", "ca.key", "-out", "ca.crt")
        run(*request, "-subj", "/CN=localhost", "-keyout", "s.key", "-out", "s.csr")
        (self.directory / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        sign = ("openssl", "x509", "-req", "-in", "s.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial")
        run(*sign, "-days", "30", "-out", "s.crt", "-extfile", "names")
        export = ("openssl", "pkcs12", "-export", "-in", "s.crt", "-inkey", "s.key", "-certfile", "ca.crt")
        run(*export, "-out", "ks.p12", "-passout", f"pass:{STORE_PASSWORD}")

    def _write_properties(self):
        addresses = {"PLAINTEXT": self.plain, "SSL": self.tls, "SASL_SSL": self.sasl, "OAUTH": self.oauth}
        protocols = {"CONTROLLER": "PLAINTEXT", **{name: name for name in addresses}, "OAUTH": "SASL_PLAINTEXT"}
        listeners = ",".join(f"{name}://127.0.0.1:{port}" for name, port in addresses.items())
        bearer = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required"
        login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        values = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller}",
            "listeners": f"CONTROLLER://127.0.0.1:{self.controller},{listeners}",
            "advertised.listeners": listeners,
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
            "ssl.keystore.location": self.directory / "ks.p12",
            "ssl.keystore.password": STORE_PASSWORD,
            "ssl.keystore.type": "PKCS12",
            "sasl.enabled.mechanisms": "PLAIN",
            "listener.name.sasl_ssl.plain.sasl.jaas.config": f'{login} user_alice="alice-secret";',
            "listener.name.oauth.sasl.enabled.mechanisms": "OAUTHBEARER",
            "listener.name.oauth.oauthbearer.sasl.jaas.config": f'{bearer} unsecuredLoginStringClaim_sub="broker";',
            "listener.name.oauth.oauthbearer.connections.max.reauth.ms": SESSION_S * 1000,
            "log.dirs": self.directory / "data",
            "num.partitions": 3,
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
        }
        text = "".join(f"{key}={value}\n" for key, value in values.items())
        (self.directory / "server.properties").write_text(text)
        (self.directory / "log4j2.xml").write_text(LOGGING)

    def start(self):
        with open(self.directory / "log", "wb") as log:
            self.process = subprocess.Popen(
                [*self._command(), "kafka.Kafka", "server.properties"],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until(
            lambda: "Kafka Server started" in (self.directory / "log").read_text(errors="replace"),
            lambda: (self.directory / "log").read_text(errors="replace")[-2000:],
            seconds=300,
        )
        return self

    def kill(self):
        self.process.kill()
        self.process.wait(30)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()


def keys(broker, listener):
    """The keys of the client for one of the listeners."""
    tls = {"ca_file": str(broker.ca)}
    return {
        "plain": {"brokers": [f"127.0.0.1:{broker.plain}"]},
        "tls": {"brokers": [f"127.0.0.1:{broker.tls}"], "tls": tls},
        "sasl": {
            "brokers": [f"127.0.0.1:{broker.sasl}"],
            "auth": {"plain_text": {"username": "alice", "password": "alice-secret"}, "tls": tls},
        },
        "oauth": {
            "brokers": [f"127.0.0.1:{broker.oauth}"],
            "auth": {"sasl": {"mechanism": "OAUTHBEARER", "oauthbearer_token_source": "oauth2client"}},
        },
    }[listener]


def to_kafka(broker, listener, **more):
    exporter = {
        **keys(broker, listener),
        "timeout": "3s",
        "retry_on_failure": dict(FAST_RETRY),
        "producer": {"required_acks": "all", "compression": "zstd"},
        "partition_traces_by_id": True,
        **more,
    }
    return config({"kafka": exporter})


def from_kafka(broker, listener, backend, **more):
    receiver = {**keys(broker, listener), "group_id": listener, "initial_offset": "earliest", **more}
    configuration = config({"otlp": otlp_exporter(backend)}, receivers={"kafka": receiver})
    for pipeline in configuration["service"]["pipelines"].values():
        pipeline["receivers"] = ["kafka"]
    return configuration


def send(sender, ids, topic_signal=otlp.TRACES):
    for at in range(0, len(ids), 20):
        sender.export(topic_signal, otlp.request(topic_signal, ids[at : at + 20]))


def check_listener(listener, broker, directory, stack):
    """All signals from one Holdfast to the other, through that listener."""
    backend = stack.enter_context(backends.GrpcBackend())
    topics = {name: {"topic": f"{listener}-{name}"} for name in ("traces", "metrics", "logs")}
    agent = Holdfast(directory / f"{listener}-agent", to_kafka(broker, listener, **topics)).start()
    stack.callback(agent.close)
    sender = stack.enter_context(contextlib.closing(senders.GrpcSender(agent.grpc_target)))
    ids = {signal.name: otlp.new_ids(100) for signal in otlp.SIGNALS}
    for signal in otlp.SIGNALS:
        send(sender, ids[signal.name], signal)
        queue = signal.name
        until(lambda: agent.books(queue, "kafka")["queued"]["items"] == 0, lambda: agent.log()[-1500:], 60)
    gateway = Holdfast(directory / f"{listener}-gateway", from_kafka(broker, listener, backend, **topics)).start()
    stack.callback(gateway.close)
    backend.wait_for([one for own in ids.values() for one in own], seconds=90)


def check_restarts(broker, directory, stack):
    """The broker is killed, then each Holdfast, while data flows: nothing is missing, and all offsets are committed."""
    backend = stack.enter_context(backends.GrpcBackend())
    topic = {"traces": {"topic": "restarts"}}
    agent = Holdfast(directory / "agent", to_kafka(broker, "plain", **topic)).start()
    stack.callback(agent.close)
    gateway = Holdfast(directory / "gateway", from_kafka(broker, "plain", backend, group_id="g", **topic)).start()
    stack.callback(gateway.close)
    sender = stack.enter_context(contextlib.closing(senders.GrpcSender(agent.grpc_target)))
    ids = otlp.new_ids(1000)
    for step, at in enumerate(range(0, 1000, 200)):
        send(sender, ids[at : at + 200])
        if step == 1:
            broker.kill()
        if step == 2:
            broker.start()
        if step == 3:
            gateway.kill9()
            agent.kill9()
            agent.start()
            gateway.start()
            sender = stack.enter_context(contextlib.closing(senders.GrpcSender(agent.grpc_target)))
    backend.wait_for(ids, seconds=120)
    client = stack.enter_context(Kafka("client", f"127.0.0.1:{broker.plain}"))
    wanted = len(client.messages("restarts"))
    until(lambda: sum(client.committed("g", "restarts").values()) == wanted, "all offsets are committed", 60)
    check_metrics(broker, directory, stack, wanted)


def check_encodings(broker, directory, stack):
    """Spans of Jaeger and Zipkin from one Holdfast to the other, in each encoding that both have."""
    for encoding in ("jaeger_proto", "jaeger_json", "zipkin_proto", "zipkin_json"):
        backend = stack.enter_context(backends.GrpcBackend())
        traces = {"traces": {"topic": encoding, "encoding": encoding}}
        agent = Holdfast(directory / f"{encoding}-agent", to_kafka(broker, "plain", **traces)).start()
        stack.callback(agent.close)
        sender = stack.enter_context(contextlib.closing(senders.GrpcSender(agent.grpc_target)))
        message = otlp.request(otlp.TRACES, otlp.new_ids(200))
        wanted = {(span.trace_id, span.span_id) for span in otlp.items(otlp.TRACES, message)}
        sender.export(otlp.TRACES, message)
        until(lambda: agent.books("traces", "kafka")["queued"]["items"] == 0, lambda: agent.log()[-1500:], 60)
        receiver = from_kafka(broker, "plain", backend, **traces, group_id=encoding)
        gateway = Holdfast(directory / f"{encoding}-gateway", receiver).start()
        stack.callback(gateway.close)

        def arrived():
            messages = [one.message for one in backend.accepted(otlp.TRACES)]
            return {(span.trace_id, span.span_id) for one in messages for span in otlp.items(otlp.TRACES, one)}

        until(lambda: arrived() == wanted, lambda: f"{encoding}: {len(wanted - arrived())} spans are missing", 90)


def unsecured_token(life, **claims):
    """A JWT that the broker's validator of tokens without a signature takes, when it has `sub`."""
    now = int(time.time())
    parts = ({"alg": "none"}, {"iat": now, "exp": now + life, **claims})
    return "".join(base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") + "." for one in parts)


def check_tokens(broker, directory, stack):
    """OAUTHBEARER both ways. The token is renewed while data flows; one that the broker refuses holds them up, no more."""
    backend = stack.enter_context(backends.GrpcBackend())
    tokens = stack.enter_context(TokenServer(life=2 * SESSION_S))
    keys_of = {"client_id": tokens.client, "client_secret": tokens.secret, "token_url": tokens.url}
    given = {"right": 0, "wrong": 0}

    def right(number):
        given["right"] += 1
        return unsecured_token(tokens.life, sub="holdfast")

    def wrong(number):
        given["wrong"] += 1
        return unsecured_token(tokens.life)  # of no one

    def run(name, configuration):
        configuration["extensions"] = {"oauth2client": keys_of}
        configuration["service"]["extensions"] = ["health_check", "oauth2client"]
        made = Holdfast(directory / name, configuration).start()
        stack.callback(made.close)
        return made

    tokens.make_token = right
    topic = {"traces": {"topic": "tokens"}}
    agent = run("agent", to_kafka(broker, "oauth", **topic))
    gateway = run("gateway", from_kafka(broker, "oauth", backend, **topic))
    sender = stack.enter_context(contextlib.closing(senders.GrpcSender(agent.grpc_target)))
    ids = otlp.new_ids(300)
    for at in range(0, 300, 100):
        send(sender, ids[at : at + 100])
        backend.wait_for(ids[: at + 100], seconds=60)
        seen = given["right"]
        until(lambda: given["right"] >= seen + 2, "both have renewed their tokens", 60)
    tokens.make_token = wrong

    def is_refused():
        # A client may have the last right token for some seconds. The broker ends a session at the next request after its time.
        ids.extend(otlp.new_ids(10))
        send(sender, ids[-10:])
        return "invalid_token" in agent.log()

    until(is_refused, lambda: agent.log()[-2000:], 60, pause=0.5)
    gateway.wait_for_log("invalid_token")
    agent.wait_for_log("Exporting failed. Will retry")
    assert agent.books("traces", "kafka")["queued"]["items"] != 0
    tokens.make_token = right
    backend.wait_for(ids, seconds=90)
    until(lambda: agent.books("traces", "kafka")["queued"]["items"] == 0, lambda: agent.log()[-1500:], 60)


def check_metrics(broker, directory, stack, count):
    """The receiver kafkametrics beside the group that has read all of the topic."""
    backend = stack.enter_context(backends.HttpBackend())
    settings = {
        "kafka.broker.log_retention_period": {(str(1),): 168 * 3600},
        "kafka.topic.log_retention_period": {("restarts",): 604800},
        "kafka.topic.log_retention_size": {("restarts",): -1},
        "kafka.topic.min_insync_replicas": {("restarts",): 1},
    }
    keys_of = {"topic_match": "^restarts$", "metrics": switched(settings), "scrapers": ["brokers", "topics", "consumers"]}
    watcher = Holdfast(directory / "watcher", scraping(backend, "kafkametrics", **keys(broker, "plain"), **keys_of)).start()
    stack.callback(watcher.close)
    found = scrape(backend, lambda found: values(found, "kafka.consumer_group.lag_sum"), watcher.log)
    assert values(found, "kafka.brokers") == {(): 1}
    assert values(found, "kafka.consumer_group.members")[("g",)] == 1
    assert values(found, "kafka.consumer_group.offset_sum") == {("g", "restarts"): count}
    assert values(found, "kafka.consumer_group.lag_sum") == {("g", "restarts"): 0}
    assert values(found, "kafka.consumer_group.lag") == {("g", partition, "restarts"): 0 for partition in range(3)}
    assert sum(values(found, "kafka.consumer_group.offset").values()) == count
    assert sum(values(found, "kafka.partition.current_offset").values()) == count
    for name, expected in settings.items():
        assert values(found, name) == expected, name
    assert watcher.metric("otelcol_scraper_errored_metric_points", receiver="kafkametrics", scraper="kafkametrics") == 0


def main(directory):
    install()
    failed, passed = set(), set()
    checks = {name: lambda *given, name=name: check_listener(name, *given) for name in ("plain", "tls", "sasl")}
    checks["tokens"] = check_tokens
    checks["restarts"] = check_restarts
    checks["encodings"] = check_encodings
    with Broker(directory / "broker") as broker:
        for name, check in checks.items():
            (directory / name).mkdir()
            try:
                with contextlib.ExitStack() as stack:
                    check(broker, directory / name, stack)
                passed.add(name)
            except AssertionError as error:
                print(f"{name}: {error}", flush=True)
                failed.add(name)
    return judge("kafka", failed, passed)
