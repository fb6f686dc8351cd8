"""Certificates of both sides exchanged under load."""

import ssl
import sys

from harness.clock import YEAR, Clock
from harness.tls_line import TlsLine
from harness.victim import ROOT, configuration, grpc_exporter, http_exporter

sys.path.insert(0, str(ROOT / "tests"))

from support.certificates import Authority  # noqa: E402

PROMISE = "C2, A1: TLS that fails is a passing failure; changed files count without a restart"
FAULT = "every certificate, key and authority replaced, in the right order and in the wrong one; certificates expired by the clock"
HOLDS = "lost 0; nothing dead-lettered; connections made with the new files within 5 s, on both sides, over gRPC and HTTP"

WAIT = {"reload_interval": "100ms"}


class Side:
    """The files of one party: its certificate, its key, and whom it trusts. Written by renaming."""

    def __init__(self, directory, name):
        self.directory, self.name = directory, name
        directory.mkdir()
        self.certificate, self.key, self.trusted = (directory / f"{part}.pem" for part in ("certificate", "key", "trusted"))

    def identify(self, authority):
        certificate, key = authority.issue(self.name)
        # One file, so that certificate and key change together.
        put(self.key, key.read_bytes() + certificate.read_bytes())
        put(self.certificate, certificate.read_bytes() + key.read_bytes())

    def trust(self, *authorities):
        put(self.trusted, b"".join(one.certificate.read_bytes() for one in authorities))


def put(path, data):
    fresh = path.with_suffix(".new")
    fresh.write_bytes(data)
    fresh.replace(path)


def run(lab):
    old, new = Authority(lab.directory / "old"), Authority(lab.directory / "new")
    victim, other = Side(lab.directory / "victim", "victim"), Side(lab.directory / "other", "other")
    for side in (victim, other):
        side.identify(old)
        side.trust(old)
    clock = Clock(lab)
    lab.new_truth(items=20)
    over_grpc, over_http = lab.sink(), lab.sink(http=True)
    outwards = [
        TlsLine(lab, over_grpc.port, lambda: context(other, ssl.PROTOCOL_TLS_SERVER, "h2"), towards=False),
        TlsLine(lab, over_http.port, lambda: context(other, ssl.PROTOCOL_TLS_SERVER, "http/1.1"), towards=False),
    ]
    files = {"cert_file": str(victim.certificate), "key_file": str(victim.key)}
    client = {**WAIT, **files, "ca_file": str(victim.trusted)}
    exporters = {
        "otlp": grpc_exporter(outwards[0], tls=client, timeout="2s"),
        "otlphttp": http_exporter(outwards[1], tls=client, timeout="2s", endpoint=f"https://127.0.0.1:{outwards[1].port}"),
    }
    server = {"tls": {**WAIT, **files, "client_ca_file": str(victim.trusted), "client_ca_file_reload": True}}
    holdfast = lab.holdfast(configuration(exporters, receiver={"grpc": server, "http": server}), environment=clock.environment)
    inwards = [
        TlsLine(lab, holdfast.ports["GRPC"], lambda: context(other, ssl.PROTOCOL_TLS_CLIENT, "h2"), towards=True),
        TlsLine(lab, holdfast.ports["HTTP"], lambda: context(other, ssl.PROTOCOL_TLS_CLIENT, "http/1.1"), towards=True),
    ]
    holdfast.start()
    lines = outwards + inwards
    for i, signal_name in enumerate(("traces", "metrics", "logs")):
        for http in (False, True):
            target = f"127.0.0.1:{inwards[http].port}"
            lab.load(target, http=http, signal_name=signal_name, rate=150, connections=1, coding=("identity", "gzip", "zstd")[i])
    flows(lab, holdfast, lines)
    for _ in range(lab.count(1, 20)):
        in_the_right_order(lab, holdfast, lines, victim, other, old, new)
        in_the_wrong_order(lab, holdfast, lines, victim, other, new, old)
        expired(lab, holdfast, lines, clock)
    lab.settle(seconds=30)
    dead = holdfast.metric("holdfast_exporter_dead_lettered_items")
    lab.require(not dead, f"{dead} items went to the dead letters")
    lab.note(f"{sum(one.good for one in lines)} handshakes, {sum(one.failed for one in lines)} failed as they should")
    holdfast.terminate()


def context(side, protocol, alpn):
    made = ssl.SSLContext(protocol)
    made.load_cert_chain(side.certificate, side.key)
    made.load_verify_locations(side.trusted)
    made.verify_mode = ssl.CERT_REQUIRED
    made.set_alpn_protocols([alpn])
    return made


def flows(lab, holdfast, lines):
    """Requests come in and go out again over new connections, each transport of each side."""
    before = [line.good for line in lines]
    for line in lines:
        line.cut_all()
    names = [(f"otelcol_receiver_accepted_{kind}", {"transport": how}) for how in ("grpc", "http") for kind in ("spans",)]
    names += [("holdfast_exporter_delivered_items", {"exporter": exporter}) for exporter in ("otlp", "otlphttp")]
    for name, labels in names:
        lab.recovered(lab.wait_counted(holdfast, name, 100, 8, **labels))
    lab.require(all(line.good > was for line, was in zip(lines, before)), "an old connection is still in use")


def in_the_right_order(lab, holdfast, lines, victim, other, old, new):
    """Trust both, then show the new one, then trust the new one only: nobody is refused for long."""
    steps = [lambda side: side.trust(old, new), lambda side: side.identify(new), lambda side: side.trust(new)]
    for step in steps:
        for side in (victim, other):
            step(side)
            lab.fault()
        flows(lab, holdfast, lines)


def in_the_wrong_order(lab, holdfast, lines, victim, other, old, new):
    """One side has moved on and the other has not: nothing goes, and nothing is lost."""
    for first, second in ((victim, other), (other, victim))[: 1 + (lab.random.random() < 0.5)]:
        first.identify(new)
        first.trust(new)
        lab.fault()
        failed = [line.failed for line in lines]
        lab.pause(0.3)
        for line in lines:
            line.cut_all()
        lab.pause(0.5, 1.5)
        lab.require(any(line.failed > was for line, was in zip(lines, failed)), "no handshake failed: nothing is shown")
        second.identify(new)
        second.trust(new)
        flows(lab, holdfast, lines)
        old, new = new, old


def expired(lab, holdfast, lines, clock):
    """For the victim all certificates of others are out of date for a while."""
    clock.move(unix=10 * YEAR)
    lab.fault()
    failed = [line.failed for line in lines]
    for line in lines:
        line.cut_all()
    lab.pause(0.5, 1.5)
    lab.require(any(line.failed > was for line, was in zip(lines, failed)), "expired certificates were accepted")
    clock.move(unix=-10 * YEAR)
    flows(lab, holdfast, lines)
