"""No descriptor left."""

import resource
import socket

from harness.victim import configuration, grpc_exporter
from harness.waiting import until

PROMISE = "D3's like for descriptors: refused, not died of; service returns by itself"
FAULT = "a limit of 100 descriptors and 300 idle connections, through rotation, an outage and a kill"
HOLDS = "lives; lost 0; new connections served within 5 s of the others' end"


def limited():
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))


def run(lab):
    lab.new_truth(items=20)
    sink = lab.sink()
    holdfast = lab.holdfast(configuration({"otlp": grpc_exporter(sink)}))
    holdfast.before_exec = limited
    holdfast.start()
    lab.load_all(holdfast, rate=2_000)
    lab.wait_acknowledged(400)
    for turn in range(lab.count(2, 30)):
        idle = []
        for target in (holdfast.grpc, holdfast.http):
            host, port = target.split(":")
            for _ in range(150):
                one = socket.socket()
                one.settimeout(0.2)
                try:
                    one.connect((host, int(port)))
                except OSError:
                    pass
                idle.append(one)
        lab.fault(len(idle))
        sink.stop()
        lab.pause(0.5, 1)
        sink.start()
        lab.require(holdfast.is_running(), f"ended: {holdfast.last_words()}")
        if turn % 2:
            holdfast.kill9()
            holdfast.start()
        for one in idle:
            one.close()
        lab.recovered(lab.wait_acknowledged(200, seconds=10))
        until(lambda: holdfast.health() == 200, "not ready after the connections are gone", 5)
    lab.settle()
    lab.require(holdfast.terminate()[0] == 0, "a bad end")
