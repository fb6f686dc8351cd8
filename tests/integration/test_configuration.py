"""Configurations as people write them: nulls of an override, secrets, values of variables, newer spellings."""

import os
import re

import pytest
import yaml

from support.holdfast import ROOT, config, run

SINGULAR = {
    "receivers": "receiver",
    "processors": "processor",
    "exporters": "exporter",
    "connectors": "connector",
    "extensions": "extension",
}
# What each component must have to be valid, besides what is tried.
NEEDED = {
    "otlp receiver": {"protocols": {"grpc": {}}},
    "memory_limiter processor": {"check_interval": "1s", "limit_mib": 100},
    "resource processor": {"attributes": [{"key": "a", "action": "delete"}]},
    "attributes processor": {"actions": [{"key": "a", "action": "delete"}]},
    "filelog receiver": {"include": ["/tmp/never-there"]},
    "prometheus receiver": {
        "config": {"scrape_configs": [{"job_name": "a"}]},
        "target_allocator": {"endpoint": "http://localhost:80", "collector_id": "a"},
    },
    "kubeletstats receiver": {"auth_type": "none"},
    "kafkametrics receiver": {"scrapers": ["brokers"], "auth": {"sasl": {"mechanism": "PLAIN", "username": "a", "password": "b"}}},
    "kafka receiver": {"auth": {"sasl": {"mechanism": "PLAIN", "username": "a", "password": "b"}}},
    "kafka exporter": {"auth": {"sasl": {"mechanism": "PLAIN", "username": "a", "password": "b"}}},
    "postgresql receiver": {"username": "a", "password": "b"},
    "rabbitmq receiver": {"username": "a", "password": "b"},
    "redis receiver": {"endpoint": "localhost:6379"},
    "httpcheck receiver": {"targets": [{"endpoint": "http://localhost:80"}]},
    "syslog receiver": {"protocol": "rfc5424", "tcp": {"listen_address": "localhost:0"}},
    "tcplog receiver": {"listen_address": "localhost:0"},
    "udplog receiver": {"listen_address": "localhost:0"},
    "otlpjsonfile receiver": {"include": ["/tmp/never-there"]},
    "rate_limiter processor": {"rate": 1},
    "span processor": {"name": {"from_attributes": ["a"]}, "status": {"code": "Ok"}},
    "tail_sampling processor": {"policies": [{"name": "all", "type": "always_sample"}]},
    "otlp exporter": {"endpoint": "localhost:4317"},
    "awss3 receiver": {"s3downloader": {"s3_bucket": "a", "s3_prefix": "b"}, "starttime": "2024-01-01 01:00", "endtime": "2024-01-02"},
    "awscloudwatchlogs exporter": {"log_group_name": "a", "log_stream_name": "b"},
    "awss3 exporter": {"s3uploader": {"s3_bucket": "a"}},
    "health_check extension": {"use_v2": True, "http": {}},
    "healthcheckv2 extension": {"use_v2": True, "http": {}, "grpc": {}},
    "loki exporter": {"endpoint": "http://localhost:3100/loki/api/v1/push"},
    "prometheusremotewrite exporter": {"endpoint": "http://localhost:9090/api/v1/write", "http": {"endpoint": "http://localhost:9090/api/v1/write"}},
    "prometheus exporter": {"endpoint": "localhost:8889"},
    "otlphttp exporter": {"endpoint": "http://localhost:4318"},
    "elasticsearch exporter": {"endpoint": "http://localhost:9200"},
    "opensearch exporter": {"http": {"endpoint": "http://localhost:9200"}},
    "googlecloudstorage exporter": {"bucket": {"name": "abc"}},
    "clickhouse exporter": {"endpoint": "http://localhost:8123"},
    "loadbalancing exporter": {"resolver": {"static": {"hostnames": ["a:4317"]}}},
    "jaeger exporter": {"endpoint": "localhost:14250"},
    "coralogix exporter": {"domain": "a.test", "private_key": "x", "application_name": "b"},
    "syslog exporter": {"endpoint": "localhost"},
    "splunk_hec exporter": {"endpoint": "http://localhost:8088", "token": "x"},
    "influxdb exporter": {"endpoint": "http://localhost:8086", "bucket": "b"},
    "zipkin exporter": {"endpoint": "http://localhost:9411/api/v2/spans"},
    "oauth2client extension": {"client_id": "a", "client_secret": "b", "token_url": "http://localhost:80/token"},
    "http_forwarder extension": {"egress": {"endpoint": "http://localhost:4318"}},
    "opamp extension": {"server": {"ws": {"endpoint": "ws://localhost:4320/v1/opamp"}}},
    "oidc extension": {"issuer_url": "https://issuer.test", "audience": "a"},
    "sigv4auth extension": {"region": "us-east-1", "service": "aps"},
    "routing connector": {"table": [{"condition": "true", "pipelines": ["traces"]}]},
    "file exporter": {"path": "/tmp/never-opened"},
    "bearertokenauth extension": {"token": "x"},
    "basicauth extension": {"htpasswd": {"inline": "a:b"}, "client_auth": {"username": "a", "password": "b"}},
    "headers_setter extension": {"headers": [{"key": "a", "value": "b"}]},
}

