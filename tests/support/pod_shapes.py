"""What the Go collector's Helm chart (0.170) and operator make of a collector's pod: arguments, environment, probes, mounts,
users and configurations, described here in our own words; only the image is exchanged."""

import collections
import copy

POD_IP = "10.244.7.9"
GRACE_SECONDS = 30
# `mounts`: {path: (a name that the test gives a folder to, writable)}; a user of None is the image's.
Shape = collections.namedtuple("Shape", "arguments environment configuration mounts command user", defaults=({}, None, None))


# ---- the chart ----

CHART_ENVIRONMENT = {
    "MY_POD_IP": POD_IP,
    "OTEL_K8S_NODE_NAME": "node-1",
    "OTEL_K8S_NODE_IP": "127.0.0.1",
    "OTEL_K8S_NAMESPACE": "telemetry",
    "OTEL_K8S_POD_NAME": "collector-7d9f-x",
    "OTEL_K8S_POD_IP": POD_IP,
}
KUBELET_ENVIRONMENT = {"K8S_NODE_NAME": "node-1", "K8S_NODE_IP": "127.0.0.1"}


def own(port):
    return {"endpoint": "${env:MY_POD_IP}:%d" % port}


def chart_configuration(verbosity=None):
    """Of the chart's values without a preset; `verbosity` is a user's value."""
    metrics_page = {"job_name": "opentelemetry-collector", "scrape_interval": "10s"}
    metrics_page["static_configs"] = [{"targets": ["${env:MY_POD_IP}:8888"]}]
    pipelines = {
        name: {"receivers": ["otlp", *more], "processors": ["memory_limiter", "batch"], "exporters": ["debug"]}
        for name, more in (("logs", []), ("metrics", ["prometheus"]), ("traces", ["jaeger", "zipkin"]))
    }
    reader = {"pull": {"exporter": {"prometheus": {"host": "${env:MY_POD_IP}", "port": 8888}}}}
    return {
        "receivers": {
            "otlp": {"protocols": {"grpc": own(4317), "http": own(4318)}},
            "jaeger": {"protocols": {"grpc": own(14250), "thrift_http": own(14268), "thrift_compact": own(6831)}},
            "zipkin": own(9411),
            "prometheus": {"config": {"scrape_configs": [metrics_page]}},
        },
        "processors": {
            "batch": {},
            "memory_limiter": {"check_interval": "5s", "limit_percentage": 80, "spike_limit_percentage": 25},
        },
        "exporters": {"debug": {"verbosity": verbosity} if verbosity else {}},
        "extensions": {"health_check": own(13133)},
        "service": {
            "extensions": ["health_check"],
            "pipelines": pipelines,
            "telemetry": {
                "metrics": {"readers": [reader]},
                "resource": {
                    "host.name": "${env:OTEL_K8S_NODE_NAME}",
                    "k8s.namespace.name": "${env:OTEL_K8S_NAMESPACE}",
                    "k8s.node.ip": "${env:OTEL_K8S_NODE_IP}",
                    "k8s.node.name": "${env:OTEL_K8S_NODE_NAME}",
                    "k8s.pod.ip": "${env:OTEL_K8S_POD_IP}",
                    "k8s.pod.name": "${env:OTEL_K8S_POD_NAME}",
                },
            },
        },
    }


def chart(configuration, mounts=None, environment=None, more_arguments=(), **options):
    return Shape(
        ["--config=/conf/relay.yaml", *more_arguments],
        {**CHART_ENVIRONMENT, **(environment or {})},
        configuration,
        {"/conf": ("configuration", False), **(mounts or {})},
        **options,
    )


def chart_logs_collection(stored, name="file_log"):
    """Preset logsCollection, and with storeCheckpoints, for which the chart sets the user 0:0."""
    configuration = chart_configuration("detailed")
    receiver = {
        "include": ["/var/log/pods/*/*/*.log"],
        "exclude": ["/var/log/pods/telemetry_t-opentelemetry-collector*_*/opentelemetry-collector/*.log"],
        "start_at": "end",
        "retry_on_failure": {"enabled": True},
        "include_file_path": True,
        "include_file_name": False,
        "operators": [{"id": "container-parser", "type": "container", "max_log_size": 102400}],
    }
    configuration["receivers"][name] = receiver
    configuration["service"]["pipelines"]["logs"]["receivers"].append(name)
    mounts = {"/var/log/pods": ("pods", False), "/var/lib/docker/containers": ("docker", False)}
    if stored:
        receiver["storage"] = "file_storage"
        configuration["extensions"]["file_storage"] = {"directory": "/var/lib/otelcol"}
        configuration["service"]["extensions"].append("file_storage")
        mounts["/var/lib/otelcol"] = ("storage", True)
    return chart(configuration, mounts, command="/otelcol-k8s", user=(0, 0) if stored else None)


def chart_host_metrics():
    configuration = chart_configuration("detailed")
    types = ("autofs binfmt_misc bpf cgroup2 configfs debugfs devpts devtmpfs fusectl hugetlbfs iso9660 mqueue nsfs overlay proc "
             "procfs pstore rpc_pipefs securityfs selinuxfs squashfs sysfs tracefs").split()  # fmt: skip
    points = [f"^/{name}($|/)" for name in ("dev", "proc", "sys", "run/k3s/containerd", "var/lib/docker", "var/lib/kubelet", "snap")]
    configuration["receivers"]["hostmetrics"] = {
        "collection_interval": "10s",
        "root_path": "/hostfs",
        "scrapers": {
            **{name: None for name in ("cpu", "load", "memory", "disk", "network")},
            "filesystem": {
                "exclude_mount_points": {"mount_points": points, "match_type": "regexp"},
                "exclude_fs_types": {"fs_types": types, "match_type": "strict"},
            },
        },
    }
    configuration["service"]["pipelines"]["metrics"]["receivers"].append("hostmetrics")
    return chart(configuration, {"/hostfs": ("host", False)}, command="/otelcol-k8s")


