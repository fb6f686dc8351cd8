"""Started with a large queue: real records, as the program itself wrote them."""

import os
import shutil

from harness.victim import configuration, grpc_exporter

PROMISE = "E3: ready in under a second, whatever is queued"
FAULT = "SIGKILL with a backlog (short 1 GB, long 50 GB), its pages put out of the cache, then a start; likewise after SIGTERM"
HOLDS = "ready in 1 s; takes and delivers at once; anonymous memory below 64 MiB; in the short form all arrives, lost 0"

GB = 10**9
ITEMS, ITEM_BYTES = 4_000, 370


def run(lab):
    size = lab.count(1, 50) * GB
    if shutil.disk_usage(lab.directory).free < size * 13 // 10:
        lab.skip(f"{size // GB} GB and some are not free in {lab.directory}")
    requests = size // (ITEMS * ITEM_BYTES)
    lab.new_truth(items=ITEMS, requests=requests // 3 + 1, loads=4)
    sink = lab.sink()
    # Unsynced while it fills: what is tried here is the start.
    holdfast = lab.holdfast(written(sink, False))
    holdfast.start()
    sink.order("code 14")
    for name in ("traces", "metrics", "logs"):
        lab.load(holdfast.grpc, signal_name=name, requests=requests // 3, in_flight=4).wait(3600)
    on_disk = holdfast.disk_bytes()
    lab.require(on_disk >= size, f"only {on_disk // 10**6} MB on disk")
    holdfast.write_config(written(sink, True))
    ready = []
    for turn in range(lab.count(4, 6)):
        if turn % 2:
            holdfast.terminate()
        else:
            holdfast.kill9()
        lab.fault()
        forget_pages(holdfast.data)
        ready.append(holdfast.start())
        lab.recovered(ready[-1])
        lab.require(ready[-1] < 1, f"ready only after {ready[-1]:.2f} s with {on_disk / GB:.1f} GB")
    sink.order("ok")
    lab.wait_counted(holdfast, "holdfast_exporter_delivered_items", ITEMS, 10)
    lab.load(holdfast.grpc, signal_name="logs", requests=50).wait()
    memory = holdfast.memory()
    lab.note(
        f"{on_disk / GB:.1f} GB: ready in {', '.join(f'{seconds:.2f}' for seconds in ready)} s; {memory >> 20} MiB of anonymous memory"
    )
    lab.require(memory < 64 << 20, f"{memory >> 20} MiB of anonymous memory")
    lab.settle(seconds=120)
    holdfast.terminate()


def written(sink, fsync):
    config = configuration({"otlp": grpc_exporter(sink, sending_queue={"max_bytes": 100 * GB})})
    config["extensions"]["file_storage"] = {"fsync": fsync}
    config["service"]["extensions"].append("file_storage")
    return config


def forget_pages(data):
    """As after a boot: nothing of the files is in memory."""
    for top, _, names in os.walk(data):
        for name in names:
            try:
                fd = os.open(os.path.join(top, name), os.O_RDONLY)
            except OSError:
                continue  # the control socket
            os.fsync(fd)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(fd)
