"""Everything at once, for as long as wanted: `./dev chaos soak --minutes N`."""

import time

from harness.places import tmpfs
from harness.plain import post
from harness.victim import configuration, grpc_exporter, http_exporter
from harness.waiting import until

PROMISE = "All of them together, for hours"
FAULT = "kills, stops, reloads, outages of every kind, a full disk, noise and bad requests, in random order under load"
HOLDS = "lost 0; the books balance; memory and descriptors flat"

CODES = ("code 14", "code 8", "code 16", "retry 8", "hang", "slow 200")


def run(lab):
    minutes = lab.minutes or lab.count(1, 60)
    place = tmpfs(lab, "512m")
    lab.new_truth(items=20, requests=int(minutes * 60 * 400) + 10_000, loads=6)
    over_grpc, over_http = lab.sink(), lab.sink(http=True)
    exporters = {
        "otlp": grpc_exporter(over_grpc, timeout="1s", compression="zstd", sending_queue={"max_bytes": 300 << 20}),
        "otlphttp": http_exporter(over_http, timeout="1s", compression="gzip"),
    }
    variants = [configuration(exporters), configuration(exporters, {"batch": {"timeout": "200ms"}})]
    holdfast = lab.holdfast(variants[0], data=place / "data")
    holdfast.start()
    lab.load_all(holdfast, rate=6_000, seconds=minutes * 60 + 60)
    end = time.monotonic() + minutes * 60
    samples = []
    faults = (kill, stop, reload, suffer_grpc, suffer_http, fill_disk, bad_requests)
    while time.monotonic() < end:
        lab.random.choice(faults)(lab, holdfast, over_grpc, over_http, place, variants)
        lab.fault()
        lab.recovered(lab.wait_acknowledged(1, seconds=20))
        lab.pause(0.2, 1.5)
        samples.append((holdfast.memory(), holdfast.descriptors()))
    repeated = lab.settle(seconds=60)
    dead = holdfast.metric("holdfast_exporter_dead_lettered_items") or 0
    half = len(samples) // 2
    early, late = max(m for m, _ in samples[:half] or samples), max(m for m, _ in samples[half:])
    descriptors = [d for _, d in samples]
    lab.note(f"{minutes:g} minutes; memory at most {early >> 20} then {late >> 20} MiB, descriptors {min(descriptors)} to {max(descriptors)}; {repeated} repeated, {dead:.0f} dead letters")
    lab.require(late < early * 1.3 + (8 << 20), "memory grows")
    done = holdfast.command("queue", "stat", "--data-dir", holdfast.data)
    lab.require(done.returncode == 0, f"the books do not balance: {done.stdout}{done.stderr}")
    lab.require(holdfast.terminate()[0] == 0, "a bad end")


def kill(lab, holdfast, *_):
    holdfast.kill9()
    holdfast.start()


def stop(lab, holdfast, *_):
    status, seconds = holdfast.terminate()
    lab.require(status == 0 and seconds < 4, f"SIGTERM: status {status} after {seconds:.1f} s")
    holdfast.start()


def reload(lab, holdfast, _grpc, _http, _place, variants):
    holdfast.write_config(lab.random.choice(variants))
    holdfast.reload()


def suffer_grpc(lab, _holdfast, sink, *_):
    sink.order(lab.random.choice(CODES))
    lab.pause(0.3, 4)
    sink.order("ok")


def suffer_http(lab, _holdfast, _grpc, sink, *_):
    if lab.random.random() < 0.5:
        sink.stop()
        lab.pause(0.3, 4)
        sink.start()
    else:
        sink.order(lab.random.choice(("code 503", "code 429", "retry 503", "code 401")))
        lab.pause(0.3, 4)
    sink.order("ok")


def fill_disk(lab, holdfast, _grpc, _http, place, _variants):
    balloon = place / "balloon"
    try:
        with open(balloon, "wb") as file:
            while True:
                file.write(b"\xff" * (1 << 20))
                file.flush()
    except OSError:
        pass
    lab.pause(0.3, 1.5)
    balloon.unlink()
    until(lambda: holdfast.health() == 200, "not ready 5 s after space returned", 5)


def bad_requests(lab, holdfast, *_):
    for _ in range(50):
        post(holdfast, lab.random.randbytes(lab.random.randrange(1, 400)))
