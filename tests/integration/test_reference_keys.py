"""Keys of the Go collector's components that a configuration may have: those with no work to do here are accepted and said."""

import pytest
import yaml

from support.holdfast import run

EXPORTER_QUEUE = {"sending_queue": {"enabled": True}}
CASES = {
    "hostmetrics receiver": {
        "scrapers": {
            "memory": {"metrics": {"system.memory.usage": {"enabled": True, "attributes": ["state"], "aggregation_strategy": "sum"}}},
            "process": {"resource_attributes": {"process.executable.name": {"enabled": True, "metrics_include": [{"strict": "a"}, {"regexp": "^b"}]}}},
        }
    },
    "redis receiver": {
        "endpoint": "localhost:6379",
        "metrics": {"redis.cpu.time": {"attributes": ["state"]}},
        "resource_attributes": {"redis.version": {"metrics_exclude": [{"regexp": "^6"}]}},
    },
    "mysql receiver": {"resource_attributes": {"mysql.instance.endpoint": {"events_include": [{"strict": "a:1"}], "events_exclude": []}}},
    "udplog receiver": {"listen_address": "localhost:0", "resolve_names": False, "type": "udp_input", "id": "a"},
    "tcplog receiver": {"listen_address": "localhost:0", "type": "tcp_input"},
    "syslog receiver": {"protocol": "rfc5424", "udp": {"listen_address": "localhost:0", "resolve_names": True}, "type": "syslog_input"},
    "filelog receiver": {"include": ["/tmp/never-there"], "type": "file_input"},
    "journald receiver": {"id": "a", "type": "journald_input", "output": "b"},
    "otlpjsonfile receiver": {"include": ["/tmp/never-there"], "include_file_record_number": True, "include_file_record_offset": True},
    "k8sobjects receiver": {"objects": [{"name": "pods", "mode": "watch"}], "include_initial_state": True, "kube_api_qps": 5, "kube_api_burst": 10},
    "kubeletstats receiver": {"auth_type": "tls", "cert_pem": "a", "key_pem": "b", "ca_pem": "c", "min_version": "1.2", "dialer": {"timeout": "1s"}},
    "postgresql receiver": {"username": "a", "password": "b", "tls": {"min_version": "1.2", "max_version": "1.3", "ca_pem": "x", "reload_interval": "1m"}},
    "kafka receiver": {"dial_timeout": "5s", "max_decompress_batch_bytes": 1000, "partition_processing": {"independent": True, "max_prefetch": {"batches": 2}}},
    "prometheus receiver": {
        "discovery_reload_on_startup": True,
        "scrape_on_shutdown": True,
        "initial_scrape_offset": "2s",
        "target_allocator": {
            "endpoint": "http://localhost:80",
            "collector_id": "a",
            "headers": {"X-Tenant": "b"},
            "proxy_url": "http://localhost:3128",
            "idle_conn_timeout": "1s",
            "tls": {"ca_pem": "x", "min_version": "1.2"},
            "http_sd_config": {"url": "http://placeholder"},
        },
    },
    "awsxray receiver": {"dialer": {"timeout": "1s"}},
    "k8sattributes processor": {"watch_sync_period": "10m", "extract": {"metadata": ["container.image.tags", "k8s.container.name"]}},
    "redaction processor": {"masking_string": "[gone]"},
    "groupbytrace processor": {"emit_strategy": "trace"},
    "resourcedetection processor": {"env": {"attributes": {"included": ["k8s.*"], "excluded": ["a"]}}, "hetzner": {}, "proxy_url": "http://a", "k8snode": {"context": ""}, "detectors": ["elasticbeanstalk"], "elasticbeanstalk": {"resource_attributes": {"deployment.id": {"enabled": False}}}},
    "prometheus exporter": {
        "endpoint": "localhost:8889",
        "resource_constant_labels": {"included": ["*"]},
        "read_header_timeout": "1s",
        "idle_timeout": "1s",
        **EXPORTER_QUEUE,
    },
    "prometheusremotewrite exporter": {"http": {"endpoint": "http://localhost:9090/api/v1/write", "compression": "snappy"}, "keep_classic_histograms": True},
    "kafka exporter": {"dial_timeout": "1s", "producer": {"required_acks": 1, "max_inflight_requests_per_broker": 5}},
    "elasticsearch exporter": {"endpoint": "http://localhost:9200", "log_request_body": True, "log_failed_docs_input_rate_limit": "1s"},
    "splunk_hec exporter": {"endpoint": "http://localhost:8088", "token": "x", "batcher": {}, "compression_params": {"level": 1}},
    "otlp receiver": {"protocols": {"http": {"endpoint": "localhost:0", "keepalive": {"enabled": True, "idle_timeout": "1m"}}}},
    "otlp exporter": {
        "endpoint": "localhost:1",
        "dialer_middleware": {"id": "a"},
        "sending_queue": {"batch": {"partition": {"metadata_keys": ["a"], "cache_size": 10, "idle_timeout": "1m"}}},
    },
    "otlphttp exporter": {"endpoint": "http://localhost:1", "keepalive": {"enabled": False, "idle_conn_timeout": "1s", "max_idle_conns": 5}},
    "memory_limiter processor": {
        "check_interval": "1s",
        "limit_mib": 100,
        "max_gc_interval_when_soft_limited": "1m",
        "max_gc_interval_when_hard_limited": "1m",
        "garbage_collector": {"enabled": False},
    },
    "k8s_cluster receiver": {"auth_type": "none", "kube_api_qps": 5, "kube_api_burst": 10},
    "docker_observer extension": {"endpoint": "tcp://localhost:2376", "tls": {"insecure_skip_verify": True}},
    "opensearch exporter": {
        "http": {"endpoint": "http://localhost:9200"},
        "metrics_index": "a",
        "mapping": {"manage_index_template": False, "index_template_file": "", "ism": {"enabled": False}},
    },
    "aws_s3 receiver": {
        "starttime": "2024-01-01 00:00",
        "endtime": "2024-01-02 00:00",
        "s3downloader": {"s3_bucket": "b", "s3_prefix": "p", "region": "r"},
    },
    "awss3 exporter": {"s3uploader": {"region": "r", "s3_bucket": "b", "role_arn": "arn:aws:iam::1:role/r", "external_id": "x"}},
    "opamp extension": {"server": {"http": {"endpoint": "http://localhost:1"}}, "capabilities": {"reports_heartbeat": True}},
    "basicauth extension": {"client_auth": {"username_file": "/a", "password_file": "/b"}},
    "bearertokenauth extension": {"filename": "/a", "retry_on_failure": {"enabled": True, "interval": "1s", "max_retries": 3}, "wait_for_token_file": True},
    "headers_setter extension": {"headers": [{"key": "a", "from_attribute": "subject"}]},
    "pprof extension": {"dialer": {"timeout": "1s"}},
    "health_check extension": {"idle_timeout": "1s", "keep_alives_enabled": True, "read_header_timeout": "1s"},
}
SIGNALS = {
    "hostmetrics": "metrics",
    "redis": "metrics",
    "prometheus": "metrics",
    "prometheusremotewrite": "metrics",
    "postgresql": "metrics",
    "kubeletstats": "metrics",
    "awsxray": "traces",
    "groupbytrace": "traces",
}


