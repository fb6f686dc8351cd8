"""The extension opamp: what a server of OpAMP is told, over a WebSocket and over HTTP, and what it may ask."""

import functools
import http
import platform
import socket
import ssl
import subprocess
import uuid

import psutil
import pytest
import requests
import yaml
from websockets.datastructures import Headers
from websockets.http11 import Response

from support import otlp, senders
from support.certificates import Authority
from support.holdfast import BINARY, config, otlp_exporter
from support.opamp import HttpServer, WebSocketServer, messages
from support.ports import free_port
from support.waiting import until

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # the digits of a ULID
STATUS, CONFIG, RESTART, HEALTH, COMPONENTS = 1, 4, 0x400, 0x800, 0x4000


@pytest.fixture(params=["ws", "http"])
def server(request, ending):
    """A server of either transport; what differs is tested by itself."""
    kinds = {"ws": WebSocketServer, "http": HttpServer}
    server = ending.enter_context(kinds[request.param]())
    server.kind = request.param
    return server


@pytest.fixture
def websocket(ending):
    return ending.enter_context(WebSocketServer())


def extended(configuration, server, more=None, telemetry=None, **settings):
    kind = server.kind if hasattr(server, "kind") else "ws"
    place = {"endpoint": server.url, **({"polling_interval": "200ms"} if kind == "http" else {}), **(more or {})}
    configuration["extensions"] = {"opamp": {"server": {kind: place}, **settings}}
    configuration["service"]["extensions"] = ["health_check", "opamp"]
    if telemetry:
        configuration["service"]["telemetry"] = telemetry
    return configuration


def to_nowhere():
    """An exporter whose backend is not there."""
    return {
        "otlp/gone": {
            "endpoint": f"127.0.0.1:{free_port()}",
            "tls": {"insecure": True},
            "headers": {"authorization": "a secret word"},
            "retry_on_failure": {"initial_interval": "50ms", "max_interval": "100ms"},
        }
    }


def texts(attributes):
    return {one.key: one.value.string_value for one in attributes}


def test_it_says_who_it_is_and_what_it_runs(start, server, http_backend):
    holdfast = start(
        extended(
            config(to_nowhere()),
            server,
            agent_description={"non_identifying_attributes": {"team": "blue", "os.type": "mine"}},
        )
    )
    report = server.wait_full()
    assert report.capabilities == STATUS | CONFIG | HEALTH | COMPONENTS
    assert report.sequence_num == 1
    identity = texts(report.agent_description.identifying_attributes)
    assert identity["service.name"] == "holdfast"
    assert identity["service.version"] == version()
    assert uuid.UUID(identity["service.instance.id"]).bytes == report.instance_uid
    more = texts(report.agent_description.non_identifying_attributes)
    assert more["team"] == "blue"
    assert more["os.type"] == "mine", "what is configured stands instead of what was found out"
    assert more["host.name"] == socket.gethostname()
    assert more["host.arch"] == {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
    assert more["os.description"]
    (name, file), *_ = report.effective_config.config_map.config_map.items()
    assert (name, file.content_type) == ("", "text/yaml")
    shown = yaml.safe_load(file.body)
    assert shown["exporters"]["otlp/gone"]["headers"]["authorization"] == "[REDACTED]"
    assert b"secret word" not in file.body
    assert shown["service"]["pipelines"]["traces"]["exporters"] == ["otlp/gone"]
    assert list(report.available_components.components) == [], "the hash alone, unless asked for more"
    assert len(report.available_components.hash) == 32
    assert holdfast.process.poll() is None


def version():
    return subprocess.run([BINARY, "version"], capture_output=True, text=True, check=True).stdout.split()[-1]


def test_health_is_told_with_every_component_when_it_changes(start, server):
    holdfast = start(extended(config(to_nowhere()), server))
    well = server.wait_for(lambda one: one.health.healthy, "no good health").health
    assert well.status == "StatusOK"
    assert well.start_time_unix_nano
    groups = well.component_health_map
    assert set(groups) == {"extensions", "pipeline:traces", "pipeline:metrics", "pipeline:logs"}
    assert set(groups["extensions"].component_health_map) == {"extension:health_check", "extension:opamp"}
    assert set(groups["pipeline:logs"].component_health_map) == {"receiver:otlp", "exporter:otlp/gone"}

    senders.post(holdfast.http_base, otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(1)))
    ill = server.wait_for(lambda one: one.HasField("health") and one.health.last_error, "no bad health").health
    assert not ill.healthy
    assert ill.status == "StatusRecoverableError"
    exporter = ill.component_health_map["pipeline:logs"].component_health_map["exporter:otlp/gone"]
    assert (exporter.healthy, exporter.status) == (False, "StatusRecoverableError")
    assert exporter.last_error
    assert ill.component_health_map["extensions"].healthy


