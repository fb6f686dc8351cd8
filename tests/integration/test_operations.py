"""Running it: reload, health, self-metrics, logs, start-up faults."""

import http.client
import json
import os
import re
import signal
import socket
from pathlib import Path

import grpc
import pytest
import requests

from support import otlp, senders
from support.backends import GrpcBackend, refuse
from support.certificates import Authority
from support.holdfast import BASE, BINARY, config, otlp_exporter
from support.ports import free_port
from support.senders import Load, wait_for_acknowledged
from support.waiting import until

EVERY_PATH = [(one, transport) for one in otlp.SIGNALS for transport in ("grpc", "http")]


class TestReload:
    def test_a_valid_configuration_is_taken_without_refusing_a_request(self, start, ending):
        old, new = ending.enter_context(GrpcBackend()), ending.enter_context(GrpcBackend())
        holdfast = start(config({"otlp": otlp_exporter(old)}))
        with Load(holdfast, EVERY_PATH) as load:
            wait_for_acknowledged(load, 500)
            for number in range(5):
                holdfast.write_config(config({"otlp": otlp_exporter(new if number % 2 == 0 else old)}))
                seen = len(new.requests) if number % 2 == 0 else len(old.requests)
                target = new if number % 2 == 0 else old
                holdfast.reload()
                until(lambda: len(target.requests) > seen, "the new configuration is not in use")
        assert load.failures == {}
        until(
            lambda: set(load.acknowledged) <= set(old.ids()) | set(new.ids()),
            "items are missing after the reloads",
        )

    def test_an_invalid_configuration_is_logged_and_the_old_one_goes_on(self, start, ending, grpc_sender):
        backend = ending.enter_context(GrpcBackend())
        holdfast = start(config({"otlp": otlp_exporter(backend)}))
        holdfast.write_config("receivers: {nothing: {}}\n")
        holdfast.reload()
        holdfast.wait_for_log("keeping the current one")
        assert holdfast.log().count('unknown type: \\"nothing\\"') == 1
        ids = otlp.new_ids(2)
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        backend.wait_for(ids)
        assert holdfast.health() == 200

    def test_threads_that_a_reload_starts_leave_the_signals_to_the_main_thread(self, start, tmp_path):
        """One that took SIGTERM would note the stop, and the main thread would wait on."""
        holdfast = start(config({"nop": {}}))
        oauth2 = {"client_id": "a", "client_secret": "b", "token_url": "http://127.0.0.1:1/"}
        receivers = {
            "filelog": {"include": [str(tmp_path / "*.log")]},
            "otlpjsonfile": {"include": [str(tmp_path / "*.json")]},
            "tcplog": {"listen_address": f"127.0.0.1:{free_port()}"},
            "udplog": {"listen_address": f"127.0.0.1:{free_port()}"},
        }
        more = config({"nop": {}}, {"resourcedetection": {"detectors": ["env"], "refresh_interval": "1h"}})
        more["receivers"] = receivers
        more["extensions"] = {"oauth2client": oauth2}
        more["service"]["extensions"] = ["health_check", "oauth2client"]
        more["service"]["pipelines"]["logs"]["receivers"] = list(receivers)
        holdfast.write_config(more)
        holdfast.reload()
        holdfast.wait_for_log("the new configuration runs")
        masks = {}
        for status in Path(f"/proc/{holdfast.process.pid}/task").glob("*/status"):
            found = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
            masks[status.parent.name, found["Name"]] = int(found["SigBlk"], 16)
        assert {"filelog", "otlpjsonfile", "streams", "datagrams"} <= {name for _, name in masks}
        wanted = 1 << signal.SIGTERM - 1 | 1 << signal.SIGINT - 1
        taking = [name for (number, name), mask in masks.items() if ~mask & wanted and int(number) != holdfast.process.pid]
        assert taking == []

    def test_own_metrics_outlive_a_reload_that_cannot_have_its_telemetry(self, start, grpc_backend):
        def telemetry(**sections):
            configuration = config({"otlp": otlp_exporter(grpc_backend)})
            configuration["service"]["telemetry"] = sections
            return configuration

        def reload(configuration):
            done = holdfast.log().count("the new configuration runs")
            holdfast.write_config(configuration)
            holdfast.reload()
            until(lambda: holdfast.log().count("the new configuration runs") > done, holdfast.log)

        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        reload(telemetry(logs={"output_paths": ["/no/such/log"]}))
        holdfast.wait_for_log("/no/such/log.*the log stays as it was")
        assert holdfast.metrics()
        reload(telemetry(metrics={"address": "203.0.113.1:1"}))
        holdfast.wait_for_log("203.0.113.1:1 .*own metrics stay as they were")
        assert holdfast.metrics()
        reader = {"host": "127.0.0.1", "port": "${env:METRICS_PORT}"}
        reload(telemetry(metrics={"readers": [{"pull": {"exporter": {"prometheus": reader}}}]}))
        assert holdfast.metric("otelcol_receiver_accepted_spans_total") == 0

    def test_what_a_reload_cannot_change_is_told(self, start, grpc_backend, tmp_path):
        configuration = config({"otlp": otlp_exporter(grpc_backend)})
        configuration["service"]["extensions"] = ["health_check", "file_storage"]
        holdfast = start(configuration | {"extensions": {"file_storage": {"directory": "one"}}}, ready=False)
        holdfast.data_directory = None
        holdfast.start()
        holdfast.write_config(
            configuration | {"extensions": {"file_storage": {"directory": "two", "fsync": False}}}
        )
        holdfast.reload()
        holdfast.wait_for_log("the data directory two counts from the next start on; until then it is one")
        holdfast.wait_for_log("fsync counts from the next start on")

    def test_what_is_queued_survives_a_reload(self, start, ending, grpc_sender):
        backend = ending.enter_context(GrpcBackend())
        backend.stop()
        holdfast = start(config({"otlp": otlp_exporter(backend)}))
        ids = otlp.new_ids(20)
        for item in ids:
            grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, [item]))
        holdfast.write_config(config({"otlp": otlp_exporter(backend)}, {"batch": {"send_batch_size": 10}}))
        holdfast.reload()
        backend.start()
        backend.wait_for(ids)


