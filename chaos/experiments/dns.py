"""A name that is not there, comes, moves and goes."""

from harness.places import bind_over
from harness.proxy import Proxy
from harness.victim import configuration, grpc_exporter, http_exporter
from harness.waiting import free_port

PROMISE = "C2: a name that does not resolve is a passing failure; one that has moved is followed"
FAULT = "the backends' name unknown at the start, then given, moved to another address, taken away and given back, under load"
HOLDS = "lost 0; nothing dead-lettered; deliveries within 10 s of each change that makes them possible"

NAME = "backend.holdfast.test"
SECONDS = 10


class Place:
    """What an exporter is told; `port` as harness.victim wants it."""

    def __init__(self, lab, sink):
        self.port = free_port()
        self.lines = [Proxy(lab, sink.port, (f"127.0.0.{number}", self.port)) for number in (2, 3)]


def run(lab):
    bind_over(lab, "/etc/nsswitch.conf", "hosts: files\n")
    hosts = bind_over(lab, "/etc/hosts", "")
    lab.new_truth(items=20)
    places = Place(lab, lab.sink()), Place(lab, lab.sink(http=True))
    exporters = {
        "otlp": {**grpc_exporter(places[0], timeout="1s"), "endpoint": f"{NAME}:{places[0].port}"},
        "otlphttp": {**http_exporter(places[1], timeout="1s"), "endpoint": f"http://{NAME}:{places[1].port}"},
    }
    holdfast = lab.holdfast(configuration(exporters))
    holdfast.start()
    lab.load_all(holdfast, rate=2_000)
    lab.wait_acknowledged(400)
    at = 0
    for turn in range(lab.count(4, 60)):
        # Where the name pointed nobody serves any more; half of the times it is gone before it is back elsewhere.
        for place in places:
            place.lines[at].misbehave("refuse")
        if turn % 2 == 0:
            hosts.write_text("127.0.0.1 localhost\n")
        lab.fault()
        cut(places, at)
        lab.pause(0.3, 1.5)
        at = 1 - at
        for place in places:
            place.lines[at].misbehave(None)
        hosts.write_text(f"127.0.0.{2 + at} {NAME}\n")
        for exporter in exporters:
            lab.recovered(lab.wait_counted(holdfast, "holdfast_exporter_delivered_items", 200, SECONDS, exporter=exporter))
    lab.settle(seconds=30)
    dead = holdfast.metric("holdfast_exporter_dead_lettered_items")
    lab.require(not dead, f"{dead} items went to the dead letters")
    holdfast.terminate()


def cut(places, at):
    for place in places:
        place.lines[at].cut_all()
