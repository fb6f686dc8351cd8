"""Curves: what a span costs by the number of statements, pods, waiting traces and series.

    ./dev bench statements known waiting series

Each work is one of components.py with one number in it. Where the number should not matter the curve is flat.
"""

TAIL_RATE = 170_000  # spans per second, each a trace of its own: 1.7 million of them wait for 10 s

TEMPLATES = (
    'set(span.attributes["seen"], {i})',
    'delete_key(span.attributes, "absent.{i}")',
    'replace_pattern(span.attributes["url.full"], "/{i}/[0-9]+$", "/{{id}}")',
    'set(span.attributes["error"], true) where span.attributes["http.response.status_code"] >= {i} + 600',
    'set(span.name, "checkout") where span.attributes["server.address"] == "shop-{i}.example.com"',
)


def statements(count):
    """Of five kinds in turn; all but the first kind find nothing to change, so that what is written stays the same."""
    made = [TEMPLATES[i % len(TEMPLATES)].format(i=i) for i in range(count)]
    return {"processors": {"transform": {"error_mode": "ignore", "trace_statements": made}}}


def pods(count):
    """Each request comes from another pod of the cluster."""
    association = {"sources": [{"from": "resource_attribute", "name": "k8s.pod.name"}]}
    return {
        "processors": {
            "k8sattributes": {
                "auth_type": "kubeConfig",
                "wait_for_metadata": True,
                "wait_for_metadata_timeout": "120s",
                "extract": {"metadata": ["k8s.namespace.name", "k8s.pod.uid", "k8s.node.name", "k8s.pod.start_time"]},
                "pod_association": [association],
            }
        },
        "cluster": count,
        "load": {"pod_names": count},
    }


def waiting(count, sampling):
    """So many traces wait at a time, at one rate: what differs is how long they wait."""
    wait_s = count / TAIL_RATE
    settings = {**sampling, "decision_wait": f"{round(wait_s * 1000)}ms"}
    return {
        "processors": {"tail_sampling": settings},
        "drops": True,
        "quiet_s": wait_s + 3,
        "more_seconds": wait_s,
        "load": {"trace_spans": 1, "rate": TAIL_RATE},
    }


def series(count):
    """Half of them are calls, the other half durations; all are there before the measurement."""
    names = count // 2
    return {
        "connectors": {"spanmetrics": {"max_series": count + 1000, "exclude_dimensions": ["span.kind"]}},
        "warm_requests": 2 * names // 100 + 100,
        "load": {"span_names": names},
    }


POINTS = {
    "statements": (1, 5, 20, 100, 185),
    "known": (100, 1_000, 10_000, 50_000),
    "waiting": (10_000, 100_000, 1_000_000, 1_700_000),
    "series": (100, 10_000, 100_000, 1_000_000),
}
CURVES = {kind: [f"{kind}-{count}" for count in counts] for kind, counts in POINTS.items()}


def work(kind, count, sampling):
    """As one of components.WORKS; `sampling`: the settings of tail_sampling."""
    if kind == "waiting":
        return waiting(count, sampling)
    return {"statements": statements, "known": pods, "series": series}[kind](count)