class TestReloadOfTheQueue:
    """What a reload changes of queues that are open, and what it says that it cannot."""

    @pytest.fixture
    def reload(self):
        def run(holdfast, configuration):
            lines = holdfast.log().count("the new configuration runs")
            holdfast.write_config(configuration)
            holdfast.reload()
            until(
                lambda: holdfast.log().count("the new configuration runs") > lines,
                lambda: holdfast.log()[-2000:],
            )

        return run

    @pytest.fixture
    def away(self, ending):
        backend = ending.enter_context(GrpcBackend())
        backend.stop()
        return backend

    @staticmethod
    def queue(backend, **keys):
        return config({"otlp": otlp_exporter(backend, sending_queue=keys)})

    @staticmethod
    def fill(holdfast, most):
        """Sends until refused or until so many were taken; the ids that were."""
        taken = []
        while len(taken) < most:
            ids = otlp.new_ids(1)
            message = otlp.request(otlp.LOGS, ids, padding="x" * 100_000)
            answer = senders.post(holdfast.http_base, otlp.LOGS, message)
            if answer.status_code != 200:
                assert answer.status_code == 503 and answer.headers["Retry-After"]
                break
            taken += ids
        return taken

    def test_more_bytes_count_at_once(self, start, away, reload):
        holdfast = start(self.queue(away, max_bytes="4MiB"))
        first = self.fill(holdfast, 1000)
        assert len(first) < 45
        reload(holdfast, self.queue(away, max_bytes="8MiB"))
        assert holdfast.metric("holdfast_queue_bytes_max", kind="queue", queue="logs") == 8 << 20
        more = self.fill(holdfast, 1000)
        assert 25 < len(more) < 60
        away.start()
        away.wait_for(first + more)

    def test_fewer_bytes_count_at_once_and_delete_nothing(self, start, away, reload):
        holdfast = start(self.queue(away, max_bytes="64MiB"))
        ids = self.fill(holdfast, 100)
        assert len(ids) == 100
        reload(holdfast, self.queue(away, max_bytes="4MiB"))
        holdfast.wait_for_log("more than the new limit: clients are told to retry")
        assert self.fill(holdfast, 1) == []
        books = holdfast.books("logs", "otlp")
        assert books["accepted"]["items"] == books["queued"]["items"] == 100
        away.start()
        away.wait_for(ids)
        until(lambda: self.fill(holdfast, 1), "room does not come back")
        away.stop()
        assert len(self.fill(holdfast, 1000)) < 45
        holdfast.books("logs", "otlp")

    def test_without_the_key_the_default_counts_again(self, start, away, reload):
        holdfast = start(self.queue(away))
        default = holdfast.metric("holdfast_queue_bytes_max", kind="queue", queue="logs")
        for keys in ({"max_bytes": "4MiB"}, {}):
            reload(holdfast, self.queue(away, **keys))
        assert holdfast.metric("holdfast_queue_bytes_max", kind="queue", queue="logs") == default

    def test_a_configuration_that_does_not_start_changes_no_limit(self, start, away, reload):
        holdfast = start(self.queue(away, max_bytes="8MiB"))
        bad = self.queue(away, max_bytes="4MiB")
        bad["exporters"]["file"] = {"path": "/proc/nothing/there"}
        bad["service"]["pipelines"]["logs"]["exporters"].append("file")
        holdfast.write_config(bad)
        holdfast.reload()
        holdfast.wait_for_log("does not start")
        assert holdfast.metric("holdfast_queue_bytes_max", kind="queue", queue="logs") == 8 << 20

    def test_on_full_changes_at_once(self, start, away, reload):
        holdfast = start(self.queue(away, max_bytes="4MiB"))
        first = self.fill(holdfast, 1000)
        reload(holdfast, self.queue(away, max_bytes="4MiB", on_full="drop_oldest"))
        holdfast.wait_for_log("on_full is now drop_oldest")
        assert len(self.fill(holdfast, 60)) == 60
        assert holdfast.books("logs", "otlp")["dropped"]["overflow"]["items"] > 0
        reload(holdfast, self.queue(away, max_bytes="4MiB"))
        holdfast.wait_for_log("on_full is now reject")
        assert len(self.fill(holdfast, 1000)) < len(first)

    def test_the_limit_of_dead_letters_counts_at_once_and_after_a_restart(
        self, start, grpc_backend, grpc_sender, reload
    ):
        def limit():
            return holdfast.metric("holdfast_queue_bytes_max", kind="deadletter", queue="otlp")

        grpc_backend.always = refuse(grpc.StatusCode.INVALID_ARGUMENT)
        holdfast = start(self.queue(grpc_backend, dead_letter={"max_bytes": "64MiB"}))
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(1)))
        until(lambda: limit() == 64 << 20, lambda: f"{limit()}")
        reload(holdfast, self.queue(grpc_backend, dead_letter={"max_bytes": "32MiB"}))
        assert limit() == 32 << 20
        holdfast.restart()
        assert limit() == 32 << 20

    def test_the_limits_of_an_exporters_own_queue_count_at_once(self, start, away, reload):
        holdfast = start(self.queue(away, queue_size=3))
        assert len(self.fill(holdfast, 10)) == 3
        reload(holdfast, self.queue(away, queue_size=5))
        assert len(self.fill(holdfast, 10)) == 2


