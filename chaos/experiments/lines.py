"""What a backend, or something in between, does to connections that stand."""

from harness.h2line import H2Line
from harness.proxy import Proxy
from harness.victim import configuration, grpc_exporter, http_exporter

PROMISE = "C1, C2: a connection that is useless costs its requests' time, never data, and is replaced"
FAULT = "GOAWAY among streams, flow-control windows that stay shut, half-open connections, RST in the middle of a body"
HOLDS = "lost 0; nothing dead-lettered; after a GOAWAY nothing twice; deliveries again in seconds"

TIMEOUT_S = 1


def run(lab):
    lab.new_truth(items=20)
    over_grpc, over_http = lab.sink(), lab.sink(http=True)
    grpc, http = H2Line(lab, over_grpc.port), Proxy(lab, over_http.port)
    exporters = {
        "otlp": grpc_exporter(grpc, timeout=f"{TIMEOUT_S}s"),
        "otlphttp": http_exporter(http, timeout=f"{TIMEOUT_S}s"),
    }
    holdfast = lab.holdfast(configuration(exporters))
    holdfast.start()
    lab.load_all(holdfast, rate=6_000)
    lab.wait_acknowledged(1_000)
    for _ in range(lab.count(8, 200)):
        grpc.misbehave("goaway")
        lab.fault()
        delivered(lab, holdfast, "otlp", 400)
    lab.require(grpc.goaways > 0, "no GOAWAY was sent")
    lab.pause(0.5)
    repeated = lab.truth.check(over_grpc)["repeated"]
    lab.require(repeated == 0, f"{repeated} items twice: what a GOAWAY leaves unprocessed was processed, or the rest sent again")
    faults = [(grpc, "windows", "otlp"), (grpc, "silent", "otlp"), (http, "silent", "otlphttp")]
    faults += [(grpc, "cut later", "otlp"), (http, "cut later", "otlphttp")]
    for _ in range(lab.count(1, 20)):
        lab.random.shuffle(faults)
        for line, how, exporter in faults:
            line.misbehave(how)
            lab.fault()
            lab.pause(0.3, 2.5)
            line.misbehave(None)
            lab.recovered(delivered(lab, holdfast, exporter, 200))
    lab.settle(seconds=30)
    dead = holdfast.metric("holdfast_exporter_dead_lettered_items")
    lab.require(not dead, f"{dead} items went to the dead letters")
    lab.note(f"{grpc.goaways} GOAWAYs, {grpc.cuts + http.cuts} connections cut")
    lab.require(holdfast.terminate()[0] == 0, "a bad end")


def delivered(lab, holdfast, exporter, more):
    """Waits until the backend took so many items more; returns the seconds.
    A silent connection is found out by its first request's timeout and a ping that is not answered for 5 s."""
    return lab.wait_counted(holdfast, "holdfast_exporter_delivered_items", more, TIMEOUT_S + 5 + 3, exporter=exporter)
