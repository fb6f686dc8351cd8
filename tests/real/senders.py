"""Spans of the public clients of Jaeger and Zipkin for Go, Java and Node, over each of their ways; those for Python are in
tests/integration. What arrives has the name, kind, tag, event and service that the client gave it, once."""

import shutil
import subprocess
from pathlib import Path

from opentelemetry.proto.trace.v1 import trace_pb2 as t

from support import otlp
from support.backends import GrpcBackend
from support.holdfast import Holdfast, otlp_exporter
from support.ports import free_port
from support.waiting import until

from .tools import FOLDER

SOURCES = Path(__file__).with_name("senders")
SECONDS = 900  # for what is fetched and built
WAYS = ("zipkin", "jaeger-http", "jaeger-udp")


def run(*command, directory=SOURCES):
    subprocess.run(command, cwd=directory, stdin=subprocess.DEVNULL, check=True, timeout=SECONDS)


def go():
    program = FOLDER / "send"
    run("go", "build", "-trimpath", "-o", program, ".")
    return [program]


def java():
    jars = FOLDER / "senders-java"
    if not jars.exists():
        run("mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={jars}")
    return ["java", "-cp", f"{jars}/*", SOURCES / "Send.java"]


def node():
    modules = FOLDER / "senders-node"
    modules.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "send.js"):
        shutil.copy(SOURCES / name, modules / name)
    run("npm", "install", "--silent", "--no-audit", "--no-fund", directory=modules)
    return ["node", modules / "send.js"]


def configuration(backend, protocol, ports):
    """`protocol`: how the client speaks to an agent, over UDP."""
    zipkin, http, udp = ({"endpoint": f"127.0.0.1:{port}"} for port in ports)
    return {
        "receivers": {"zipkin": zipkin, "jaeger": {"protocols": {"thrift_http": http, protocol: udp}}},
        "exporters": {"otlp": otlp_exporter(backend)},
        "service": {"pipelines": {"traces": {"receivers": ["zipkin", "jaeger"], "exporters": ["otlp"]}}},
    }


def spans(backend):
    """Each span that arrived with the name of its service."""
    for received in backend.accepted():
        for group in received.message.resource_spans:
            service = otlp.attributes(group.resource).get("service.name")
            for scope in group.scope_spans:
                yield from ((service, span) for span in scope.spans)


def check(language, found):
    names = sorted(span.name for _, span in found)
    assert names == sorted(f"{language}-{way}" for way in WAYS), names
    for service, span in found:
        assert service == "shop" and span.kind == t.Span.SPAN_KIND_SERVER, (service, span)
        assert float(otlp.attributes(span)["order.id"]) == 7, span
        assert span.events and span.end_time_unix_nano >= span.start_time_unix_nano, span


def check_client(directory, language, command):
    ports = [free_port() for _ in WAYS]
    protocol = "thrift_binary" if language == "node" else "thrift_compact"
    with GrpcBackend() as backend:
        holdfast = Holdfast(directory / language, configuration(backend, protocol, ports))
        try:
            holdfast.start()
            zipkin, http = f"http://127.0.0.1:{ports[0]}/api/v2/spans", f"http://127.0.0.1:{ports[1]}/api/traces"
            run(*command, zipkin, http, str(ports[2]))
            until(lambda: len(list(spans(backend))) >= len(WAYS), lambda: f"{[span.name for _, span in spans(backend)]}")
            check(language, list(spans(backend)))
        finally:
            holdfast.close()
    print(f"{language}: {len(WAYS)} ways", flush=True)


def main(directory):
    for program in ("go", "java", "mvn", "node", "npm"):
        if shutil.which(program) is None:
            raise SystemExit(f"{program} is not installed (apt-get install golang-go openjdk-17-jdk-headless maven nodejs npm)")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for make in (go, java, node):
        check_client(directory, make.__name__, make())
    return True
