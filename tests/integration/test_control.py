"""The control protocol: what the process says of itself, asked over its socket."""

import json
import re
import threading
import time

import grpc
import pytest

from support import otlp
from support.backends import GrpcBackend, hang, refuse
from support.certificates import Authority
from support.control import ask, connect, one, send, status
from support.holdfast import config, otlp_exporter
from support.waiting import until


@pytest.fixture
def away(ending):
    """A backend that is not there yet."""
    backend = ending.enter_context(GrpcBackend())
    backend.stop()
    return backend


def send_logs(sender, count):
    ids = otlp.new_ids(count)
    for item in ids:
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item]))
    return ids


def exporter(holdfast, identity="otlp"):
    return one(status(holdfast, "exporters")["exporters"], id=identity)


class TestStatus:
    def test_it_shows_the_process_and_its_map(self, start, grpc_backend, grpc_sender):
        processors = {"batch": {}, "attributes": {"actions": [{"key": "a", "value": 1, "action": "insert"}]}}
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}, processors=processors))
        grpc_backend.wait_for(send_logs(grpc_sender(holdfast), 3))
        until(lambda: exporter(holdfast)["queued"]["items"] == 0, "it stays queued")
        answer = status(holdfast)
        assert answer["protocol"] == 1
        assert abs(answer["time_seconds"] - time.time()) < 60
        process = answer["process"]
        assert process["pid"] == holdfast.process.pid
        assert process["data_directory"] == str(holdfast.data_directory)
        assert process["ready"] and process["why_not_ready"] is None
        assert not process["degraded"] and not process["draining"] and not process["ephemeral"]
        assert process["memory"]["resident_bytes"] > 1 << 20
        receiver = one(answer["components"], kind="receiver", id="otlp")
        assert receiver["file"] == str(holdfast.base_path)
        lines = holdfast.base_path.read_text().splitlines()
        assert lines[receiver["line"] - 1].strip().startswith("otlp:")
        assert receiver["pipelines"] == ["traces", "metrics", "logs"]
        assert receiver["flow"]["accepted"]["logs"] == 3
        grpc = one(receiver["counters"], name="otelcol_receiver_accepted_log_records", labels={"transport": "grpc"})
        assert grpc["value"] == 3
        assert one(answer["components"], kind="exporter", id="otlp")["flow"]["sent"]["logs"] == 3
        assert one(answer["components"], kind="processor", id="batch")["pipelines"] == receiver["pipelines"]
        assert one(answer["components"], kind="extension")["id"] == "health_check"
        pipeline = one(answer["pipelines"], id="logs")
        assert pipeline["from"] == [{"kind": "receiver", "id": "otlp"}]
        assert [processor["id"] for processor in pipeline["processors"]] == ["attributes", "batch"]
        assert pipeline["queue"] == "logs"
        assert pipeline["behind"] == [{"kind": "exporter", "id": "otlp"}]

    def test_it_shows_a_queue_with_its_segments_and_its_books(self, start, away, grpc_sender):
        holdfast = start(config({"otlp": otlp_exporter(away)}))
        send_logs(grpc_sender(holdfast), 5)
        queue = one(status(holdfast, "queues")["queues"], kind="queue", id="logs")
        assert queue["appended"]["records"] == 5 and queue["next_sequence"] == 5
        assert queue["disk_bytes"] <= queue["disk_bytes_max"] and queue["healthy"]
        assert sum(queue["commit_records"]["counts"]) == queue["commits"] > 0
        assert sum(queue["commit_seconds"]["counts"]) == queue["commits"]
        for histogram in (queue["commit_records"], queue["commit_seconds"]):
            assert len(histogram["counts"]) == len(histogram["bounds"]) + 1
        (segment,) = queue["segments"]
        assert (segment["first"], segment["end"], segment["writing"]) == (0, 5, True)
        (consumer,) = queue["consumers"]
        assert consumer["name"] == "otlp" and consumer["open"] and consumer["balanced"]
        assert consumer["position"] == 0 and consumer["queued"]["items"] == 5
        assert consumer["dropped"] == {}

    def test_an_outage_is_seen_while_it_lasts_and_afterwards(self, start, away, grpc_sender):
        holdfast = start(config({"otlp": otlp_exporter(away)}))
        ids = send_logs(grpc_sender(holdfast), 3)
        until(lambda: exporter(holdfast)["attempts_failed"] >= 2, lambda: exporter(holdfast))
        seen = until(
            lambda: (look := exporter(holdfast))["state"] == "retrying" and look, lambda: exporter(holdfast)
        )
        assert seen["next_attempt_seconds"] >= seen["last_error"]["time_seconds"]
        assert seen["last_error"]["message"]
        assert [outage["to_seconds"] for outage in seen["outages"]] == [None]
        assert seen["queued"]["items"] == 3
        holdfast.reload()
        until(lambda: status(holdfast, "reloads")["reloads"][-1]["result"] == "taken", "no reload")
        assert len(exporter(holdfast)["outages"]) == 1, "a reload forgot it"
        away.start()
        away.wait_for(ids)
        until(lambda: exporter(holdfast)["outages"][-1]["to_seconds"], lambda: exporter(holdfast))
        until(lambda: exporter(holdfast)["state"] == "working", lambda: exporter(holdfast))
        seen = exporter(holdfast)
        (outage,) = seen["outages"]
        assert outage["from_seconds"] < outage["to_seconds"]
        assert seen["next_attempt_seconds"] is None and seen["attempts_failed"] == 0

    def test_dead_letters_are_counted_with_the_words_of_the_backend(self, start, grpc_backend, grpc_sender):
        grpc_backend.always = refuse(grpc.StatusCode.INVALID_ARGUMENT, "no such tenant")
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        send_logs(grpc_sender(holdfast), 2)
        until(lambda: exporter(holdfast)["dead_letters"]["items"] == 2, lambda: exporter(holdfast))
        seen = exporter(holdfast)
        assert "no such tenant" in seen["last_refusal"]["message"]
        assert seen["last_error"] is None and seen["outages"] == []
        assert one(status(holdfast, "queues")["queues"], kind="deadletter", id="otlp")["appended"]["items"] == 2

    def test_a_reload_that_is_seen_as_taken_has_its_exporters(self, start, grpc_backend):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        for known in range(2, 12):
            holdfast.reload()
            seen = until(
                lambda known=known: len((look := status(holdfast))["reloads"]) == known and look, "no reload"
            )
            assert seen["reloads"][-1]["result"] == "taken" and one(seen["exporters"], id="otlp")

    def test_a_reload_hides_nothing_while_it_takes_over(self, start, grpc_backend, grpc_sender):
        """An export in flight holds the take-over up: until it is over, what runs is shown."""
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        before = status(holdfast)
        grpc_backend.always = hang()
        send_logs(grpc_sender(holdfast), 1)
        until(lambda: exporter(holdfast)["in_flight"] == 1, "nothing is in flight")
        holdfast.reload()
        holdfast.wait_for_log("Config updated")
        looks = [status(holdfast)]
        while len(looks[-1]["reloads"]) == 1:
            looks.append(status(holdfast))
        for look in looks:
            for section in ("components", "pipelines", "exporters"):
                assert [one["id"] for one in look[section]] == [one["id"] for one in before[section]], section
            assert look["process"]["ready"]

    def test_reloads_are_kept_with_what_changed_and_why_not(self, start, grpc_backend):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        holdfast.write_config(config({"otlp": otlp_exporter(grpc_backend, timeout="7s")}))
        holdfast.reload()
        until(lambda: len(status(holdfast, "reloads")["reloads"]) == 2, "no second entry")
        holdfast.write_config(config({"otlp": otlp_exporter(grpc_backend, tiemout="7s")}))
        holdfast.reload()
        reloads = until(
            lambda: len(found := status(holdfast, "reloads")["reloads"]) == 3 and found, "no third entry"
        )
        assert [reload["result"] for reload in reloads] == ["started", "taken", "invalid"]
        assert "~ exporters::otlp: timeout" in reloads[1]["changes"]
        assert "tiemout" in reloads[2]["error"]
        assert reloads[0]["time_seconds"] <= reloads[1]["time_seconds"] <= reloads[2]["time_seconds"]

    def test_certificates_have_an_expiry(self, start, grpc_backend, tmp_path):
        authority = Authority(tmp_path / "ca")
        certificate, _ = authority.issue("collector")
        tls = {"ca_file": str(authority.certificate)}
        more = {"otlphttp": {"endpoint": "https://127.0.0.1:1", "tls": tls}}
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend), **more}))
        found = one(status(holdfast, "certificates")["certificates"], key="ca_file")
        assert (found["kind"], found["id"], found["path"]) == ("exporter", "otlphttp", str(authority.certificate))
        assert found["valid_from_seconds"] <= time.time() < found["expires_seconds"]
        assert "test authority" in found["subject"]

    def test_it_shows_what_stands_behind_a_queued_processor(self, start, grpc_backend):
        processors = {"groupbytrace": {"wait_duration": "10ms"}}
        holdfast = start(
            config(
                {"otlp": otlp_exporter(grpc_backend)},
                processors=processors,
                service={
                    "pipelines": {
                        "traces": {"receivers": ["otlp"], "processors": ["groupbytrace"], "exporters": ["otlp"]}
                    }
                },
            )
        )
        # The socket is there before the graph runs; its pipelines are shown when all of it does.
        until(lambda: status(holdfast, "pipelines")["pipelines"], "no pipelines")
        pipelines = status(holdfast, "pipelines")["pipelines"]
        front, behind = one(pipelines, id="traces"), one(pipelines, id="traces>groupbytrace")
        assert front["behind"] == behind["from"] == [{"kind": "processor", "id": "groupbytrace"}]
        assert behind["behind"] == [{"kind": "exporter", "id": "otlp"}]

    def test_only_the_sections_that_are_asked_for_and_only_known_ones(self, start, grpc_backend):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        assert set(status(holdfast, "process", "reloads")) == {
            "protocol", "time_seconds", "monotonic_seconds", "process", "reloads",
        }
        code, text = ask(holdfast.data_directory, "status", "nonsense")
        assert code == 2 and "nonsense" in text
        code, text = ask(holdfast.data_directory, "nonsense")
        assert code == 2 and text.startswith("error: ")

    def test_reloads_and_questions_at_the_same_time(self, start, grpc_backend):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        done = threading.Event()

        def reload_again_and_again():
            for count in range(2, 8):
                holdfast.reload()
                until(
                    lambda wanted=count: len(status(holdfast, "reloads")["reloads"]) >= wanted, "no reload"
                )
            done.set()

        thread = threading.Thread(target=reload_again_and_again)
        thread.start()
        while not done.is_set():
            answer = status(holdfast)
            assert answer["protocol"] == 1
            assert answer["components"] or not answer["process"]["ready"]
        thread.join()