# Sections of which one must have something in it: with nothing behind them the component says so.
WANTED = {
    "http_forwarder egress",
    "googlecloudstorage bucket",
    "awss3 s3downloader",
    "awss3 s3uploader",
    "syslog tcp",
    "syslog udp::multiline",
    "opamp server",
    "opamp server::ws",
    "opamp server::http::tls",
    "opamp server::http::headers",
    "opensearch http",
    "loadbalancing resolver",
    "loadbalancing resolver::static",
    "loadbalancing resolver::static::hostnames",
    "loadbalancing resolver::k8s::ports",
    "metricstransform transforms",
    "deltatorate metrics",
}


def documented():
    """(component, kind, path, type) of every key on the reference page."""
    kind = name = None
    for line in (ROOT / "docs/components.md").read_text().splitlines():
        if line.startswith("## "):
            kind = SINGULAR[line[3:]]
        elif line.startswith("### "):
            name = line[4:]
        elif line.startswith("| `"):
            cells = line.split(" | ")
            yield name, kind, cells[0].strip("| `"), cells[1].split(",")[0], cells[2]


SECTIONS = [
    (name, kind, path)
    for name, kind, path, type, default in documented()
    if "section" in type or type in ("map of text", "list of text")
    if "[]" not in path and "<name>" not in path and default != "required" and path != "protocols"
]


def with_component(name, kind, path, value):
    """A whole configuration in which the component has `value` under `path`."""
    body = {}
    inner = body
    for part in path.split("::")[:-1]:
        inner[part] = {}
        inner = inner[part]
    inner[path.split("::")[-1]] = value
    return {kind + "s": {f"{name}/tried": body}}