def test_a_server_asks_for_everything_and_for_the_components(start, server):
    proto = messages()
    server.answers = [
        proto.ServerToAgent(),
        proto.ServerToAgent(flags=proto.ServerToAgentFlags_ReportFullState),
        proto.ServerToAgent(flags=proto.ServerToAgentFlags_ReportAvailableComponents),
    ]
    if server.kind == "ws":
        server.answers = server.answers[1:]
    start(extended(config(to_nowhere()), server))
    first = server.wait_full()
    again = server.wait_full(after=1)
    assert again.agent_description == first.agent_description
    assert again.effective_config == first.effective_config
    full = server.wait_for(lambda one: one.available_components.components, "no components")
    kinds = full.available_components.components
    assert set(kinds) == {"receivers", "processors", "exporters", "extensions", "connectors"}
    listed = yaml.safe_load(subprocess.run([BINARY, "components"], capture_output=True, check=True).stdout)
    for kind, details in kinds.items():
        names = {one["name"] if isinstance(one, dict) else one for one in listed[kind]}
        assert set(details.sub_component_map) == names, kind
    assert full.available_components.hash == first.available_components.hash
    numbers = [one.sequence_num for one in list(server.reports)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_uid_is_the_configured_one_until_the_server_names_another(start, server):
    proto = messages()
    other = uuid.uuid4()
    server.answers = [
        proto.ServerToAgent(agent_identification=proto.AgentIdentification(new_instance_uid=other.bytes)),
        proto.ServerToAgent(flags=proto.ServerToAgentFlags_ReportFullState),
    ]
    uid = "01BX5ZZKBKACTAV9WEVGEMMVRZ"
    expected = uuid.UUID(int=functools.reduce(lambda sum, one: 32 * sum + CROCKFORD.index(one), uid, 0))
    start(
        extended(
            config(to_nowhere()),
            server,
            instance_uid=uid,
            capabilities={"reports_effective_config": False, "reports_available_components": False},
            agent_description={"include_resource_attributes": True},
            telemetry={
                "metrics": {"address": "127.0.0.1:${env:METRICS_PORT}"},
                "resource": {"service.name": "edge", "deployment": "test", "service.version": "9"},
            },
        )
    )
    report = server.wait_full()
    assert uuid.UUID(bytes=report.instance_uid) == expected
    assert report.capabilities == STATUS | HEALTH
    assert not report.HasField("effective_config")
    assert not report.HasField("available_components")
    identity = texts(report.agent_description.identifying_attributes)
    assert (identity["service.name"], identity["service.version"]) == ("edge", "9")
    assert texts(report.agent_description.non_identifying_attributes)["deployment"] == "test"
    server.wait_for(lambda one: one.instance_uid == other.bytes, "the new uid is not used")
    if server.kind == "http":
        assert server.headers[0]["opamp-instance-uid"] == str(expected)


def test_a_restart_command_reloads_where_it_is_accepted(start, websocket):
    proto = messages()
    command = proto.ServerToAgent(command=proto.ServerToAgentCommand(type=proto.CommandType_Restart))
    configuration = extended(config(to_nowhere()), websocket, capabilities={"accepts_restart_command": True})
    holdfast = start(configuration)
    first = websocket.wait_full()
    assert first.capabilities & RESTART
    holdfast.write_config(extended(config({"nop": {}}), websocket, capabilities={"accepts_restart_command": False}))
    count = len(websocket.reports)
    websocket.send(command)
    second = websocket.wait_full(after=count)
    assert second.instance_uid == first.instance_uid, "a reload does not make another agent"
    assert "nop" in second.effective_config.config_map.config_map[""].body.decode()
    assert not second.capabilities & RESTART
    until(lambda: len(websocket.connections) == 1, "the old connection stays")
    assert not any(one.HasField("agent_disconnect") for one in websocket.reports)
    # Now it is not accepted; what follows is.
    websocket.send(command)
    websocket.send(proto.ServerToAgent(flags=proto.ServerToAgentFlags_ReportFullState))
    websocket.wait_full(after=len(websocket.reports))
    assert websocket.opened == 2


def test_a_configuration_of_the_server_is_not_applied(start, websocket):
    proto = messages()
    holdfast = start(extended(config(to_nowhere()), websocket))
    websocket.wait_full()
    offer = proto.ServerToAgent(flags=proto.ServerToAgentFlags_ReportFullState)
    offer.remote_config.config.config_map[""].body = b"receivers: {nop: }" + b"#" * 300000
    websocket.send(offer, fragments=7)
    report = websocket.wait_full(after=1)
    assert "otlp/gone" in report.effective_config.config_map.config_map[""].body.decode()
    assert holdfast.health() == 200


def test_the_last_message_says_that_it_leaves(start, server):
    holdfast = start(extended(config(to_nowhere()), server))
    server.wait_full()
    status, seconds = holdfast.terminate()
    assert status == 0
    assert seconds < 2
    server.wait_for(lambda one: one.HasField("agent_disconnect"), "no last message")
    if server.kind == "ws":
        until(lambda: server.closes, "the connection did not end")
        assert server.closes == [1000]


def test_a_lost_connection_is_made_again_and_everything_told(start, websocket):
    start(extended(config(to_nowhere()), websocket))
    websocket.wait_full()
    count = len(websocket.reports)
    websocket.cut()
    again = websocket.wait_full(after=count)
    assert again.sequence_num > 1
    assert again.HasField("health")


def test_a_server_that_comes_later_or_refuses_for_a_while(start, ending):
    port = free_port()
    holdfast = start(extended(config(to_nowhere()), type("Later", (), {"url": f"ws://127.0.0.1:{port}/v1/opamp"})))
    until(lambda: "trying again" in holdfast.log(), "no word of the server that is not there")
    refusals = [(503, {"Retry-After": "1"}), (401, {}), (302, {"Location": "ws://elsewhere.test/"})]
    told = list(refusals)

    def refuse(_connection, _request):
        if not refusals:
            return None
        code, headers = refusals.pop(0)
        return Response(code, http.HTTPStatus(code).phrase, Headers({"Content-Length": "0", **headers}), b"")

    server = ending.enter_context(WebSocketServer(port, refuse=refuse))
    server.wait_full()
    for code, _ in told:
        assert f"answered {code}" in holdfast.log()
    assert "ws://elsewhere.test/: write that as the endpoint" in holdfast.log()


def test_http_refusals_are_tried_again(start, ending):
    server = ending.enter_context(HttpServer())
    server.kind = "http"
    server.codes = [(503, {"Retry-After": "1"}), (500, {}), (429, {})]
    start(extended(config(to_nowhere()), server))
    assert server.wait_full().sequence_num == 4


def test_an_error_response_is_logged_and_the_pause_kept(start, server):
    proto = messages()
    error = proto.ServerErrorResponse(
        type=proto.ServerErrorResponseType_Unavailable,
        error_message="too many\nagents",
        retry_info=proto.RetryInfo(retry_after_nanoseconds=1_000_000_000),
    )
    server.answers = [proto.ServerToAgent(error_response=error)]
    holdfast = start(extended(config(to_nowhere()), server))
    server.wait_full(after=1)
    assert "too many" in holdfast.log()


def test_credentials_and_tls(start, ending, tmp_path):
    authority = Authority(tmp_path / "authority")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue("localhost"))
    server = ending.enter_context(WebSocketServer(context=context))
    configuration = extended(
        config(to_nowhere()),
        server,
        more={
            "headers": {"x-tenant": "blue"},
            "auth": "basicauth/client",
            "tls": {"ca_file": str(authority.certificate)},
        },
    )
    configuration["extensions"]["basicauth/client"] = {"client_auth": {"username": "a", "password": "b"}}
    configuration["service"]["extensions"].append("basicauth/client")
    start(configuration)
    server.wait_full()
    assert server.headers[0]["authorization"] == requests.auth._basic_auth_str("a", "b")
    assert server.headers[0]["x-tenant"] == "blue"
    assert server.headers[0]["user-agent"].startswith("Holdfast/")