class TestConfig:
    def test_secrets_are_redacted(self, start, grpc_backend):
        more = {"headers": {"authorization": "Bearer hunter2"}}
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend, **more)}))
        code, text = ask(holdfast.data_directory, "config")
        assert code == 0 and "hunter2" not in text
        assert json.loads(text)["exporters"]["otlp"]["endpoint"] == grpc_backend.endpoint


class TestLog:
    def lines(self, holdfast, *words):
        code, text = ask(holdfast.data_directory, "log", *words)
        assert code == 0, text
        return json.loads(text)

    def test_it_gives_what_was_logged_since(self, start, away, grpc_sender):
        holdfast = start(config({"otlp": otlp_exporter(away)}))
        before = self.lines(holdfast)
        assert before["protocol"] == 1 and before["missed"] == 0
        assert any("Everything is ready" in line["message"] for line in before["lines"])
        send_logs(grpc_sender(holdfast), 1)
        since = ["--since", before["last"], "--component", "otlp", "--level", "warn"]
        line = until(lambda: self.lines(holdfast, *since)["lines"], "nothing was logged")[0]
        assert line["sequence"] > before["last"] and line["component"] == "otlp" and line["level"] == "warn"
        assert "Exporting failed" in line["message"] and line["fields"]["interval"]
        assert re.search(r"Exporting failed", holdfast.log())

    def test_the_newest_are_what_a_limit_leaves(self, start, grpc_backend):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        answer = self.lines(holdfast, "--limit", 2)
        assert [line["sequence"] for line in answer["lines"]] == [answer["last"] - 1, answer["last"]]
        code, text = ask(holdfast.data_directory, "log", "--level", "loud")
        assert code == 2 and "--level" in text


def test_a_client_that_does_not_read_does_not_hold_up_a_reload(start, grpc_backend):
    holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
    with connect(holdfast.data_directory) as client:
        send(client, "status")
        holdfast.reload()
        holdfast.wait_for_log("the new configuration runs")
