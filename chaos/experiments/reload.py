"""SIGHUP under load."""

from harness.victim import configuration, grpc_exporter
from harness.waiting import until

PROMISE = "Reload: no connection is refused, no request lost, whatever changes"
FAULT = "SIGHUP under load with exporters added, removed and changed, and with a configuration that is wrong"
HOLDS = "no request refused or failed; lost 0; a wrong configuration changes nothing"
SUBSET = True


def run(lab):
    lab.new_truth(items=20)
    sink, other = lab.sink(), lab.sink()
    one = {"otlp": grpc_exporter(sink)}
    two = {**one, "otlp/other": grpc_exporter(other)}
    batched = {"batch": {"timeout": "200ms"}}
    variants = [configuration(one), configuration(two), configuration(one, batched), configuration(two, batched)]
    holdfast = lab.holdfast(variants[0])
    holdfast.start()
    loads = lab.count(12, 240)
    lab.load_all(holdfast, rate=3_000, retry=False, seconds=loads * 0.55)
    lab.wait_acknowledged(500)
    for turn in range(loads):
        wrong = turn % 4 == 3
        lab.pause(0.1, 0.4)
        if wrong:
            holdfast.config_path.write_text("receivers: {otlp: {protocolz: {}}}\n")
        else:
            holdfast.write_config(variants[turn % len(variants)])
        holdfast.reload()
        lab.fault()
        lab.pause(0.1)
        lab.require(holdfast.is_running(), f"ended by a reload: {holdfast.last_words()}")
    reports = [load.wait() for load in lab.loads]
    bad = sum(report["refused"] + report["failed"] for report in reports)
    shown = ", ".join(f"{report['refused']}+{report['failed']}" for report in reports)
    lab.require(bad == 0, f"{bad} requests were refused or failed (by load, gRPC and HTTP in turn: {shown})")
    until(lambda: holdfast.health() == 200, "not ready after the last reload", 5)
    lab.settle(sinks=[sink])
    status, _ = holdfast.terminate()
    lab.require(status == 0, f"exit status {status}")