def chart_kubernetes():
    """Presets kubernetesAttributes and kubeletMetrics of a DaemonSet."""
    configuration = chart_configuration("detailed")
    kinds = ("deployment", "replicaset", "daemonset", "job", "cronjob", "statefulset")
    names = [f"k8s.{kind}.name" for kind in kinds] + [f"k8s.{kind}.uid" for kind in kinds if kind not in ("deployment", "cronjob")]
    pod = ["k8s.namespace.name", "k8s.pod.name", "k8s.pod.uid", "k8s.node.name", "k8s.pod.start_time", "k8s.container.name"]
    services = [f"service.{name}" for name in ("namespace", "name", "version", "instance.id")]
    extract = {"metadata": [*pod, *names, "container.image.tag", "container.image.name", "k8s.cluster.uid", *services]}
    attribute = [{"sources": [{"from": "resource_attribute", "name": f"k8s.pod.{part}"}]} for part in ("ip", "uid")]
    configuration["processors"]["k8s_attributes"] = {
        "filter": {"node_from_env_var": "K8S_NODE_NAME"},
        "passthrough": False,
        "pod_association": [*attribute, {"sources": [{"from": "connection"}]}],
        "extract": {**extract, "otel_annotations": True},
    }
    configuration["receivers"]["kubeletstats"] = {
        "collection_interval": "20s",
        "auth_type": "serviceAccount",
        "endpoint": "${env:K8S_NODE_IP}:10250",
    }
    for pipeline in configuration["service"]["pipelines"].values():
        pipeline["processors"].insert(0, "k8s_attributes")
    configuration["service"]["pipelines"]["metrics"]["receivers"].append("kubeletstats")
    mounts = {"/var/run/secrets/kubernetes.io/serviceaccount": ("account", False)}
    return chart(configuration, mounts, {**KUBELET_ENVIRONMENT}, command="/otelcol-k8s")


def chart_statefulset(endpoint):
    """Mode statefulset with a volumeClaimTemplate that the values mount for file_storage, a limit of memory, a backend."""
    configuration = chart_configuration()
    configuration["extensions"]["file_storage"] = {"directory": "/var/lib/otelcol"}
    configuration["service"]["extensions"].append("file_storage")
    queue = {"storage": "file_storage"}
    configuration["exporters"]["otlphttp"] = {"endpoint": endpoint, "compression": "none", "sending_queue": queue}
    for pipeline in configuration["service"]["pipelines"].values():
        pipeline["exporters"] = ["otlphttp"]
    return chart(configuration, {"/var/lib/otelcol": ("claim", True)}, {"GOMEMLIMIT": "152MiB"}, command="/otelcol-k8s")


# ---- the operator ----


def operator_configuration():
    return {
        "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": "0.0.0.0:4317"}, "http": {"endpoint": "0.0.0.0:4318"}}}},
        "processors": {"resource": {"attributes": [{"key": "pod", "value": "${POD_NAME}", "action": "insert"}]}},
        "exporters": {"debug": {"verbosity": "detailed"}},
        "extensions": {"health_check": {"endpoint": "0.0.0.0:13133"}},
        "service": {
            "extensions": ["health_check"],
            "pipelines": {
                name: {"receivers": ["otlp"], "processors": ["resource"], "exporters": ["debug"]}
                for name in ("logs", "metrics", "traces")
            },
            "telemetry": {"metrics": {"readers": [{"pull": {"exporter": {"prometheus": {"host": "0.0.0.0", "port": 8888}}}}]}},
        },
    }


def operator(configuration=None, arguments=()):
    """Modes deployment, daemonset and statefulset: the configuration first, then spec.args by their names."""
    environment = {"POD_NAME": "collector-0", "GOMEMLIMIT": "429496729", "GOMAXPROCS": "1"}
    mounts = {"/conf": ("configuration", False)}
    return Shape(["--config=/conf/collector.yaml", *arguments], environment, configuration or operator_configuration(), mounts)


def operator_statefulset(allocator):
    """With a target allocator, and a claim for the queue."""
    configuration = copy.deepcopy(operator_configuration())
    told = {"endpoint": allocator, "interval": "30s", "collector_id": "${POD_NAME}"}
    configuration["receivers"]["prometheus"] = {"config": {}, "target_allocator": told}
    configuration["service"]["pipelines"]["metrics"]["receivers"] = ["otlp", "prometheus"]
    configuration["extensions"]["file_storage"] = {"directory": "/var/lib/otelcol"}
    configuration["service"]["extensions"].append("file_storage")
    shape = operator(configuration)
    return shape._replace(mounts={**shape.mounts, "/var/lib/otelcol": ("claim", True)})


def operator_sidecar(text):
    """The configuration comes in a variable, the last of the arguments."""
    environment = {
        "POD_NAME": "shop-7d9f-x",
        "OTEL_RESOURCE_ATTRIBUTES_POD_NAME": "shop-7d9f-x",
        "OTEL_RESOURCE_ATTRIBUTES_POD_UID": "0a1b",
        "OTEL_RESOURCE_ATTRIBUTES_NODE_NAME": "node-1",
        "OTEL_RESOURCE_ATTRIBUTES": "k8s.pod.name=shop-7d9f-x,k8s.pod.uid=0a1b,k8s.node.name=node-1,k8s.namespace.name=shop",
        "OTEL_CONFIG": text,
    }
    return Shape(["--feature-gates=-component.UseLocalHostAsDefaultHost", "--config=env:OTEL_CONFIG"], environment, None)