def whole(component, section):
    """A configuration in which the component has a place."""
    name, kind = component.split()
    signal = SIGNALS.get(name, "logs")
    pipeline = {"receivers": ["nop"], "exporters": ["nop"]}
    configuration = {"receivers": {"nop": {}}, "exporters": {"nop": {}}, "service": {"pipelines": {signal: pipeline}}}
    configuration.setdefault(f"{kind}s", {})[name] = section
    if kind == "extension":
        configuration["service"]["extensions"] = [name]
    else:
        pipeline[f"{kind}s"] = [name]
    return configuration


def validate(tmp_path, configuration):
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(configuration, sort_keys=False))
    done = run("validate", "--config", path)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("component", CASES)
def test_keys_are_accepted(component, tmp_path):
    code, said = validate(tmp_path, whole(component, CASES[component]))
    assert code == 0 and "error: " not in said, said


@pytest.mark.parametrize(
    "component, section, sentence",
    [
        ("postgresql receiver", {"username": "a", "db_auth": "aws_iam"}, "db_auth is not supported"),
        ("mysql receiver", {"username": "a", "db_auth": "aws_iam"}, "db_auth is not supported"),
        ("headers_setter extension", {"headers": [{"key": "a", "value": "b"}], "additional_auth": "c"}, "additional_auth is not supported"),
        ("headers_setter extension", {"headers": [{"key": "a", "value": "b", "value_file": "/c"}]}, "each needs one of"),
        ("docker_observer extension", {"tls": {}}, "tls: the endpoint is a Unix socket"),
        ("basicauth extension", {"client_auth": {"secret_provider": {"id": "a"}}}, "secret_provider is not supported"),
        ("groupbytrace processor", {"emit_strategy": "service"}, "emit_strategy: service is not supported"),
        ("prometheusremotewrite exporter", {"endpoint": "http://a:1/w", "include_metadata_keys": ["a"]}, "headers_setter"),
        ("prometheusremotewrite exporter", {"endpoint": "http://a:1/w", "convert_explicit_histograms_to_nhcb": True}, "nhcb is not supported"),
        ("prometheusremotewrite exporter", {"namespace": "a"}, "endpoint: required"),
        (
            "prometheus exporter",
            {"endpoint": "a:1", "resource_constant_labels": {"included": ["a"]}, "resource_to_telemetry_conversion": {"enabled": True}},
            "are the same; use the latter",
        ),
        (
            "redis receiver",
            {"endpoint": "localhost:1", "resource_attributes": {"redis.version": {"metrics_include": [{"regexp": "("}]}}},
            "expected a regular expression",
        ),
        ("redaction processor", {"masking_string": "a", "hash_function": "md5"}, "exclude each other"),
        ("kafka exporter", {"producer": {"required_acks": -1, "max_inflight_requests_per_broker": 2}}, "must be 1 with required_acks: all"),
        (
            "prometheus receiver",
            {"target_allocator": {"endpoint": "http://a:1", "collector_id": "a", "auth": {"authenticator": "a"}}},
            "target_allocator: auth is not supported",
        ),
    ],
)
def test_what_is_not_built_is_refused_with_what_to_do(component, section, sentence, tmp_path):
    code, said = validate(tmp_path, whole(component, section))
    assert code != 0 and sentence in said, said
