"""Real power cuts: a virtual machine that is destroyed under load."""

import json

from harness.machine import Machine
from harness.proxy import Proxy
from harness.victim import configuration, grpc_exporter

PROMISE = "A1, H3: a power cut at any instant loses nothing acknowledged, and needs no hand"
FAULT = "a virtual machine on its own ext4 disk (cache=none), destroyed without a warning under load, with and without a backlog, behind a link that is cut, stalls or is not there"
HOLDS = "boots and serves again by itself; lost 0; what is acknowledged is known outside"


def run(lab):
    lab.new_truth(items=20)
    sink = lab.sink()
    line = Proxy(lab, sink.port)
    config = json.dumps(configuration({"otlp": grpc_exporter(line, timeout="5s")})).replace("127.0.0.1:${env:", "0.0.0.0:${env:")
    for name, port in (("GRPC", "4317"), ("HTTP", "4318"), ("HEALTH", "13133"), ("METRICS", "8888")):
        config = config.replace(f"${{env:{name}}}", port)
    config = config.replace(f"127.0.0.1:{line.port}", f"10.0.2.2:{line.port}")
    machine = Machine(lab, config)
    lab.stack.callback(machine.cut)
    machine.boot()
    lab.load_all(machine, rate=600)
    cuts = lab.count(2, 25)
    for cut in range(cuts):
        if cut % 2:
            sink.order("code 14")
        line.misbehave(lab.random.choice(("cut", "cut later", "stall", "refuse")))
        lab.fault()
        lab.wait_acknowledged(300, seconds=60)
        lab.pause(0, 2)
        machine.cut()
        lab.fault()
        sink.order("ok")
        line.misbehave(None)
        lab.recovered(machine.boot())
    lab.wait_acknowledged(100, seconds=60)
    lab.settle(seconds=60)
    lab.note(f"{cuts} power cuts; the recovery is the boot of an emulated machine")