class TestHealth:
    def test_it_is_200_with_the_usual_body(self, start, grpc_backend):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        answer = requests.get(f"http://127.0.0.1:{holdfast.ports['HEALTH_PORT']}/", timeout=5)
        assert answer.headers["Content-Type"].startswith("application/json")
        body = answer.json()
        assert body["status"] == "Server available"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", body["upSince"])
        assert body["uptime"]

    def test_path_and_bodies_can_be_set(self, start, grpc_backend):
        base = {
            **BASE,
            "extensions": {
                "health_check": {
                    "endpoint": "127.0.0.1:${env:HEALTH_PORT}",
                    "path": "/up",
                    "response_body": {"healthy": "fine", "unhealthy": "bad"},
                }
            },
        }
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), base=base, ready=False).spawn()
        url = f"http://127.0.0.1:{holdfast.ports['HEALTH_PORT']}"
        until(lambda: _get(url + "/up") == (200, "fine"), lambda: f"{_get(url + '/up')}\n{holdfast.log()}")
        assert _get(url + "/")[0] == 404


def _get(url):
    try:
        answer = requests.get(url, timeout=5)
        return answer.status_code, answer.text
    except requests.RequestException:
        return None, ""


class TestMetrics:
    NAMES = [
        *(f"otelcol_receiver_accepted_{one.items}" for one in otlp.SIGNALS),
        *(f"otelcol_receiver_refused_{one.items}" for one in otlp.SIGNALS),
        *(f"otelcol_exporter_sent_{one.items}" for one in otlp.SIGNALS),
        *(f"otelcol_exporter_send_failed_{one.items}" for one in otlp.SIGNALS),
        *(f"otelcol_exporter_enqueue_failed_{one.items}" for one in otlp.SIGNALS),
        "otelcol_exporter_queue_size",
        "otelcol_exporter_queue_capacity",
        "otelcol_process_uptime",
        "otelcol_process_cpu_seconds",
        "otelcol_process_memory_rss",
    ]
    OWN = [
        "holdfast_queue_bytes",
        "holdfast_queue_segments",
        "holdfast_queue_commit_duration_seconds_bucket",
        "holdfast_queue_commit_records_bucket",
        "holdfast_queue_fsync_seconds",
        "holdfast_queue_damaged_records",
        "holdfast_queue_seconds_until_full",
        "holdfast_exporter_oldest_age_seconds",
        "holdfast_exporter_queued_items",
        "holdfast_exporter_dead_lettered_items",
        "holdfast_exporter_dropped_items",
        "holdfast_exporter_orphaned_items",
    ]

    def test_every_counter_is_there_from_the_start(self, start, grpc_backend):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        have = {name for name, _, _ in holdfast.metrics()}
        assert [name for name in self.NAMES + self.OWN if name not in have] == []

    def test_counts_are_exact_and_labelled(self, start, grpc_backend, grpc_sender):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        ids = otlp.new_ids(7)
        grpc_sender(holdfast).export(otlp.TRACES, otlp.request(otlp.TRACES, ids))
        senders.post(holdfast.http_base, otlp.METRICS, otlp.request(otlp.METRICS, ids))
        grpc_backend.wait_for(ids)
        assert holdfast.metric("otelcol_receiver_accepted_spans", receiver="otlp", transport="grpc") == 7
        assert (
            holdfast.metric("otelcol_receiver_accepted_metric_points", receiver="otlp", transport="http") == 7
        )
        holdfast.wait_metric("otelcol_exporter_sent_spans", 7, exporter="otlp")
        holdfast.wait_metric("otelcol_exporter_sent_metric_points", 7, exporter="otlp")
        assert holdfast.metric("otelcol_receiver_accepted_spans") == 7

    def test_the_page_is_well_formed(self, start, grpc_backend):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        typed = set()
        for line in holdfast.metrics_text().splitlines():
            if line.startswith("# TYPE "):
                name, kind = line.split()[2:]
                assert name not in typed, f"{name} is declared twice"
                assert kind in ("counter", "gauge", "histogram")
                typed.add(name)
            elif line and not line.startswith("#"):
                assert re.fullmatch(
                    r'[a-zA-Z_:][\w:]*(\{([a-zA-Z_]\w*="([^"\\\n]|\\.)*",?)*\})? [-+0-9.eEinfINFNa]+', line
                ), line
                name = re.match(r"[\w:]+", line).group(0)
                assert name in typed or re.sub("_(bucket|sum|count)$", "", name) in typed, line

    def test_suffixes_come_with_the_newer_reader(self, start, grpc_backend):
        base = {
            **BASE,
            "service": {
                "extensions": ["health_check"],
                "telemetry": {
                    "metrics": {
                        "readers": [
                            {
                                "pull": {
                                    "exporter": {
                                        "prometheus": {"host": "127.0.0.1", "port": "${env:METRICS_PORT}"}
                                    }
                                }
                            }
                        ]
                    }
                },
            },
        }
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), base=base)
        assert holdfast.metric("otelcol_receiver_accepted_spans_total") == 0

    def test_the_resource_of_the_telemetry_section_names_the_process(self, start, grpc_backend):
        configuration = config({"otlp": otlp_exporter(grpc_backend)})
        configuration["service"]["telemetry"] = {
            "resource": {"service.name": "fleet", "service.instance.id": None, "team.name": "red"}
        }
        holdfast = start(configuration)
        labels = next(labels for name, labels, _ in holdfast.metrics() if name == "otelcol_process_uptime")
        assert labels.pop("service_version")
        assert labels == {"service_name": "fleet", "team_name": "red"}

    def test_uptime_and_memory_are_plausible(self, start, grpc_backend):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        assert 0 <= holdfast.metric("otelcol_process_uptime") < 60
        assert 1 << 20 < holdfast.metric("otelcol_process_memory_rss") < 1 << 30
        heap = holdfast.metric("otelcol_process_runtime_heap_alloc_bytes")
        assert heap <= holdfast.metric("otelcol_process_runtime_total_sys_memory_bytes") < 1 << 30
        assert heap > 1 << 10 or b"__asan_init" in BINARY.read_bytes()  # whose allocator does not tell


