"""The second version of the health check: its pages, gRPC's health service, and which errors count."""

import json
import threading
import urllib.error
import urllib.request

import grpc
import pytest
import requests
from grpc import StatusCode

from support import backends, otlp, senders
from support.holdfast import BASE, config, otlp_exporter, otlphttp_exporter, run
from support.ports import free_port
from support.waiting import until

SERVING, NOT_SERVING, SERVICE_UNKNOWN = 1, 2, 3


class Health:
    """Asks a running extension."""

    def __init__(self, http_port, grpc_port):
        self.base = f"http://127.0.0.1:{http_port}"
        self.channel = grpc.insecure_channel(f"127.0.0.1:{grpc_port}")

    def get(self, path="/status"):
        try:
            with urllib.request.urlopen(self.base + path, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def status(self, query=""):
        code, text = self.get("/status" + query)
        return code, json.loads(text)

    def check(self, service="", **options):
        """The number of the state, or the gRPC code of the refusal."""
        call = self.channel.unary_unary("/grpc.health.v1.Health/Check")
        try:
            answer = call(message(service), timeout=5, **options)
        except grpc.RpcError as error:
            return error.code()
        return answer[1] if answer else 0

    def watch(self, service=""):
        """A running Watch, whose numbers are appended to its list `seen`; it ends with the channel."""
        stream = self.channel.unary_stream("/grpc.health.v1.Health/Watch")(message(service))
        stream.seen = []

        def read():
            try:
                for answer in stream:
                    stream.seen.append(answer[1])
            except grpc.RpcError:
                pass

        threading.Thread(target=read, daemon=True).start()
        return stream


def send(holdfast):
    """One trace."""
    ids = otlp.new_ids(1)
    assert senders.post(holdfast.http_base, otlp.TRACES, otlp.request(otlp.TRACES, ids)).status_code == 200


def message(service):
    return b"\x0a" + bytes([len(service)]) + service.encode() if service else b""


@pytest.fixture
def health(start, ending):
    """health(exporters, ...) -> (a running Holdfast, its Health)."""

    def make(exporters, kind="healthcheckv2", component_health=None, more=None, **options):
        http_port, grpc_port = free_port(), free_port()
        extension = {
            "use_v2": True,
            "http": {"endpoint": f"127.0.0.1:{http_port}", "config": {"enabled": True}},
            "grpc": {"endpoint": f"127.0.0.1:{grpc_port}"},
            **({"component_health": component_health} if component_health is not None else {}),
        }
        for key, value in (more or {}).items():
            extension[key] = {**extension[key], **value}
        configuration = config(exporters)
        name = kind + "/2"
        configuration["extensions"] = {name: extension, **options.pop("extensions", {})}
        names = [*BASE["service"]["extensions"], *configuration["extensions"]]
        configuration["service"]["extensions"] = names
        instance = start(configuration, **options)
        asked = Health(http_port, grpc_port)
        ending.callback(asked.channel.close)
        return instance, asked

    return make


class TestPages:
    @pytest.mark.parametrize("kind", ["healthcheckv2", "health_check"])
    def test_show_the_whole_a_pipeline_and_each_component(self, health, kind):
        _, asked = health({"nop": None}, kind=kind)
        code, status = asked.status()
        assert (code, status["status"], status["healthy"]) == (200, "StatusOK", True)
        assert set(status) == {"start_time", "healthy", "status", "status_time"}
        _, status = asked.status("?verbose")
        assert set(status["components"]) == {"extensions", "pipeline:traces", "pipeline:metrics", "pipeline:logs"}
        traces = status["components"]["pipeline:traces"]
        assert set(traces["components"]) == {"receiver:otlp", "exporter:nop"}
        assert asked.status("?pipeline=traces&verbose")[1]["components"] == traces["components"]
        _, extensions = asked.status("?pipeline=extensions&verbose=true")
        assert f"extension:{kind}/2" in extensions["components"]
        assert "components" not in asked.status("?verbose=false")[1]
        assert asked.get("/status?pipeline=none")[0] == 404
        assert asked.get("/")[0] == 404

    def test_show_the_configuration_without_its_secrets(self, health):
        exporters = {"otlphttp": {"endpoint": "http://127.0.0.1:1", "headers": {"api-key": "very-secret"}}}
        _, asked = health(exporters)
        code, text = asked.get("/config")
        assert code == 200
        assert json.loads(text)["exporters"]["otlphttp"]["endpoint"] == "http://127.0.0.1:1"
        assert "very-secret" not in text

    def test_are_elsewhere_or_off_when_told_so(self, health):
        more = {"http": {"status": {"path": "/s", "include_attributes": True}, "config": {"enabled": False}}}
        _, asked = health({"nop": None}, more=more)
        code, text = asked.get("/s")
        assert code == 200 and json.loads(text)["attributes"] == {}
        assert asked.get("/status")[0] == 404
        assert asked.get("/config")[0] == 404

    def test_need_credentials_when_told_so(self, health):
        more = {"http": {"auth": {"authenticator": "bearertokenauth"}}, "grpc": {"auth": {"authenticator": "bearertokenauth"}}}
        _, asked = health({"nop": None}, more=more, extensions={"bearertokenauth": {"token": "t0"}})
        assert asked.get()[0] == 401
        answer = requests.get(asked.base + "/status", headers={"Authorization": "Bearer t0"}, timeout=5)
        assert answer.status_code == 200
        assert asked.check() == StatusCode.UNAUTHENTICATED
        assert asked.check(metadata=(("authorization", "Bearer t0"),)) == SERVING


class TestErrors:
    def test_show_and_count_only_when_included(self, health, http_backend):
        http_backend.always = backends.status(503, body=b"not now")
        holdfast, asked = health({"otlphttp": otlphttp_exporter(http_backend)}, component_health={})
        send(holdfast)
        until(lambda: asked.status()[1]["status"] == "StatusRecoverableError", "the error is not seen")
        code, status = asked.status("?verbose")
        exporter = status["components"]["pipeline:traces"]["components"]["exporter:otlphttp"]
        assert code == 200 and exporter["healthy"] and exporter["error"] == "not now"
        assert status["components"]["pipeline:logs"]["status"] in ("StatusOK", "StatusRecoverableError")
        assert asked.check("traces") == SERVING
        http_backend.always = backends.ok()
        until(lambda: asked.status()[1]["status"] == "StatusOK", "the error does not end")

    def test_turn_it_unhealthy_when_included(self, health, grpc_backend):
        grpc_backend.always = backends.refuse(StatusCode.UNAVAILABLE)
        rule = {"include_recoverable_errors": True}
        holdfast, asked = health({"otlp": otlp_exporter(grpc_backend)}, component_health=rule)
        watch = asked.watch()
        until(lambda: watch.seen == [SERVING], "no first state")
        send(holdfast)
        until(lambda: asked.status()[0] == 500, "the error is not counted")
        assert asked.check() == NOT_SERVING
        assert asked.check("extensions") == SERVING
        until(lambda: watch.seen == [SERVING, NOT_SERVING], lambda: f"seen: {watch.seen}")
        grpc_backend.always = backends.ok()
        until(lambda: watch.seen == [SERVING, NOT_SERVING, SERVING], lambda: f"seen: {watch.seen}")
        assert asked.status()[0] == 200

    def test_of_a_person_count_by_their_own_key(self, health, grpc_backend):
        grpc_backend.always = backends.refuse(StatusCode.PERMISSION_DENIED, "no such key")
        rule = {"include_permanent_errors": True}
        holdfast, asked = health({"otlp": otlp_exporter(grpc_backend)}, component_health=rule)
        send(holdfast)
        until(lambda: asked.status()[0] == 500, "the error is not counted")
        status = asked.status()[1]
        assert status["status"] == "StatusPermanentError" and "no such key" in status["error"]

    def test_may_last_as_long_as_is_said(self, health, grpc_backend):
        grpc_backend.always = backends.refuse(StatusCode.UNAVAILABLE)
        rule = {"include_recoverable_errors": True, "recovery_duration": "1h"}
        holdfast, asked = health({"otlp": otlp_exporter(grpc_backend)}, component_health=rule)
        send(holdfast)
        until(lambda: asked.status()[1]["status"] == "StatusRecoverableError", "the error is not seen")
        assert asked.status()[0] == 200 and asked.check() == SERVING

    def test_of_the_intake_are_503_whatever_counts(self, health, grpc_backend):
        grpc_backend.always = backends.refuse(StatusCode.UNAVAILABLE)
        holdfast, asked = health({"otlp": otlp_exporter(grpc_backend)})
        send(holdfast)
        drain = holdfast.begin("drain", "--data-dir", holdfast.data_directory)
        until(lambda: asked.status()[0] == 503, "the drain is not seen")
        _, status = asked.status("?verbose")
        receiver = status["components"]["pipeline:traces"]["components"]["receiver:otlp"]
        assert (status["healthy"], receiver["error"]) == (False, "draining")
        assert asked.check() == NOT_SERVING
        grpc_backend.always = backends.ok()
        drain.wait(20)


class TestWatch:
    def test_knows_what_it_does_not_know(self, health):
        _, asked = health({"nop": None})
        assert asked.check("none") == StatusCode.NOT_FOUND
        watch = asked.watch("none")
        until(lambda: watch.seen == [SERVICE_UNKNOWN], "no answer for an unknown service")

    def test_does_not_hold_up_a_stop(self, health):
        holdfast, asked = health({"nop": None})
        watches = [asked.watch() for _ in range(3)]
        until(lambda: all(watch.seen == [SERVING] for watch in watches), "no first state")
        status, _ = holdfast.terminate()
        assert status == 0
        until(lambda: all(not watch.is_active() for watch in watches), "a watch goes on without its server")

    def test_goes_on_at_the_new_server_after_a_reload(self, health):
        holdfast, asked = health({"nop": None})
        assert asked.check() == SERVING
        holdfast.reload()
        holdfast.wait_for_log("the new configuration runs")
        until(lambda: asked.check() == SERVING and asked.status()[0] == 200, "no answer after a reload")


@pytest.mark.parametrize(
    ("extension", "words"),
    [
        ({"use_v2": True}, "must specify at least one protocol"),
        ({"use_v2": True, "http": {"status": {"path": "s"}}}, "path must start with /"),
        ({"grpc": {}}, "need use_v2"),
        ({"use_v2": True, "http": {"statuz": {}}}, "did you mean"),
    ],
)
def test_says_what_is_wrong(tmp_path, extension, words):
    path = tmp_path / "config.yaml"
    path.write_text(
        json.dumps(
            {
                "receivers": {"nop": None},
                "exporters": {"nop": None},
                "extensions": {"healthcheckv2": extension},
                "service": {
                    "extensions": ["healthcheckv2"],
                    "pipelines": {"traces": {"receivers": ["nop"], "exporters": ["nop"]}},
                },
            }
        )
    )
    done = run("validate", "--config", path)
    assert done.returncode != 0 and words in done.stdout + done.stderr
