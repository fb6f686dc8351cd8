"""Holdfasts in a row that store nothing twice, each killed in turn."""

from harness.victim import configuration, grpc_exporter, http_exporter

PROMISE = "A6: with `once` a kill of either of two Holdfasts stores no record twice, and loses none"
FAULT = "SIGKILL of the agent, of the gateway, and of both at once, under load; gRPC, then HTTP"
HOLDS = "lost 0, repeated 0 in the gateway's queue"


class Hop:
    """The next Holdfast, as an exporter sees it."""

    def __init__(self, port):
        self.port = port


def run(lab):
    for make, port in ((grpc_exporter, "GRPC"), (http_exporter, "HTTP")):
        chain(lab, make, port)


def chain(lab, make, port):
    """The backend is away while they are killed, so that what repeats was stored twice."""
    lab.new_truth(items=20)
    sink = lab.sink()
    sink.stop()
    gateway = lab.holdfast(configuration({"otlp": grpc_exporter(sink)}))
    gateway.start()
    name = "otlp" if port == "GRPC" else "otlphttp"
    batch = {"batch": {"timeout": "200ms"}}
    agent = lab.holdfast(configuration({name: make(Hop(gateway.ports[port]), compression="zstd", once=True)}, batch))
    agent.start()
    # A client that got no answer sends again, under no name: so it sends to one that is not killed.
    edge = lab.holdfast(configuration({name: make(Hop(agent.ports[port]), compression="zstd", once=True)}))
    edge.start()
    lab.load_all(edge, rate=6_000)
    for turn in range(lab.count(6, 60)):
        lab.pause(0.1, 0.9)
        victims = ([agent], [gateway], [agent, gateway])[turn % 3]
        for one in victims:
            one.kill9()
            lab.fault()
        lab.pause(0, 0.3)
        for one in victims:
            one.start()
        lab.recovered(lab.wait_counted(gateway, "holdfast_queue_appended_items", 1))
    sink.start()
    repeated = lab.settle(seconds=30, sinks=[sink])
    lab.require(repeated == 0, f"{repeated} items were stored twice")
    lab.note(f"{gateway.metric('holdfast_receiver_repeated_items') or 0:.0f} dropped as repeated since the gateway's last start")