class TestLogs:
    def test_json_lines_have_the_collectors_keys(self, start, grpc_backend):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        lines = [json.loads(line) for line in holdfast.log().splitlines()]
        assert lines
        assert all({"level", "ts", "msg"} <= set(line) for line in lines)

    def test_warnings_about_the_configuration_are_log_lines_too(self, start, grpc_backend):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}, extensions={"health_check/2": None}))
        lines = [json.loads(line) for line in holdfast.log().splitlines()]
        assert [one["name"] for one in lines if "not in service::extensions" in one["msg"]] == ["config"]

    def test_a_second_file_storage_is_told_to_have_no_effect(self, start, grpc_backend):
        configuration = config(
            {"otlp": otlp_exporter(grpc_backend)},
            extensions={"file_storage": {"directory": "a"}, "file_storage/b": {"directory": "b"}},
        )
        configuration["service"]["extensions"] = ["health_check", "file_storage", "file_storage/b"]
        lines = [json.loads(line) for line in start(configuration).log().splitlines()]
        told = [one["name"] for one in lines if "the first file_storage names" in one["msg"]]
        assert told == ["file_storage/b"]

    def test_the_level_is_kept(self, start, grpc_backend):
        base = {
            **BASE,
            "service": {
                **BASE["service"],
                "telemetry": {**BASE["service"]["telemetry"], "logs": {"level": "error", "encoding": "json"}},
            },
        }
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), base=base)
        assert '"level":"info"' not in holdfast.log()

    def test_output_paths_are_obeyed(self, start, grpc_backend, tmp_path):
        path = tmp_path / "holdfast.log"
        base = {
            **BASE,
            "service": {
                **BASE["service"],
                "telemetry": {**BASE["service"]["telemetry"], "logs": {"output_paths": [str(path)]}},
            },
        }
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), base=base)
        holdfast.terminate()
        assert "otlp" in path.read_text()


