"""SIGKILL at random moments under load."""

from harness.victim import configuration, grpc_exporter, http_exporter

PROMISE = "A1, A4: whoever got OK never has to send again; a kill repeats only what was in flight"
FAULT = "SIGKILL at random moments; all signals over gRPC and HTTP, plain and compressed; `batch`; one backend dead for a part"
HOLDS = "lost 0 at both backends; repeated within what was in flight and 200 ms of cursors, a kill; ready in 1 s"
SUBSET = True

CONSUMERS, BATCH_ITEMS = 4, 400


def run(lab):
    lab.new_truth(items=20)
    good, flaky = lab.sink(), lab.sink(http=True)
    queue = {"sending_queue": {"num_consumers": CONSUMERS}}
    exporters = {
        "otlp": grpc_exporter(good, compression="zstd", **queue),
        "otlphttp": http_exporter(flaky, compression="gzip", **queue),
    }
    batch = {"batch": {"timeout": "1s", "send_batch_size": BATCH_ITEMS, "send_batch_max_size": BATCH_ITEMS}}
    holdfast = lab.holdfast(configuration(exporters, batch))
    holdfast.start()
    rate = 12_000
    lab.load_all(holdfast, rate=rate)
    kills = lab.count(5, 120)
    for kill in range(kills):
        if kill % 5 == 2:
            flaky.stop()
        if kill % 5 == 4:
            flaky.start()
        lab.pause(0.15, 1.2)
        holdfast.kill9()
        lab.fault()
        ready = holdfast.start()
        lab.require(ready < 1.5, f"ready only after {ready:.2f} s")
        lab.recovered(ready + lab.wait_acknowledged(1))
    lab.pause(0.5)
    repeated = lab.settle()
    # A sender that saw no OK sends again too: at most its requests in flight, a kill.
    senders_repeat = 6 * 4 * lab.truth.items
    # Three pipelines deliver to two backends: what was in flight, and what the cursors had not said yet
    # (200 ms, more on a busy machine), delivered at up to four times the rate after a restart.
    of_a_kill = 2 * (senders_repeat + 3 * CONSUMERS * BATCH_ITEMS + rate * 4 * 0.5)
    lab.require(repeated <= kills * of_a_kill, f"{repeated} repeated, at most {kills * of_a_kill:.0f} are explained")
    lab.note(f"{kills} kills; {repeated / kills:.0f} items repeated a kill, of {rate} items a second to 2 backends")
