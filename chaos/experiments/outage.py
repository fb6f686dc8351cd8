"""A backend that refuses with every code, hangs, cuts, goes away, and comes back."""

from harness.plain import Backend, post_all
from harness.victim import configuration, grpc_exporter, http_exporter
from harness.waiting import until

PROMISE = "C1, C2, C3: no outage drops what could be delivered later; the order is kept; refusals are told apart"
FAULT = "every code of the tables, with RetryInfo and Retry-After, hang, dead and flapping port, cut connections, kills between"
HOLDS = "lost 0; temporary refusals never reach the dead letters, permanent ones do and can be sent again; FIFO"
SUBSET = True

GRPC_TEMPORARY = (1, 4, 7, 8, 10, 11, 12, 14, 15, 16)
GRPC_PERMANENT = (3, 5, 6, 9)
HTTP_TEMPORARY = (401, 403, 408, 429, 502, 503, 504)
HTTP_PERMANENT = (400, 422)


def run(lab):
    suffer_all(lab)
    for http, codes in ((False, GRPC_PERMANENT), (True, HTTP_PERMANENT)):
        refuse_for_good(lab, http, codes)
    keep_the_order(lab)


def suffer_all(lab):
    """Under load, one kind of outage after the other."""
    lab.new_truth(items=20)
    over_grpc, over_http = lab.sink(), lab.sink(http=True)
    exporters = {
        "otlp": grpc_exporter(over_grpc, timeout="1s"),
        "otlphttp": http_exporter(over_http, timeout="1s"),
    }
    holdfast = lab.holdfast(configuration(exporters))
    holdfast.start()
    lab.load_all(holdfast, rate=3_000)
    lab.wait_acknowledged(1_000)
    kinds = [(over_grpc, f"code {code}") for code in GRPC_TEMPORARY]
    kinds += [(over_http, f"code {code}") for code in HTTP_TEMPORARY]
    kinds += [(over_grpc, "retry 8"), (over_grpc, "retry 14"), (over_http, "retry 429"), (over_http, "retry 503")]
    kinds += [(over_grpc, "hang"), (over_grpc, "gone"), (over_http, "gone"), (over_grpc, "flap"), (over_http, "flap")]
    for _ in range(lab.count(1, 30)):
        lab.random.shuffle(kinds)
        for sink, kind in kinds:
            suffer(lab, sink, kind)
            if lab.random.random() < 0.2:
                holdfast.kill9()
                holdfast.start()
                lab.fault()
    lab.settle(seconds=30)
    dead = holdfast.metric("holdfast_exporter_dead_lettered_items") or 0
    lab.require(dead == 0, f"{dead:.0f} items that could be delivered went to the dead letters")
    holdfast.terminate()


def suffer(lab, sink, kind):
    """One outage, and the return."""
    lab.fault()
    if kind == "gone":
        sink.stop()
    elif kind == "flap":
        for _ in range(4):
            sink.stop()
            lab.pause(0.02, 0.2)
            sink.start()
            lab.pause(0.02, 0.2)
    else:
        sink.order(kind)
    lab.pause(0.15, 0.5)
    if kind == "gone":
        sink.start()
    sink.order("ok")


def refuse_for_good(lab, http, codes):
    """What is refused for good is set aside, one by one, and delivered when it is queued again."""
    lab.new_truth(items=20, requests=1000)
    sink = lab.sink(http=http)
    exporter = {"otlphttp": http_exporter(sink)} if http else {"otlp": grpc_exporter(sink)}
    holdfast = lab.holdfast(configuration(exporter))
    holdfast.start()
    for count, code in enumerate(codes, 1):
        lab.fault()
        sink.order(f"code {code}")
        lab.pause(0.05)
        lab.load(holdfast.grpc, requests=1, seconds=5).wait()
        until(
            lambda count=count: holdfast.metric("holdfast_exporter_dead_lettered_items") == count * 20,
            f"what was refused with {code} is not among the dead letters",
        )
    sink.order("ok")
    done = holdfast.command("queue", "requeue", *exporter, "--data-dir", holdfast.data)
    lab.require(done.returncode == 0, f"requeue: {done.stdout}{done.stderr}")
    lab.settle()
    holdfast.terminate()


def keep_the_order(lab):
    """One sender, one consumer, a backend that refuses at random: first arrivals are in order."""
    codes = [status for status in HTTP_TEMPORARY if status not in (401, 403)]

    def answer(count):
        if lab.random.random() < 0.5 and count % 7:
            lab.fault()
            if lab.random.random() < 0.2:
                return None
            return lab.random.choice(codes), {}
        return 200, {}

    backend = Backend(answer)
    lab.stack.callback(backend.close)
    exporter = http_exporter(backend, sending_queue={"num_consumers": 1})
    exporter["retry_on_failure"].update(initial_interval="5ms", max_interval="20ms")
    holdfast = lab.holdfast(configuration({"otlphttp": exporter}))
    holdfast.start()
    total = lab.count(200, 5_000)
    for begin in range(0, total, 50):
        post_all(holdfast, range(begin, begin + 50))
        if begin % 100 == 50:
            holdfast.kill9()
            holdfast.start()
            lab.fault()
    until(lambda: len(set(backend.order)) == total, lambda: f"{len(set(backend.order))} of {total} arrived", 60)
    first_seen = list(dict.fromkeys(backend.order))
    lab.require(first_seen == list(range(total)), "the order was not kept")
    lab.acknowledged += total
    lab.repeated += len(backend.order) - total
    holdfast.terminate()