class TestStart:
    def test_a_port_that_is_taken_is_named(self, start, grpc_backend):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), ready=False)
        with socket.create_server(("127.0.0.1", holdfast.ports["GRPC_PORT"])):
            holdfast.spawn()
            assert holdfast.process.wait(60) == 1
        assert str(holdfast.ports["GRPC_PORT"]) in holdfast.log()

    def test_two_parts_of_a_configuration_do_not_share_a_port(self, start, grpc_backend):
        """Each would get some of the other's connections."""
        configuration = config({"otlp": otlp_exporter(grpc_backend)})
        configuration["service"]["telemetry"] = {"metrics": {"address": "127.0.0.1:${env:HTTP_PORT}"}}
        holdfast = start(configuration, ready=False).spawn()
        assert holdfast.process.wait(60) == 1
        assert "service::telemetry::metrics: cannot listen on" in holdfast.log()
        assert "another part of this configuration listens there" in holdfast.log()

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
    @pytest.mark.parametrize("tail", ["", "/a/b"])
    def test_a_directory_that_may_not_be_written_is_named_with_its_owner(
        self, start, grpc_backend, tmp_path, tail
    ):
        (tmp_path / "closed").mkdir(mode=0o755)
        os.chown(tmp_path / "closed", 65534, 65534)
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), ready=False)
        holdfast.prefix = ["setpriv", "--bounding-set=-dac_override"]
        holdfast.data_directory = f"{tmp_path}/closed{tail}"
        holdfast.spawn()
        assert holdfast.process.wait(60) == 1
        for words in (
            f"cannot write the data directory {tmp_path}/closed{tail} as uid 0",
            "Permission denied",
            f"{tmp_path}/closed has mode 0755, owner 65534:65534",
            "--data-dir",
        ):
            assert words in holdfast.log()

    def test_a_file_in_the_place_of_the_directory_is_told(self, start, grpc_backend, tmp_path):
        (tmp_path / "file").touch()
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), ready=False)
        holdfast.data_directory = tmp_path / "file"
        holdfast.spawn()
        assert holdfast.process.wait(60) == 1
        assert "Not a directory" in holdfast.log()
        assert "--data-dir" in holdfast.log()

    def test_closed_standard_streams_are_not_reused(self, start, grpc_backend, grpc_sender):
        """Else the log is written into the first file that is opened."""
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}), ready=False)
        holdfast.prefix = ["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-']
        holdfast.start()
        links = [os.readlink(f"/proc/{holdfast.process.pid}/fd/{fd}") for fd in range(3)]
        assert links == ["/dev/null"] * 3

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda one: one.name)
    def test_both_signals_stop_it_gracefully(self, start, grpc_backend, number):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        holdfast.process.send_signal(number)
        assert holdfast.process.wait(60) == 0

    def test_the_data_directory_is_private(self, start, grpc_backend, grpc_sender):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(1)))
        for path in [holdfast.data_directory, *holdfast.data_directory.rglob("*")]:
            assert path.stat().st_mode & 0o077 == 0, path


