"""The command line: sub-commands, exit codes, and configuration errors a person can act on."""

import json
import os
import pty
import re
import subprocess

import pytest
import yaml
from grpc import StatusCode

from support import backends, otlp
from support.certificates import Authority
from support.holdfast import BINARY, ROOT, config, otlp_exporter, run
from support.ports import free_port
from support.senders import GrpcSender
from support.waiting import until

EXAMPLES = sorted(path.name for path in (ROOT / "conf").glob("*.yaml"))
GOOD = """\
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:4317
exporters:
  otlp:
    endpoint: 127.0.0.1:14317
service:
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [otlp]
"""


def validate(tmp_path, text, *arguments, **options):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return run("validate", *arguments, "--config", path, **options)


class TestUsage:
    def test_there_are_no_feature_gates(self):
        """As the OpAMP supervisor asks, with the arguments of the agent."""
        done = run("featuregate", "--config", "file:not-read", "--feature-gates", "a,-b")
        assert (done.returncode, done.stdout.splitlines()[1:]) == (0, [])
        assert run("featuregate", "a.b").returncode == 1

    def test_a_feature_gate_is_a_warning(self, start, http_backend):
        gates = ["--feature-gates=+a.gate,-another", "--feature-gates", "third", "--feature-gates="]
        holdfast = start(config({"otlphttp": {"endpoint": http_backend.endpoint}}), arguments=gates)
        told = [line for line in holdfast.log().splitlines() if "--feature-gates has no effect" in line]
        assert [json.loads(line)["gates"] for line in told] == ["+a.gate,-another", "third"]

    def test_version(self):
        done = run("version")
        assert done.returncode == 0
        assert done.stdout.startswith("holdfast version ")
        assert run("--version").stdout == done.stdout

    @pytest.mark.parametrize(
        "command",
        [
            [],
            ["validate"],
            ["graph"],
            ["schema"],
            ["diff"],
            ["components"],
            ["print-config"],
            ["version"],
            ["featuregate"],
            ["completion"],
            ["man"],
            ["drain"],
            ["queue"],
            *(["queue", verb] for verb in "stat ls cat verify export drop requeue".split()),
        ],
        ids=" ".join,
    )
    def test_help_is_there_for_each(self, command):
        done = run(*command, "--help")
        assert done.returncode == 0, done.stderr
        assert "usage" in done.stdout.lower()

    @pytest.mark.parametrize(
        "arguments",
        [
            ["--no-such-option"],
            ["no-such-command"],
            ["queue", "no-such-verb"],
            ["--config"],
            ["--config="],
            ["--data-dir="],
            ["print-config", "--mode", "loud"],
            ["print-config", "--origins", "--format", "json"],
            ["validate"],
        ],
        ids=" ".join,
    )
    def test_wrong_usage_is_2(self, arguments):
        done = run(*arguments)
        assert done.returncode == 2, done.stdout
        assert "usage" in (done.stdout + done.stderr).lower()

    def test_a_missing_file_is_1_and_named(self):
        done = run("--config", "/no/such/file.yaml")
        assert done.returncode == 1
        assert "/no/such/file.yaml" in done.stderr

    def test_a_missing_directory_of_a_queue_is_named(self, tmp_path):
        done = run("queue", "stat", "--data-dir", tmp_path / "none")
        assert done.returncode == 1
        assert str(tmp_path / "none") in done.stderr


    def test_a_word_that_a_queue_command_does_not_know_is_named(self, tmp_path):
        (tmp_path / "queue").mkdir()
        for words, wrong in ((["ls", "logs", "-n", "x"], "-n"), (["stat", "logs"], "logs"), (["verify", "-x"], "-x")):
            done = run("queue", *words, "--data-dir", tmp_path)
            assert done.returncode == 2
            assert f"takes no {wrong}" in done.stderr or f"{wrong} needs" in done.stderr

    def test_a_queue_that_cannot_be_opened_is_a_failure(self, tmp_path):
        (tmp_path / "queue").mkdir()
        (tmp_path / "queue" / "traces").touch()
        done = run("queue", "stat", "--data-dir", tmp_path)
        assert done.returncode == 1
        assert "queue traces: cannot open" in done.stderr

    def test_looking_for_a_queue_leaves_no_files(self, tmp_path):
        done = run("queue", "stat", "--data-dir", tmp_path)
        assert done.returncode == 1
        assert "holds no queue" in done.stderr
        assert list(tmp_path.iterdir()) == []