def base(name, kind):
    whole = {
        "receivers": {"otlp": {"protocols": {"grpc": None}}},
        "exporters": {"nop": None},
        "service": {"pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["nop"]}}},
    }
    needed = NEEDED.get(f"{name} {kind}")
    whole.setdefault(kind + "s", {})[f"{name}/tried"] = needed
    return whole


def check(command, *sources, options=()):
    arguments = [*options]
    for source in sources:
        arguments += ["--config", "yaml:" + yaml.safe_dump(source, default_flow_style=True, width=100000)]
    return run(command, *arguments)


def errors(done):
    return [line for line in done.stderr.splitlines() if "is defined but" not in line and "endpoint is not set" not in line]


class TestNull:
    @pytest.mark.parametrize(("name", "kind", "path"), SECTIONS, ids=lambda value: str(value))
    def test_a_section_with_nothing_behind_it_is_switched_off(self, name, kind, path):
        start = base(name, kind)
        wrong = with_component(name, kind, path, {"no_such_key": {"at": "all"}})
        done = check("validate", start, wrong)
        assert done.returncode == 1, "the key is not looked at"
        done = check("validate", start, wrong, with_component(name, kind, path, None))
        if f"{name} {path}" in WANTED:
            assert done.returncode == 1 and "no_such_key" not in done.stderr
            return
        ours = [line for line in errors(done) if f": {path}" in line]
        # What else these sections need, a match_type and a certificate, is not given.
        if not any(part in f"::{path}" for part in ("::include::", "::exclude::", "tls::")):
            assert done.returncode == 0, done.stderr
        assert ours == []

    @pytest.mark.parametrize("section", ["processors", "connectors", "extensions"])
    def test_a_whole_kind_of_components_may_be_null(self, section):
        done = check("validate", base("nop", "exporter"), {section: None})
        assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize(
        "service",
        [
            {"extensions": None},
            {"telemetry": None},
            {"telemetry": {"logs": None, "metrics": None, "traces": None, "resource": None}},
            {"telemetry": {"logs": {"level": None, "encoding": None, "output_paths": None, "initial_fields": None}}},
            {"telemetry": {"metrics": {"level": None, "address": None, "readers": None, "views": None}}},
            {"pipelines": {"traces": {"processors": None}}},
        ],
        ids=str,
    )
    def test_so_may_the_parts_of_the_service(self, service):
        done = check("validate", base("nop", "exporter"), {"service": service})
        assert done.returncode == 0, done.stderr
        assert errors(done) == []

    def test_a_protocol_is_on_and_its_sections_are_off(self):
        server = {"tls": None, "auth": None, "keepalive": None}
        done = check(
            "validate",
            base("nop", "exporter"),
            {"receivers": {"otlp": {"protocols": {"grpc": server, "http": {"tls": None, "auth": None, "cors": None}}}}},
        )
        assert done.returncode == 0, done.stderr


class TestSecrets:
    def test_none_is_printed(self):
        secret = "hush"
        endpoint = f"http://{secret}:{secret}@localhost:4318"
        whole = {
            "receivers": {"otlp": {"protocols": {"http": {"response_headers": {"x-key": secret}}}}},
            "processors": {
                "attributes": {"actions": [{"key": "api_key", "value": secret, "action": "insert"}]},
            },
            "exporters": {
                "otlphttp": {
                    "endpoint": endpoint,
                    "traces_endpoint": f"http://localhost/v1/traces?token={secret}&x={secret}#{'a'}",
                    "logs_endpoint": f"http://localhost/v1/logs?{secret}",
                    "proxy_url": f"http://{secret}@localhost:3128",
                    "headers": [{"name": "x-a", "value": secret}],
                    "auth": {"authenticator": "bearertokenauth"},
                },
                "otlp": {"endpoint": "localhost:4317", "headers": {"x-b": "${env:SECRET}"}},
            },
            "extensions": {
                "bearertokenauth": {"token": secret, "tokens": [secret, "${env:SECRET}"]},
                "bearertokenauth/text": {"tokens": "${env:SECRET}"},
                "headers_setter": {
                    "headers": [
                        {"key": "a", "from_context": "x", "default_value": secret},
                        {"key": "b", "value": "${env:SECRET}"},
                    ]
                },
                "basicauth": {"htpasswd": {"inline": f"a:{secret}"}},
                "basicauth/client": {"client_auth": {"username": "a", "password": secret}},
            },
            "service": {
                "extensions": ["bearertokenauth"],
                "telemetry": {
                    "resource": {"api_key": secret},
                    "metrics": {"readers": [{"periodic": {"exporter": {"otlp_http": {"headers": {"x": secret}}}}}]},
                },
                "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["otlphttp", "otlp"]}},
            },
        }
        for value in ("hush", "#hush", "hush: 1", "[hush", "a${hush"):
            env = {**os.environ, "SECRET": value}
            for form in ("yaml", "json"):
                arguments = ["--config", "yaml:" + yaml.safe_dump(whole, default_flow_style=True, width=100000)]
                done = run("print-config", "--format", form, *arguments, env=env)
                assert done.returncode == 0, done.stderr
                assert secret not in done.stdout
                assert secret not in done.stderr
                assert done.stdout.count("[REDACTED]") >= 18


class TestPrint:
    def test_what_is_not_built_in_is_printed_unless_it_shall_be_valid(self):
        wrong = {**base("nop", "exporter"), "extensions": {"jaeger_query": None}}
        assert check("print-initial-config", wrong).returncode == 0
        assert check("print-config", wrong, options=["--validate=false"]).returncode == 0
        done = check("print-config", wrong, options=["--validate", "--feature-gates", "a,-b"])
        assert done.returncode == 1
        assert 'unknown type: "jaeger_query"' in done.stderr
        assert done.stdout == ""


class TestVariables:
    @pytest.mark.parametrize(
        "value", ["#s3cret", "a${b", "a${b}c", "&a b", "*x", "null", "a: b", "[x", "'q'", "0123", "1e5", "$$", "x #y"]
    )
    def test_their_text_reaches_a_header_as_it_is(self, value):
        exporter = {"endpoint": "localhost:4317", "headers": {"a": "${env:VALUE}", "b": "<${VALUE}>", "c": "${env:NO:-d}"}}
        whole = {
            "receivers": {"otlp": {"protocols": {"grpc": None}}},
            "exporters": {"otlp": exporter},
            "service": {"pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["otlp"]}}},
        }
        done = run(
            "print-config", "--mode", "unredacted", "--config", "yaml:" + yaml.safe_dump(whole, default_flow_style=True),
            env={**os.environ, "VALUE": value},
        )
        assert done.returncode == 0, done.stderr
        headers = yaml.safe_load(done.stdout)["exporters"]["otlp"]["headers"]
        escaped = value.replace("$", "$$")  # what is printed can be loaded
        assert headers == {"a": escaped, "b": f"<{escaped}>", "c": "d"}


class TestSpellings:
    def valid(self, *overrides):
        done = check("validate", base("nop", "exporter"), *overrides)
        assert done.returncode == 0, done.stderr
        return done.stderr

    def refused(self, *overrides):
        done = check("validate", base("nop", "exporter"), *overrides)
        assert done.returncode == 1, done.stderr
        return done.stderr

    def http(self, **keys):
        return {"receivers": {"otlp": {"protocols": {"http": keys}}}}

    def test_profiles_have_keys_like_the_other_signals(self):
        said = self.valid(
            self.http(profiles_url_path="/profiles"),
            {"exporters": {"otlphttp/p": {"endpoint": "http://h", "profiles_endpoint": "http://h/profiles"}}},
        )
        assert "profiles" not in said

    @pytest.mark.parametrize("path", ["", "http://h/v1/traces", "/a b", "/v1?x=1", "//h/x"])
    @pytest.mark.parametrize("signal", ["traces", "metrics", "logs", "profiles"])
    def test_a_signals_path_is_a_path(self, signal, path):
        said = self.refused(self.http(**{f"{signal}_url_path": path}))
        assert f"{signal}_url_path: expected a path such as /v1/traces" in said

    def test_two_signals_have_two_paths(self):
        assert "must differ" in self.refused(self.http(traces_url_path="/v1/logs"))
        assert "must differ" in self.refused(self.http(traces_url_path="x", logs_url_path="/x"))
        self.valid(self.http(traces_url_path="x", logs_url_path="/y"))

    @pytest.mark.parametrize("paths", [[], "", [""], ["stdout", ""]], ids=str)
    def test_debug_needs_somewhere_to_write(self, paths):
        body = {"use_internal_logger": False, "output_paths": paths}
        assert "debug/d: output_paths: " in self.refused({"exporters": {"debug/d": body}})

    def test_a_closing_line_and_underscores_are_read(self, tmp_path):
        text = yaml.safe_dump({**base("nop", "exporter"), "processors": {"batch": {"send_batch_size": "N"}}})
        (tmp_path / "a.yaml").write_text("---\n" + text.replace(": N", ": 1_000") + "---\n")
        done = run("print-config", "--format", "json", "--config", tmp_path / "a.yaml")
        assert done.returncode == 0, done.stderr
        assert yaml.safe_load(done.stdout)["processors"]["batch"]["send_batch_size"] == 1000

    def test_the_resource_as_a_list(self, start):
        configuration = config(exporters={"nop": None})
        configuration["service"]["telemetry"] = {
            "resource": {
                "schema_url": "https://opentelemetry.io/schemas/1.27.0",
                "attributes": [
                    {"name": "service.name", "value": "mine"},
                    {"name": "service.instance.id", "value": None},
                    {"name": "x.y", "value": 1, "type": "int"},
                ],
            }
        }
        process = start(configuration)
        labels = next(labels for name, labels, _ in process.metrics() if name == "otelcol_process_uptime")
        assert labels.pop("service_version")
        assert labels == {"service_name": "mine", "x_y": "1"}