class TestHealthOfTheEnvironment:
    """An image sets HOLDFAST_HEALTH, so that the probes of a manifest are answered whatever the configuration says."""

    WITHOUT = {
        "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": "127.0.0.1:${env:GRPC_PORT}"}}}},
        "service": {"telemetry": {"metrics": {"address": "127.0.0.1:${env:METRICS_PORT}"}}},
    }

    def answer(self, port):
        return requests.get(f"http://127.0.0.1:{port}/", timeout=10).status_code

    def test_it_is_served_when_no_health_check_is_configured(self, start, grpc_backend):
        port = free_port()
        holdfast = start(
            config({"otlp": otlp_exporter(grpc_backend)}),
            base=self.WITHOUT,
            environment={"HOLDFAST_HEALTH": f"127.0.0.1:{port}"},
            ready=False,
        ).spawn()
        holdfast.wait_for_log("Everything is ready")
        assert self.answer(port) == 200

    @pytest.mark.parametrize("name", ["health_check", "health_check/mine"])
    def test_a_configured_one_counts(self, start, grpc_backend, name):
        port, own = free_port(), free_port()
        extensions = {name: {"endpoint": f"127.0.0.1:{own}"}}
        configuration = config({"otlp": otlp_exporter(grpc_backend)}, extensions=extensions)
        configuration["service"]["extensions"] = [name]
        holdfast = start(
            configuration,
            base=self.WITHOUT,
            environment={"HOLDFAST_HEALTH": f"127.0.0.1:{port}"},
            ready=False,
        ).spawn()
        holdfast.wait_for_log("Everything is ready")
        assert self.answer(own) == 200
        with pytest.raises(requests.ConnectionError):
            self.answer(port)

    def test_a_wrong_address_is_told_with_the_name_of_the_variable(self, start, grpc_backend):
        holdfast = start(
            config({"otlp": otlp_exporter(grpc_backend)}),
            base=self.WITHOUT,
            environment={"HOLDFAST_HEALTH": "here"},
            ready=False,
        ).spawn()
        holdfast.wait_for_log("HOLDFAST_HEALTH.*endpoint")
        assert holdfast.process.wait(60) == 1


