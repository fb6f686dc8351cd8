"""Kafka from Maven Central (KRaft): one broker with a listener for each way to sign in, or three that replicate."""

import shutil
import subprocess
from pathlib import Path

from support.ports import free_port
from support.waiting import until

from .tools import FOLDER

POM = Path(__file__).with_name("kafka-pom.xml")
NEW, OLD = "4.1.1", "3.9.1"
STORE_PASSWORD = "changeit"
SESSION_S = 4  # of a connection that is signed in by a token
SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")
USER, PASSWORD = "bob", "bob-secret"  # of SCRAM
LOGGING = """<Configuration status="WARN">
<Appenders><Console name="c" target="SYSTEM_OUT"><PatternLayout pattern="[%d] %p %m (%c)%n"/></Console></Appenders>
<Loggers><Root level="INFO"><AppenderRef ref="c"/></Root></Loggers></Configuration>
"""


def jars(release):
    return FOLDER / f"kafka-{release}"


def install(release=NEW):
    stamp = jars(release) / "pom.xml"
    if stamp.exists() and stamp.read_text() == POM.read_text():
        return
    for program in ("java", "mvn", "keytool", "openssl"):
        if shutil.which(program) is None:
            raise SystemExit(f"Kafka needs {program} (apt-get install default-jdk-headless maven openssl)")
    jars(release).mkdir(parents=True, exist_ok=True)
    print(f"downloading Kafka {release}", flush=True)
    copy = ["mvn", "-q", "-B", "-f", str(POM), f"-Dkafka.version={release}", "dependency:copy-dependencies"]
    subprocess.run(
        [*copy, f"-DoutputDirectory={jars(release)}"], stdin=subprocess.DEVNULL, check=True, timeout=600
    )
    stamp.write_text(POM.read_text())


