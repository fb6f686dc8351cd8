"""The deployment document's modes, with the processors and the limits of their configurations: is the rate kept, and
how long does an answer take?

    ./dev bench pods --vs otelcol

As in the document, but for three things: names of pods and nodes are plain texts, k8sattributes asks as KUBECONFIG
says, and num_traces of the gateway is what its own rate needs, as each span here is a trace of its own. 4000 millicores
are no limit where there are fewer cores.
"""

# Spans a second, spans a request; millicores, MiB; the processors in their order.
MODES = {
    "sidecar": {
        "rate": 5_000,
        "items": 20,
        "limits": (500, 512),
        "processors": {
            "memory_limiter": {"check_interval": "1s", "limit_mib": 400, "spike_limit_mib": 100},
            "batch": {"timeout": "10s", "send_batch_size": 1024},
            "resource": {
                "attributes": [
                    {"key": "k8s.pod.name", "value": "shop-7d9f", "action": "insert"},
                    {"key": "k8s.namespace.name", "value": "shop", "action": "insert"},
                ]
            },
        },
    },
    "daemonset": {
        "rate": 50_000,
        "items": 100,
        "limits": (1000, 2048),
        "processors": {
            "memory_limiter": {"check_interval": "1s", "limit_mib": 1536, "spike_limit_mib": 512},
            "k8sattributes": {
                "auth_type": "kubeConfig",
                "wait_for_metadata": True,
                "wait_for_metadata_timeout": "60s",
                "extract": {
                    "metadata": [
                        "k8s.namespace.name",
                        "k8s.pod.name",
                        "k8s.pod.uid",
                        "k8s.deployment.name",
                        "k8s.node.name",
                    ],
                    "labels": [
                        {"tag_name": "app", "key": "app", "from": "pod"},
                        {"tag_name": "version", "key": "version", "from": "pod"},
                    ],
                },
                "pod_association": [{"sources": [{"from": "connection"}]}],
            },
            "batch": {"timeout": "10s", "send_batch_size": 2048},
            "resource": {
                "attributes": [
                    {"key": "k8s.node.name", "value": "node-1", "action": "insert"},
                    {"key": "collector.type", "value": "daemonset", "action": "insert"},
                ]
            },
        },
        "cluster": 10_000,
    },
    "gateway": {
        "rate": 500_000,
        "items": 500,
        "limits": (4000, 8192),
        "processors": {
            "memory_limiter": {"check_interval": "1s", "limit_percentage": 75, "spike_limit_percentage": 20},
            "tail_sampling": {
                "decision_wait": "10s",
                "num_traces": 10_000_000,
                "expected_new_traces_per_sec": 500_000,
                "policies": [
                    {"name": "errors", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}},
                    {"name": "slow", "type": "latency", "latency": {"threshold_ms": 1000}},
                    {"name": "some", "type": "probabilistic", "probabilistic": {"sampling_percentage": 10}},
                ],
            },
            "batch": {"timeout": "10s", "send_batch_size": 10_000, "send_batch_max_size": 11_000},
        },
        "drops": True,
        "trace_spans": 1,
    },
}
NAMES = [f"pod-{mode}" for mode in MODES]


def flow(mode, **more):
    """A mode's pipeline as fast as it goes, as a work of components.py; the exporters of the document compress."""
    processors = {name: dict(settings) for name, settings in MODES[mode]["processors"].items()}
    return {"processors": processors, "batches": True, "compression": "gzip", "cluster": MODES[mode].get("cluster"), **more}


# The spans of the gateway are traces of eight, as of four services; as many wait as come in 10 s.
FLOWS = {
    "sidecar": flow("sidecar", debug=True),
    "daemonset": flow("daemonset"),
    "gateway": flow("gateway", debug=True, drops=True, quiet_s=14, load={"trace_spans": 8, "trace_requests": 4}),
}
FLOW_NAMES = [f"flow-{mode}" for mode in FLOWS]
