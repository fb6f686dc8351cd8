"""The exporters prometheusremotewrite and otlphttp against a real VictoriaMetrics.

Samples are written while Holdfast is killed, and VictoriaMetrics is stopped and killed; then every value is there at its time.
VictoriaMetrics answers before it has written, so it is killed when what it has acknowledged is on its disk.
"""

import json
import time

from support import otlp
from support.holdfast import FAST_RETRY, Holdfast
from support.senders import GrpcSender
from support.waiting import until

from .modules import built
from .prometheus import counter, request
from .service import Service

MODULE, VERSION = "github.com/VictoriaMetrics/VictoriaMetrics", "v1.122.0"
# The name of the counter by what brought it.
NAMES = {"prometheusremotewrite": "written_items_total", "otlphttp": "items"}
IN_MEMORY = (
    *('vm_pending_rows{type="storage"}', 'vm_pending_rows{type="indexdb"}'),
    *('vm_rows{type="storage/inmemory"}', 'vm_rows{type="indexdb/inmemory"}'),
)


class VictoriaMetrics(Service):
    name, ready = "victoriametrics", "/health"

    def command(self):
        return [
            built("victoria-metrics", MODULE, VERSION, f"{MODULE}/app/victoria-metrics"),
            *("-storageDataPath=data", f"-httpListenAddr=127.0.0.1:{self.port}", "-inmemoryDataFlushInterval=1s"),
        ]

    def values(self, name):
        """{time in ms: value} of the one series of that name."""
        self.read("/internal/force_flush")
        lines = self.read("/api/v1/export", **{"match[]": f'{{__name__="{name}"}}'}).splitlines()
        assert len({json.dumps(json.loads(line)["metric"], sort_keys=True) for line in lines}) <= 1, lines
        pairs = [pair for line in map(json.loads, lines) for pair in zip(line["timestamps"], line["values"])]
        found = dict(pairs)
        assert all(found[at] == value for at, value in pairs), "two values of one time"
        return found

    def is_on_disk(self):
        """Whether nothing of it is in memory alone."""
        lines = [line.split(" ") for line in self.read("/metrics").splitlines() if line.startswith(IN_MEMORY)]
        assert {name for name, _ in lines} == set(IN_MEMORY)
        return all(float(value) == 0 for _, value in lines)


def configuration(backend):
    retry = {"retry_on_failure": dict(FAST_RETRY)}
    exporters = {
        "prometheusremotewrite": {"endpoint": f"{backend.url}/api/v1/write", "namespace": "written", **retry},
        "otlphttp": {"metrics_endpoint": f"{backend.url}/opentelemetry/v1/metrics", **retry},
    }
    pipeline = {"receivers": ["otlp"], "exporters": list(exporters)}
    return {"exporters": exporters, "service": {"pipelines": {"metrics": pipeline}}}


def wait_delivered(holdfast):
    for exporter in NAMES:
        until(
            lambda name=exporter: holdfast.books("metrics", name)["queued"]["items"] == 0,
            lambda name=exporter: (holdfast.books("metrics", name), holdfast.log()[-2000:]),
        )


def write_all(backend, holdfast, sender):
    """Sends with ends of both sides; returns {time in ms: value}."""
    sent = {}
    begun_ms = int(time.time() * 1000) - 600_000
    for number in range(300):
        time_ms = begun_ms + number * 1000
        sender.export(otlp.METRICS, request(counter(number, time_ms * 10**6)))
        sent[time_ms] = number
        if number in (60, 220):
            holdfast.kill9()
            holdfast.start()
        if number == 100:
            backend.terminate()
        if number == 180:
            wait_delivered(holdfast)
            until(backend.is_on_disk, lambda: backend.read("/metrics"))
            backend.kill()
        if number in (140, 250):
            backend.start()
    return sent


def main(directory):
    backend = VictoriaMetrics(directory)
    holdfast = Holdfast(directory / "holdfast", configuration(backend))
    try:
        backend.start()
        holdfast.start()
        with GrpcSender(holdfast.grpc_target) as sender:
            sent = write_all(backend, holdfast, sender)
            wait_delivered(holdfast)
            for exporter, name in NAMES.items():
                until(
                    lambda name=name: backend.values(name) == sent,
                    lambda name=name: f"{name}: {len(backend.values(name))} of {len(sent)} samples",
                )
                print(f"{exporter}: {len(sent)} samples, each with its value and time", flush=True)
        holdfast.close()
        return True
    finally:
        if holdfast.process and holdfast.process.poll() is None:
            holdfast.kill9()
        backend.close()