class Server:
    """One process of Kafka, broker and controller; its data stay over `kill()` and `start()`."""

    def __init__(self, directory, release, properties):
        self.directory = Path(directory)
        self.directory.mkdir(exist_ok=True)
        self.release = release
        self.process = None
        text = "".join(f"{key}={value}\n" for key, value in properties.items())
        (self.directory / "server.properties").write_text(text)
        (self.directory / "log4j2.xml").write_text(LOGGING)

    def _command(self):
        classes = f"{jars(self.release)}/*"
        return ["java", "-Xmx384m", f"-Dlog4j2.configurationFile={self.directory}/log4j2.xml", "-cp", classes]

    def tool(self, *arguments):
        """Runs a class of Kafka to its end; what it printed."""
        done = subprocess.run(
            [*self._command(), *arguments],
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def format(self, cluster, *users):
        more = [word for user in users for word in ("--add-scram", user)]
        self.tool("kafka.tools.StorageTool", "format", "-t", cluster, "-c", "server.properties", *more)

    def new_cluster(self):
        return self.tool("kafka.tools.StorageTool", "random-uuid").split()[-1]

    def _log(self):
        return (self.directory / "log").read_text(errors="replace")

    def spawn(self):
        with open(self.directory / "log", "wb") as log:
            self.process = subprocess.Popen(
                [*self._command(), "kafka.Kafka", "server.properties"],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait_started(self):
        until(lambda: "Kafka Server started" in self._log(), lambda: self._log()[-2000:], seconds=300)

    def start(self):
        self.spawn()
        self.wait_started()
        return self

    def kill(self):
        self.process.kill()
        self.process.wait(30)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process is not None and self.process.poll() is None:
            self.kill()


def base(directory, number, voters, addresses, replicas, **protocols):
    """Properties: `addresses` are the listeners by name, `replicas` of each topic."""
    listeners = ",".join(f"{name}://127.0.0.1:{port}" for name, port in addresses.items())
    named = {"CONTROLLER": "PLAINTEXT", **{name: name for name in addresses}, **protocols}
    return {
        "process.roles": "broker,controller",
        "node.id": number,
        "controller.quorum.voters": ",".join(f"{one}@127.0.0.1:{port}" for one, port in voters.items()),
        "listeners": f"CONTROLLER://127.0.0.1:{voters[number]},{listeners}",
        "advertised.listeners": listeners,
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in named.items()),
        "log.dirs": directory / "data",
        "num.partitions": 3,
        "default.replication.factor": replicas,
        "min.insync.replicas": max(1, replicas - 1),
        "offsets.topic.replication.factor": replicas,
        "offsets.topic.num.partitions": 1,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": max(1, replicas - 1),
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": max(1, replicas - 1),
        "group.initial.rebalance.delay.ms": 0,
    }


def plain(directory):
    """One broker with a plain listener; `ports` is {1: its port}."""
    directory = Path(directory)
    ports, voters = {1: free_port()}, {1: free_port()}
    server = Server(directory, NEW, base(directory, 1, voters, {"PLAINTEXT": ports[1]}, 1))
    server.ports = ports
    server.format(server.new_cluster())
    return server


class Broker(Server):
    """One broker with a plain, a TLS, a SASL_SSL (PLAIN), a SCRAM and an OAUTHBEARER listener."""

    def __init__(self, directory, release=NEW):
        directory = Path(directory)
        directory.mkdir()
        self.plain, self.tls, self.sasl, self.scram, self.oauth, controller = (free_port() for _ in range(6))
        self.ca = directory / "ca.crt"
        self._make_certificates(directory)
        super().__init__(directory, release, self._properties(directory, controller))
        self.format(self.new_cluster(), *(f"{name}=[name={USER},password={PASSWORD}]" for name in SCRAM))

    @staticmethod
    def _make_certificates(directory):
        def run(*command):
            subprocess.run(command, cwd=directory, check=True, capture_output=True, timeout=60)

        request = ("openssl", "req", "-newkey", "rsa:2048", "-nodes")
        run(*request, "-x509", "-days", "30", "-subj", "/CN=kafka-ca", "-keyout", "ca.key", "-out", "ca.crt")
        run(*request, "-subj", "/CN=localhost", "-keyout", "s.key", "-out", "s.csr")
        (directory / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        sign = ("openssl", "x509", "-req", "-in", "s.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial")
        run(*sign, "-days", "30", "-out", "s.crt", "-extfile", "names")
        export = ("openssl", "pkcs12", "-export", "-in", "s.crt", "-inkey", "s.key", "-certfile", "ca.crt")
        run(*export, "-out", "ks.p12", "-passout", f"pass:{STORE_PASSWORD}")

    def _properties(self, directory, controller):
        modules = "org.apache.kafka.common.security"
        addresses = {
            "PLAINTEXT": self.plain,
            "SSL": self.tls,
            "SASL_SSL": self.sasl,
            "SCRAM": self.scram,
            "OAUTH": self.oauth,
        }
        protocols = {"SCRAM": "SASL_PLAINTEXT", "OAUTH": "SASL_PLAINTEXT"}
        login = f'{modules}.plain.PlainLoginModule required user_alice="alice-secret";'
        bearer = f'{modules}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";'
        scrams = {
            f"listener.name.scram.{name.lower()}.sasl.jaas.config": f"{modules}.scram.ScramLoginModule required;"
            for name in SCRAM
        }
        return {
            **base(directory, 1, {1: controller}, addresses, 1, **protocols),
            "ssl.keystore.location": directory / "ks.p12",
            "ssl.keystore.password": STORE_PASSWORD,
            "ssl.keystore.type": "PKCS12",
            "sasl.enabled.mechanisms": "PLAIN",
            "listener.name.sasl_ssl.plain.sasl.jaas.config": login,
            "listener.name.scram.sasl.enabled.mechanisms": ",".join(SCRAM),
            **scrams,
            "listener.name.oauth.sasl.enabled.mechanisms": "OAUTHBEARER",
            "listener.name.oauth.oauthbearer.sasl.jaas.config": bearer,
            "listener.name.oauth.oauthbearer.connections.max.reauth.ms": SESSION_S * 1000,
        }


class Cluster:
    """Three brokers: three replicas of each topic, of which two must have a message."""

    def __init__(self, directory):
        directory = Path(directory)
        directory.mkdir()
        voters = {number: free_port() for number in (1, 2, 3)}
        self.ports = {number: free_port() for number in voters}
        self.servers = {
            number: Server(
                directory / str(number),
                NEW,
                base(directory / str(number), number, voters, {"PLAINTEXT": self.ports[number]}, 3),
            )
            for number in voters
        }
        cluster = self.servers[1].new_cluster()
        for server in self.servers.values():
            server.format(cluster)

    @property
    def addresses(self):
        return [f"127.0.0.1:{port}" for port in self.ports.values()]

    def __enter__(self):
        for server in self.servers.values():
            server.spawn()
        for server in self.servers.values():
            server.wait_started()
        return self

    def __exit__(self, *exit):
        for server in self.servers.values():
            server.__exit__(*exit)
