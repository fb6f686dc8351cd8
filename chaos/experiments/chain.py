"""Two Holdfasts in a row, each killed in turn."""

from harness.victim import configuration, grpc_exporter

PROMISE = "A1 from end to end: an agent that forwards to a gateway keeps what the gateway has not taken"
FAULT = "SIGKILL of the agent, of the gateway, and of both at once, under load"
HOLDS = "lost 0 at the end of the chain"


class Hop:
    """The next Holdfast, as an exporter sees it."""

    def __init__(self, holdfast):
        self.port = holdfast.ports["GRPC"]


def run(lab):
    lab.new_truth(items=20)
    sink = lab.sink()
    gateway = lab.holdfast(configuration({"otlp": grpc_exporter(sink, compression="zstd")}))
    agent = lab.holdfast(configuration({"otlp": grpc_exporter(Hop(gateway), compression="gzip")}, {"batch": {"timeout": "200ms"}}))
    gateway.start()
    agent.start()
    lab.load_all(agent, rate=6_000)
    for turn in range(lab.count(6, 120)):
        lab.pause(0.1, 0.9)
        victims = ([agent], [gateway], [agent, gateway])[turn % 3]
        for one in victims:
            one.kill9()
            lab.fault()
        lab.pause(0, 0.3)
        for one in victims:
            one.start()
        lab.recovered(lab.wait_acknowledged(1))
    lab.settle(seconds=30)