class TestValidate:
    def test_a_good_configuration_prints_nothing(self, tmp_path):
        done = validate(tmp_path, GOOD)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr

    @pytest.mark.parametrize(
        "change, place, words",
        [
            (("endpoint: 127.0.0.1:14317", "endpoit: 127.0.0.1:14317"), ":8:5", ["endpoit", "endpoint"]),
            (("exporters: [otlp]", "exporters: [otpl]"), ":13:", ["otpl", "otlp"]),
            (
                ("  otlp:\n    endpoint: 127.0.0.1:14317", "  otlpp:\n    endpoint: 127.0.0.1:14317"),
                ":7:3",
                ["otlpp", "otlp"],
            ),
            (
                ("    endpoint: 127.0.0.1:14317", "    endpoint: 127.0.0.1:14317\n    timeout: soon"),
                ":9:",
                ["timeout", "soon"],
            ),
            (
                (
                    "    endpoint: 127.0.0.1:14317",
                    "    endpoint: 127.0.0.1:14317\n    sending_queue: {num_consumers: 0}",
                ),
                ":9:",
                ["num_consumers"],
            ),
            (("    traces:", "    spans:"), ":11:", ["spans"]),
            (("service:", "servce:"), ":9:1", ["servce", "service"]),
            (
                ("      grpc:\n        endpoint: 127.0.0.1:4317", "      grpc:\n        endpoint: [1]"),
                ":5:",
                ["endpoint"],
            ),
            (("127.0.0.1:4317", "localhost:99999"), ":5:19:", ["endpoint", "host:port"]),
            (("127.0.0.1:4317", "http://localhost:4317"), ":5:19:", ["endpoint", "host:port"]),
            (("127.0.0.1:14317", "gateway"), ":8:15:", ["endpoint", "host:port"]),
            (
                ("    endpoint: 127.0.0.1:14317", '    endpoint: 127.0.0.1:14317\n    headers: {a: "b\\nc: d"}'),
                ":9:15:",
                ["headers::a", "line ends"],
            ),
            (
                ("    endpoint: 127.0.0.1:14317", "    endpoint: 127.0.0.1:14317\n    tls:\n      min_version: 1.9"),
                ":10:7:",
                ["min_version"],
            ),
        ],
        ids=[
            "unknown-key",
            "reference",
            "unknown-type",
            "duration",
            "range",
            "signal",
            "top-level",
            "wrong-type",
            "port",
            "scheme",
            "no-port",
            "header",
            "within-a-section",
        ],
    )
    def test_an_error_names_its_place_and_what_was_meant(self, tmp_path, change, place, words):
        assert change[0] in GOOD
        done = validate(tmp_path, GOOD.replace(*change))
        assert done.returncode == 1
        assert f"config.yaml{place}" in done.stderr, done.stderr
        assert [word for word in words if word not in done.stderr] == [], done.stderr

    def test_all_errors_are_told_at_once(self, tmp_path):
        text = GOOD.replace("endpoint: 127.0.0.1:14317", "endpoit: x").replace(
            "receivers: [otlp]", "receivers: [nope]"
        )
        done = validate(tmp_path, text)
        assert "endpoit" in done.stderr and "nope" in done.stderr

    def test_text_that_is_not_yaml_is_told_with_its_line(self, tmp_path):
        done = validate(tmp_path, "receivers:\n  otlp: [\n")
        assert done.returncode == 1
        assert "config.yaml:" in done.stderr

    def test_an_alias_bomb_is_refused(self, tmp_path):
        text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        text += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
        done = validate(tmp_path, text, timeout=10)
        assert done.returncode == 1

    def test_depth_is_bounded(self, tmp_path):
        assert validate(tmp_path, "a: " + "[" * 20_000, timeout=10).returncode == 1

    def test_no_pipelines_is_an_error(self, tmp_path):
        assert (
            validate(tmp_path, "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {nop: }\n").returncode
            == 1
        )

    @pytest.mark.parametrize(
        "endpoint", ["backend:4318", "ftp://a", "http:///v1", "http://a:99999", '"http://a b"', "unix://a"]
    )
    @pytest.mark.parametrize("key", ["endpoint", "logs_endpoint"])
    def test_a_url_that_cannot_be_asked_is_an_error(self, tmp_path, key, endpoint):
        text = GOOD.replace("  otlp:\n    endpoint: 127.0.0.1:14317", f"  otlphttp:\n    {key}: {endpoint}")
        done = validate(tmp_path, text.replace("exporters: [otlp]", "exporters: [otlphttp]"))
        assert done.returncode == 1
        assert f"config.yaml:8:{7 + len(key)}: exporters::otlphttp: {key}: expected http://host:port" in done.stderr

    def test_what_other_releases_of_the_collector_know_is_accepted(self, tmp_path):
        text = GOOD.replace("127.0.0.1:4317\n", "127.0.0.1:4317\n        middlewares: []\n").replace(
            "service:\n", "extensions: {memory_ballast: {size_mib: 64}}\nservice:\n  extensions: [memory_ballast]\n"
        )
        done = validate(tmp_path, text)
        assert done.returncode == 0, done.stderr
        assert "memory_ballast: size_mib: has no effect" in done.stderr
        assert "middlewares: has no effect" in done.stderr

    def test_partial_reports_what_is_not_built_in(self, tmp_path):
        text = GOOD.replace("exporters: [otlp]", "exporters: [otlp, pulsar]").replace(
            "service:", "  pulsar: {endpoint: a}\nservice:"
        )
        assert validate(tmp_path, text).returncode == 1
        done = validate(tmp_path, text, "--partial")
        assert done.returncode == 0, done.stderr
        assert "not built in: " in done.stderr
        assert "config.yaml:9:3: exporter pulsar" in done.stderr

    @pytest.mark.parametrize("name", EXAMPLES)
    def test_every_example_is_valid(self, name, tmp_path):
        authority = Authority(tmp_path / "tls")
        authority.issue("server")
        done = run(
            "validate",
            "--config",
            ROOT / "conf" / name,
            env={**os.environ, "TLS_DIR": str(authority.directory)},
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""


class TestSources:
    def printed(self, *arguments, **options):
        done = run("print-config", *arguments, **options)
        assert done.returncode == 0, done.stderr
        return yaml.safe_load(done.stdout)

    def test_the_default_is_the_file_in_conf(self):
        assert self.printed("--default") == yaml.safe_load((ROOT / "conf/default.yaml").read_text())

    def test_later_files_win_and_lists_are_replaced(self, tmp_path):
        (tmp_path / "a.yaml").write_text(GOOD)
        (tmp_path / "b.yaml").write_text(
            "exporters: {otlp: {timeout: 3s}, nop: }\nservice: {pipelines: {traces: {exporters: [nop]}}}\n"
        )
        found = self.printed(
            "--config",
            tmp_path / "a.yaml",
            "--config",
            tmp_path / "b.yaml",
            "--set",
            "exporters.otlp.compression=none",
        )
        assert found["exporters"]["otlp"] == {
            "endpoint": "127.0.0.1:14317",
            "timeout": "3s",
            "compression": "none",
        }
        assert found["service"]["pipelines"]["traces"] == {"receivers": ["otlp"], "exporters": ["nop"]}

    def test_each_value_has_its_origin(self, tmp_path):
        base, over = tmp_path / "base.yaml", tmp_path / "over.yaml"
        base.write_text(
            "receivers: {nop: }\n"
            "exporters:\n"
            "  otlp:\n"
            "    endpoint: old.example:4317\n"
            "    headers: {authorization: Bearer x}\n"
            "service:\n"
            "  pipelines:\n"
            "    traces: {receivers: [nop], processors: [], exporters: [otlp]}\n"
        )
        over.write_text("exporters:\n  otlp:\n    timeout: 7s\n    endpoint: new.example:4317\n")
        done = run("print-config", "--origins", "--config", base, "--config", over, "--set", "exporters.otlp.timeout=9s")
        assert done.returncode == 0, done.stderr
        lines = dict(re.split(r" +# ", line) for line in done.stdout.splitlines())
        assert lines["exporters::otlp::endpoint = new.example:4317"] == f"{over}:4"
        assert lines["exporters::otlp::headers::authorization = [REDACTED]"] == f"{base}:5"
        assert lines["service::pipelines::traces::receivers[0] = nop"] == f"{base}:8"
        assert lines["service::pipelines::traces::processors = []"] == f"{base}:8"
        assert "set" in lines["exporters::otlp::timeout = 9s"]
        assert lines["receivers::nop = null"] == f"{base}:1"

    def test_variables_are_put_in(self, tmp_path):
        (tmp_path / "secret").write_text("from-file")
        text = GOOD.replace(
            "    endpoint: 127.0.0.1:14317",
            f"""\
    endpoint: ${{env:HOST_NAME}}:14317
    headers:
      a: ${{env:UNSET_NAME:-fallback}}
      b: ${{OLD_STYLE}}
      c: $$literal
      d: ${{file:{tmp_path}/secret}}""",
        )
        (tmp_path / "a.yaml").write_text(text)
        env = {**os.environ, "HOST_NAME": "example.com", "OLD_STYLE": "old"}
        found = self.printed("--mode", "unredacted", "--config", tmp_path / "a.yaml", env=env)["exporters"]["otlp"]
        assert found["endpoint"] == "example.com:14317"
        # The dollar is escaped again: what is printed can be loaded.
        assert found["headers"] == {"a": "fallback", "b": "old", "c": "$$literal", "d": "from-file"}

    def test_secrets_are_not_printed(self, tmp_path):
        (tmp_path / "a.yaml").write_text(
            GOOD.replace(
                "service:",
                "extensions:\n"
                "  bearertokenauth: {token: s3cret}\n"
                "  headers_setter: {headers: [{key: Authorization, value: Basic s3cret}]}\n"
                "service:\n  extensions: [bearertokenauth]",
            )
        )
        done = run("print-config", "--config", tmp_path / "a.yaml")
        assert done.returncode == 0, done.stderr
        assert "s3cret" not in done.stdout


class TestComponents:
    def test_they_are_listed_as_yaml(self):
        found = yaml.safe_load(run("components").stdout)
        names = {
            kind: {one["name"] for one in found[kind]}
            for kind in ("receivers", "processors", "exporters", "extensions")
        }
        assert names["receivers"] >= {"otlp"}
        assert names["processors"] >= {"memory_limiter", "batch", "resource", "attributes"}
        assert names["exporters"] >= {"otlp", "otlphttp", "file", "debug", "nop"}
        assert names["extensions"] >= {
            "health_check",
            "file_storage",
            "bearertokenauth",
            "basicauth",
            "headers_setter",
        }

    def test_the_reference_page_is_fresh(self):
        """`build/holdfast components --docs > docs/components.md` when this fails."""
        done = run("components", "--docs")
        assert done.returncode == 0
        assert (ROOT / "docs/components.md").read_text() == done.stdout


class TestTerminal:
    def test_a_line_tells_what_was_received_since_the_start(self, start, grpc_backend, grpc_sender):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), ready=False)
        master, terminal = pty.openpty()
        holdfast.spawn(stderr=terminal)
        os.close(terminal)
        holdfast.wait_ready()
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(20)))
        said = b""
        while not (line := re.search(rb"received (\S+)/s  queued \d+  delivered \S+/s  oldest \S+s\r\n", said)):
            said += os.read(master, 4096)
        os.close(master)
        assert float(line[1]) > 0, said

    def test_a_line_tells_what_fails(self, start, grpc_backend, grpc_sender):
        grpc_backend.always = backends.refuse(StatusCode.UNAVAILABLE, "not now")
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), ready=False)
        master, terminal = pty.openpty()
        holdfast.spawn(stderr=terminal)
        os.close(terminal)
        holdfast.wait_ready()
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(20)))
        said = b""
        while not re.search(rb"oldest \S+s  otlp has failed for \d+s: not now \(the data waits in the queue\)\r\n", said):
            said += os.read(master, 4096)
        os.close(master)


