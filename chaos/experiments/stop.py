"""SIGTERM with a backend that is dead, hangs, or takes data."""

from harness.victim import configuration, grpc_exporter, http_exporter

PROMISE = "A3: SIGTERM exits in under 2 s and deletes nothing that the backend has not taken"
FAULT = "SIGTERM under load with the backend dead, hanging, slow, or well"
HOLDS = "exit 0 in less than 2 s; after the next start everything arrives; with a good backend nothing twice"
SUBSET = True

KINDS = ("dead", "hang", "slow 400", "ok")


def run(lab):
    for turn in range(lab.count(1, 20)):
        for http in (False, True):
            for kind in KINDS:
                stop_once(lab, kind, http, lab.random.random() < 0.5)


def stop_once(lab, kind, http, batched):
    if http and kind in ("hang", "slow 400"):
        return  # the sink's HTTP answers at once; its gRPC can wait
    lab.new_truth(items=20, requests=50_000)
    sink = lab.sink(http=http)
    exporter = {"otlphttp": http_exporter(sink)} if http else {"otlp": grpc_exporter(sink)}
    batch = {"batch": {"timeout": "10s", "send_batch_size": 10_000}} if batched else None
    holdfast = lab.holdfast(configuration(exporter, batch))
    holdfast.start()
    if kind == "dead":
        sink.stop()
    else:
        sink.order(kind)
    lab.load_all(holdfast, rate=3_000)
    lab.wait_acknowledged(600)
    status, seconds = holdfast.terminate()
    lab.fault()
    lab.require(status == 0, f"exit status {status} with the backend {kind}")
    lab.require(seconds < 2, f"took {seconds:.2f} s to stop with the backend {kind}")
    lab.recovered(seconds)
    lab.stop_loads()
    if kind == "dead":
        sink.start()
    if kind in ("hang", "slow 400"):
        sink.stop()  # what hangs there is never answered
        sink.start()
    sink.order("ok")
    holdfast.write_config(configuration(exporter))  # what waited for a batch need not wait for another
    holdfast.start()
    repeated = lab.settle()
    # A sender whose answer was cut off by the stop sends nothing again: the loads were ended.
    if kind == "ok":
        lab.require(repeated == 0, f"{repeated} items twice although the backend had answered")
    holdfast.terminate()
