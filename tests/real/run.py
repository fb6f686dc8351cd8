"""`./dev test --real [PART...]`: with tools and releases that are not ours. Each part has bounds of its own."""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from real import arm64, charts, clickhouse, dashboards, debian, discovery, gateway, grpcurl, h2spec, hybrid, influxdb, jaeger, kafka  # noqa: E402
from real import kubernetes, loki, minio, moto_s3, opamp, opensearch, otelcol, pprof, prometheus, receivers  # noqa: E402
from real import senders, syslog, victoriametrics, zipkin  # noqa: E402

PARTS = {
    "gateway": gateway.main,
    "grpcurl": grpcurl.main,
    "h2spec": h2spec.main,
    "influxdb": influxdb.main,
    "jaeger": jaeger.main,
    "kafka": kafka.main,
    "kubernetes": kubernetes.main,
    "hybrid": hybrid.main,
    "loki": loki.main,
    "charts": charts.main,
    "dashboards": dashboards.main,
    "opamp": opamp.main,
    "opensearch": opensearch.main,
    "otelcol": otelcol.main,
    "pprof": pprof.main,
    "prometheus": prometheus.main,
    "prometheus2": prometheus.main_of_two,
    "receivers": receivers.main,
    "minio": minio.main,
    "moto": moto_s3.main,
    "senders": senders.main,
    "syslog": syslog.main,
    "victoriametrics": victoriametrics.main,
    "zipkin": zipkin.main,
    "clickhouse": clickhouse.main,
    "debian": debian.main,
    "discovery": discovery.main,
    "arm64": arm64.main,
}


def main(names):
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        sys.exit(f"no such part: {', '.join(unknown)} (there are: {', '.join(PARTS)})")
    results = []
    for name in names or PARTS:
        begun = time.monotonic()
        print(f"== {name}", flush=True)
        with tempfile.TemporaryDirectory(prefix="holdfast-real-") as directory:
            ok = PARTS[name](Path(directory))
        results.append(ok)
        print(f"== {name}: {'passed' if ok else 'FAILED'} after {time.monotonic() - begun:.0f} s", flush=True)
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