def test_it_ends_when_its_parent_has_ended(start, websocket):
    parent = subprocess.Popen(["sleep", "600"])
    holdfast = start(
        extended(config(to_nowhere()), websocket, ppid=parent.pid, ppid_poll_interval="50ms"),
    )
    websocket.wait_full()
    assert holdfast.process.poll() is None
    parent.kill()
    parent.wait()
    until(lambda: holdfast.process.poll() is not None, "it did not end")
    assert holdfast.process.returncode == 0
    assert "orphaned" in holdfast.log()
    websocket.wait_for(lambda one: one.HasField("agent_disconnect"), "no last message")


def test_an_idle_connection_costs_nothing(start, websocket):
    holdfast = start(extended(config({"nop": {}}), websocket))
    websocket.wait_full()
    process = psutil.Process(holdfast.process.pid)
    before = sum(process.cpu_times()[:2])
    until(lambda: websocket.connections[0].latency, "no ping was answered")
    seen = set()
    until(lambda: seen.add(websocket.connections[0].latency) or len(seen) > 4, "pings are not answered")
    assert sum(process.cpu_times()[:2]) - before < 0.5


@pytest.mark.parametrize(
    "settings, words",
    [
        ({}, "must have at least ws or http"),
        ({"server": {"ws": {"endpoint": "ws://a"}, "http": {"endpoint": "http://a"}}}, "must have only ws or http"),
        ({"server": {"ws": {}}}, "endpoint must be provided"),
        ({"server": {"ws": {"endpoint": "http://a"}}}, "expected a URL such as wss://"),
        ({"server": {"http": {"endpoint": "ws://a"}}}, "expected a URL such as https://"),
        ({"server": {"ws": {"endpoint": "ws://a"}}, "instance_uid": "7"}, "instance_uid is invalid"),
        ({"server": {"http": {"endpoint": "http://a", "polling_interval": "-1s"}}}, "polling_interval"),
        ({"server": {"ws": {"endpoint": "ws://a", "auth": "nobody"}}}, "nobody"),
    ],
)
def test_wrong_settings_are_named(tmp_path, settings, words):
    path = tmp_path / "config.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "receivers": {"nop": None},
                "exporters": {"nop": None},
                "extensions": {"opamp": settings},
                "service": {
                    "extensions": ["opamp"],
                    "pipelines": {"logs": {"receivers": ["nop"], "exporters": ["nop"]}},
                },
            }
        )
    )
    result = subprocess.run([BINARY, "validate", "--config", path], capture_output=True, text=True)
    assert result.returncode == 1
    assert words in result.stderr + result.stdout
