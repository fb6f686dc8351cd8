"""A link that loses packets, or flaps."""

import subprocess

from harness.places import own_network
from harness.proxy import Proxy
from harness.victim import configuration, grpc_exporter, http_exporter

PROMISE = "H3: a bad line costs time and repeats, never data"
FAULT = "both sides behind a line that stalls and is cut at any byte; with the kernel's netem 2 % loss on top, where it has it"
HOLDS = "lost 0"


def run(lab):
    lossy = netem(lab)
    lab.new_truth(items=20)
    over_grpc, over_http = lab.sink(), lab.sink(http=True)
    holdfast = lab.holdfast({})
    lines = [Proxy(lab, sink.port) for sink in (over_grpc, over_http)]
    inwards = [Proxy(lab, holdfast.ports[name]) for name in ("GRPC", "HTTP")]
    exporters = {"otlp": grpc_exporter(lines[0], timeout="2s"), "otlphttp": http_exporter(lines[1], timeout="2s")}
    holdfast.write_config(configuration(exporters))
    holdfast.start()
    for i, signal_name in enumerate(("traces", "metrics", "logs")):
        for http in (False, True):
            target = f"127.0.0.1:{inwards[http].port}"
            lab.load(target, http=http, signal_name=signal_name, rate=600, coding=("identity", "gzip", "zstd")[i])
    lab.wait_acknowledged(100)
    for _ in range(lab.count(12, 200)):
        one = lab.random.choice(lines + inwards)
        one.misbehave(lab.random.choice(("cut", "stall", "cut later", "refuse")))
        lab.fault()
        lab.pause(0.2, 0.8)
        one.misbehave(None)
        lab.recovered(lab.wait_acknowledged(1, seconds=40))
    for one in lines + inwards:
        one.misbehave(None)
    lab.settle(seconds=40)
    lab.note(f"{sum(one.cuts for one in lines + inwards)} connections cut; " + ("netem on lo" if lossy else "no netem in this kernel: the proxy alone"))


def netem(lab):
    """2 % loss on a loopback of our own; True when the kernel can."""
    words = "ip link set lo up && tc qdisc add dev lo root netem loss 2%"
    if subprocess.run(["unshare", "-n", "sh", "-c", words], capture_output=True, check=False).returncode != 0:
        return False
    own_network(lab)
    return subprocess.run(["sh", "-c", words], capture_output=True, check=False).returncode == 0
