"""The exporters opensearch and elasticsearch against a real OpenSearch node, from Maven Central.

Documents are written while Holdfast is killed and the node is killed; then every one is there, and none twice. A document
that the node's mapping refuses is a dead letter with the node's words.
"""

import json
import shutil
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from support import otlp
from support.holdfast import FAST_RETRY, Holdfast
from support.ports import free_port
from support.senders import GrpcSender
from support.waiting import until

from .tools import FOLDER

SOURCE = Path(__file__).with_name("opensearch_node")
JARS = FOLDER / "opensearch"
FETCH_SECONDS, START_SECONDS = 600, 300


def jars():
    stamp = JARS / "pom.xml"
    pom = (SOURCE / "pom.xml").read_text()
    if stamp.exists() and stamp.read_text() == pom:
        return
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            raise SystemExit(f"{program} is not installed (apt-get install openjdk-17-jdk-headless maven)")
    print("fetching OpenSearch from Maven Central", flush=True)
    command = ["mvn", "-q", "-B", "-f", SOURCE / "pom.xml", "dependency:copy-dependencies", f"-DoutputDirectory={JARS}"]
    subprocess.run(command, stdin=subprocess.DEVNULL, check=True, timeout=FETCH_SECONDS)
    stamp.write_text(pom)


class Node:
    def __init__(self, directory):
        self.home = directory / "opensearch"
        (self.home / "config").mkdir(parents=True)
        self.ports = [free_port(), free_port()]
        self.url = f"http://127.0.0.1:{self.ports[0]}"
        self.process = None

    def start(self):
        with open(self.home / "log", "ab") as log:
            self.process = subprocess.Popen(
                [
                    *("java", "-Xmx768m", "-cp", f"{JARS}/*", SOURCE / "OpenSearchNode.java"),
                    *map(str, self.ports),
                    self.home,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until(self.is_ready, lambda: (self.home / "log").read_text()[-3000:], START_SECONDS)
        return self

    def is_ready(self):
        try:
            return self.ask("/_cluster/health")["status"] in ("green", "yellow")
        except (OSError, KeyError):
            return False

    def kill(self):
        self.process.kill()
        self.process.wait(20)

    def ask(self, path, body=None, method=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}{path}", data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def documents(self, index):
        """All documents of the index, as they were sent."""
        try:
            self.ask(f"/{index}/_refresh", {}, "POST")
            found = self.ask(f"/{index}/_search", {"size": 10000, "query": {"match_all": {}}})
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return []
            raise
        return [hit["_source"] for hit in found["hits"]["hits"]]


def configuration(node):
    retry = {"retry_on_failure": dict(FAST_RETRY)}
    return {
        "exporters": {
            "opensearch": {"http": {"endpoint": node.url}, "request_bytes": 8192, **retry},
            "elasticsearch": {
                "endpoint": node.url,
                "mapping": {"mode": "ecs"},
                "logs_index": "ecs-logs",
                "traces_index": "ecs-traces",
                "metrics_index": "ecs-metrics",
                "flush": {"bytes": 8192},
                **retry,
            },
        },
        "service": {
            "pipelines": {
                "logs": {"receivers": ["otlp"], "exporters": ["opensearch", "elasticsearch"]},
                "traces": {"receivers": ["otlp"], "exporters": ["opensearch", "elasticsearch"]},
                "metrics": {"receivers": ["otlp"], "exporters": ["elasticsearch"]},
            }
        },
    }


def ids_of(documents):
    """test.id of each, wherever the form has it."""

    def find(one):
        return one.get("attributes", one).get("test.id", one.get("test", {}).get("id"))

    return sorted(find(one) for one in documents)


def write_all(node, holdfast, sender):
    """Sends with kills of both sides; returns the ids of each signal."""
    sent = {signal: [] for signal in otlp.SIGNALS}
    for round_number in range(6):
        for signal in otlp.SIGNALS:
            some = otlp.new_ids(50)
            sender.export(signal, otlp.request(signal, some))
            sent[signal] += some
        if round_number in (1, 4):
            holdfast.kill9()
            holdfast.start()
        if round_number == 2:
            node.kill()
        if round_number == 4:
            node.start()
    return sent


def check_refused(node, holdfast, sender):
    """A value that the mapping cannot have is a dead letter; its neighbour is stored."""
    message = otlp.request(otlp.LOGS, otlp.new_ids(2))
    records = message.resource_logs[0].scope_logs[0].log_records
    records[0].attributes.append(otlp.attribute("number", "no number"))
    records[1].attributes.append(otlp.attribute("number", 7))
    index = "ss4o_logs-default-namespace"
    number = {"properties": {"number": {"type": "long"}}}
    node.ask(f"/{index}/_mapping", {"properties": {"attributes": number}}, "PUT")
    before = len(node.documents(index))
    sender.export(otlp.LOGS, message)
    until(
        lambda: holdfast.books("logs", "opensearch")["dead_lettered"]["items"] == 1,
        lambda: holdfast.books("logs", "opensearch"),
    )
    assert len(node.documents(index)) == before + 1
    assert "mapper_parsing_exception" in str(holdfast.queue("ls", "deadletter:opensearch"))


def main(directory):
    jars()
    node = Node(directory)
    holdfast = Holdfast(directory / "holdfast", configuration(node))
    try:
        node.start()
        holdfast.start()
        with GrpcSender(holdfast.grpc_target) as sender:
            sent = write_all(node, holdfast, sender)
            wanted = {
                "ss4o_logs-default-namespace": sent[otlp.LOGS],
                "ss4o_traces-default-namespace": sent[otlp.TRACES],
                "ecs-logs": sent[otlp.LOGS],
                "ecs-traces": sent[otlp.TRACES],
                "ecs-metrics": sent[otlp.METRICS],
            }
            for index, ids in wanted.items():
                until(lambda name=index, count=len(ids): len(node.documents(name)) >= count, index, 60)
                found = ids_of(node.documents(index))
                if index == "ecs-metrics":  # these have no names of their own, so some may be there twice
                    found = sorted(set(found))
                assert found == sorted(ids), f"{index}: {len(found)} documents of {len(ids)}"
                print(f"{index}: {len(ids)} documents, each once", flush=True)
            check_refused(node, holdfast, sender)
            print("a refused document is a dead letter with the node's words", flush=True)
        holdfast.close()
        return True
    finally:
        if holdfast.process and holdfast.process.poll() is None:
            holdfast.kill9()
        if node.process:
            node.kill()