def test_a_scraper_keeps_its_connection_over_a_reload(start, grpc_backend):
    def configuration(team):
        made = config({"otlp": otlp_exporter(grpc_backend)})
        made["service"]["telemetry"] = {**BASE["service"]["telemetry"], "resource": {"team": team}}
        return made

    holdfast = start(configuration("one"))
    connection = http.client.HTTPConnection(holdfast.host, holdfast.ports["METRICS_PORT"], timeout=20)

    def page():
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()

    assert 'team="one"' in page()
    socket_of_first = connection.sock
    assert socket_of_first is not None
    holdfast.write_config(configuration("two"))
    holdfast.reload()
    until(lambda: 'team="two"' in page(), "the resource is the one of before")
    assert connection.sock is socket_of_first


class TestWatch:
    """--watch: a changed configuration is loaded as at SIGHUP; an invalid one is kept out."""

    SUCCESSFUL = "holdfast_config_last_reload_successful"

    def start(self, start, backend):
        return start(config({"otlp": otlp_exporter(backend)}), arguments=["--watch"])

    def test_a_changed_file_is_loaded_and_an_invalid_one_kept_out(self, start, ending):
        first, second = ending.enter_context(GrpcBackend()), ending.enter_context(GrpcBackend())
        holdfast = self.start(start, first)
        assert holdfast.metric(self.SUCCESSFUL) == 1
        holdfast.write_config("exporters: {otlp: {endpont: here}}")
        holdfast.wait_for_log("the new configuration is invalid; keeping the current one")
        until(lambda: holdfast.metric(self.SUCCESSFUL) == 0, "the metric still says that all is well")
        ids = otlp.new_ids(1)
        senders.post(holdfast.http_base, otlp.TRACES, otlp.request(otlp.TRACES, ids))
        first.wait_for(ids)
        holdfast.write_config(config({"otlp": otlp_exporter(second)}))
        until(lambda: holdfast.metric(self.SUCCESSFUL) == 1, "the metric still says that it failed")
        ids = otlp.new_ids(1)
        senders.post(holdfast.http_base, otlp.TRACES, otlp.request(otlp.TRACES, ids))
        second.wait_for(ids)

    def test_a_config_map_is_swapped_by_a_symbolic_link(self, start, ending):
        """As the kubelet does: config.yaml leads to ..data/config.yaml, and ..data is renamed over."""
        first, second = ending.enter_context(GrpcBackend()), ending.enter_context(GrpcBackend())
        holdfast = start(config({"otlp": otlp_exporter(first)}), arguments=["--watch"], ready=False)
        folder = holdfast.directory
        for name, backend in (("one", first), ("two", second)):
            (folder / name).mkdir()
            (folder / name / "config.yaml").write_text(json.dumps(config({"otlp": otlp_exporter(backend)})))
        (folder / "..data").symlink_to("one")
        holdfast.config_path.unlink()
        holdfast.config_path.symlink_to("..data/config.yaml")
        holdfast.start()
        (folder / "..next").symlink_to("two")
        (folder / "..next").rename(folder / "..data")
        holdfast.wait_for_log("the new configuration runs")
        ids = otlp.new_ids(1)
        senders.post(holdfast.http_base, otlp.TRACES, otlp.request(otlp.TRACES, ids))
        second.wait_for(ids)