class TestDefault:
    def test_it_says_first_where_each_thing_is(self):
        done = run("--data-dir", "/proc/none")  # which ends it before it listens
        places = ("localhost:4317", ":4318/v1/traces", ":13133", ":8888/metrics", "/proc/none", "telemetry.jsonl")
        for word in (*places, "curl -s localhost:4318/v1/logs", "holdfast queue stat", "print-config --default"):
            assert word in done.stderr

    def test_it_runs_without_any_argument(self, tmp_path):
        """As a newcomer starts it, but for the ports, which others may hold."""
        ports = {name: free_port() for name in ("grpc", "http", "health", "metrics")}
        sets = [
            f"receivers.otlp.protocols.grpc.endpoint=127.0.0.1:{ports['grpc']}",
            f"receivers.otlp.protocols.http.endpoint=127.0.0.1:{ports['http']}",
            f"extensions.health_check.endpoint=127.0.0.1:{ports['health']}",
            f"service.telemetry.metrics.address=127.0.0.1:{ports['metrics']}",
        ]
        arguments = [part for one in sets for part in ("--set", one)]
        with open(tmp_path / "log", "wb") as log:
            process = subprocess.Popen(
                [BINARY, *arguments], cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            ids = otlp.new_ids(2)
            with GrpcSender(f"127.0.0.1:{ports['grpc']}") as sender:
                until(
                    lambda: (
                        process.poll() is not None
                        or sender.code(otlp.LOGS, otlp.request(otlp.LOGS, ids)).value[0] == 0
                    ),
                    lambda: (tmp_path / "log").read_text(),
                )
            out = tmp_path / "holdfast-data" / "telemetry.jsonl"
            until(
                lambda: out.exists() and str(ids[0]) in out.read_text(),
                lambda: (tmp_path / "log").read_text(),
            )
            said = (tmp_path / "log").read_text()
            for word in (str(ports["grpc"]), str(ports["http"]), str(ports["health"]), "holdfast-data"):
                assert word in said
            assert "localhost:4317" not in said  # what --set changed
        finally:
            process.terminate()
            assert process.wait(60) == 0
