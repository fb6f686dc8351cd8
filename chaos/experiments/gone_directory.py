"""The data directory deleted under it."""

import shutil

from harness.plain import logs_request, post
from harness.victim import configuration, grpc_exporter
from harness.waiting import until

PROMISE = "B3: nothing is acknowledged that could not be found after a restart"
FAULT = "the data directory, or a queue in it, removed under load, then a kill"
HOLDS = "intake refuses soon; a restart serves; what was acknowledged and delivered before stays delivered"


def run(lab):
    for what in ("", "queue/logs") * lab.count(1, 5):
        gone(lab, what)


def gone(lab, what):
    lab.new_truth(items=20, loads=1)
    sink = lab.sink()
    holdfast = lab.holdfast(configuration({"otlp": grpc_exporter(sink)}))
    holdfast.start()
    lab.load(holdfast.grpc, signal_name="logs", requests=200).wait()
    lab.settle()
    sink.start()
    shutil.rmtree(holdfast.data / what if what else holdfast.data)
    lab.fault()
    lab.pause(0.5)
    status = post(holdfast, logs_request(1))
    lab.note(f"{what or 'the directory'} removed: a request half a second later was answered {status}, health {holdfast.health()}")
    until(
        lambda: post(holdfast, logs_request(1)) != 200 or not holdfast.is_running(),
        "requests are acknowledged into a directory that is gone",
        15,
        0.2,
    )
    holdfast.kill9()
    holdfast.start()
    lab.require(post(holdfast, logs_request(2)) == 200, "does not serve after a restart")
    holdfast.terminate()