class TestCertificates:
    """holdfast_certificate_seconds_until_expiry, for each key of a component that names certificates."""

    NAME = "holdfast_certificate_seconds_until_expiry"
    DAY = 86400

    def of(self, holdfast, kind, component, key):
        return holdfast.metric(self.NAME, kind=kind, component=component, key=key)

    def test_servers_and_clients_and_a_reload(self, start, grpc_backend, tmp_path):
        authority = Authority(tmp_path / "authority")
        certificate, key = authority.issue("server", days=9)
        bundle = tmp_path / "bundle.pem"  # of authorities the last one counts
        bundle.write_bytes(certificate.read_bytes() + authority.certificate.read_bytes())
        server = {"grpc": {"tls": {"cert_file": str(certificate), "key_file": str(key)}}}
        receivers = {"otlp": {"protocols": server}}
        exporter = {"endpoint": "https://127.0.0.1:9", "tls": {"ca_file": str(bundle)}}
        configuration = config({"otlp": otlp_exporter(grpc_backend), "otlphttp": exporter}, receivers=receivers)
        holdfast = start(configuration)
        assert 8.9 * self.DAY < self.of(holdfast, "receiver", "otlp", "cert_file") <= 9 * self.DAY
        assert 8.9 * self.DAY < self.of(holdfast, "exporter", "otlphttp", "ca_file") <= 9 * self.DAY
        authority.issue("server", days=1)
        del configuration["exporters"]["otlphttp"]["tls"]
        holdfast.write_config(configuration)
        holdfast.reload()
        holdfast.wait_for_log("the new configuration runs")
        assert self.of(holdfast, "receiver", "otlp", "cert_file") <= self.DAY
        assert self.of(holdfast, "exporter", "otlphttp", "ca_file") == 1e9


class TestEphemeral:
    """A data directory that does not outlive the container: a stop delivers what it can."""

    def start(self, start, backend, value):
        return start(config({"otlp": otlp_exporter(backend)}), environment={"HOLDFAST_EPHEMERAL": value})

    def queue_one(self, holdfast):
        ids = otlp.new_ids(1)
        senders.post(holdfast.http_base, otlp.TRACES, otlp.request(otlp.TRACES, ids))
        return ids

    def test_a_stop_waits_for_the_backend_and_refuses_new_data(self, start, grpc_backend):
        grpc_backend.stop()
        holdfast = self.start(start, grpc_backend, "1")
        holdfast.wait_for_log("does not outlive the container")
        assert holdfast.metric("holdfast_data_directory_ephemeral") == 1
        ids = self.queue_one(holdfast)
        holdfast.process.send_signal(signal.SIGTERM)
        holdfast.wait_for_log("The stop waits up to 25 s")
        refused = senders.post(holdfast.http_base, otlp.TRACES, otlp.request(otlp.TRACES, otlp.new_ids(1)))
        assert refused.status_code == 503
        grpc_backend.start()
        assert holdfast.process.wait(60) == 0
        grpc_backend.wait_for(ids)
        assert "all that was queued is delivered" in holdfast.log()

    def test_a_second_signal_ends_the_wait(self, start, grpc_backend):
        grpc_backend.stop()
        holdfast = self.start(start, grpc_backend, "1")
        self.queue_one(holdfast)
        holdfast.process.send_signal(signal.SIGTERM)
        holdfast.wait_for_log("The stop waits up to 25 s")
        holdfast.process.send_signal(signal.SIGTERM)
        assert holdfast.process.wait(60) == 0
        assert "what is still queued stays in the data directory" in holdfast.log()

    def test_a_volume_keeps_it_and_the_stop_does_not_wait(self, start, grpc_backend):
        grpc_backend.stop()
        holdfast = self.start(start, grpc_backend, "0")
        assert holdfast.metric("holdfast_data_directory_ephemeral") == 0
        self.queue_one(holdfast)
        holdfast.terminate()
        assert "The stop waits" not in holdfast.log()
