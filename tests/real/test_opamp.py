"""The supervisor runs Holdfast as it runs the collector: it starts it to learn who it is, gives it the configuration
that a server offers, passes on what it reports, and ends it. `./dev test --real opamp` runs it."""

import os
import subprocess

import pytest
import yaml

from support import otlp, senders
from support.backends import HttpBackend
from support.holdfast import BINARY
from support.opamp import WebSocketServer, messages
from support.ports import free_port
from support.waiting import until

ALL = (
    "accepts_remote_config",
    "reports_remote_config",
    "reports_effective_config",
    "reports_health",
    "reports_available_components",
)


class Supervised:
    def __init__(self, directory, server):
        self.directory = directory
        self.log_path = directory / "log"
        settings = {
            "server": {"endpoint": server.url, "tls": {"insecure": True}},
            "capabilities": dict.fromkeys(ALL, True),
            "agent": {
                "executable": str(BINARY),
                "env": {"HOLDFAST_DATA_DIR": str(directory / "data"), "HOLDFAST_EPHEMERAL": "0"},
                "validate_config": True,
            },
            "storage": {"directory": str(directory / "storage")},
            "telemetry": {"logs": {"level": "debug"}},
        }
        (directory / "supervisor.yaml").write_text(yaml.safe_dump(settings))

    def __enter__(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [os.environ["OPAMP_SUPERVISOR"], "--config", self.directory / "supervisor.yaml"],
                stdout=log,
                stderr=log,
                cwd=self.directory,
            )
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def log(self):
        agent = self.directory / "storage" / "agent.log"
        return self.log_path.read_text() + (agent.read_text() if agent.exists() else "")


@pytest.fixture
def server(ending):
    return ending.enter_context(WebSocketServer())


@pytest.fixture
def supervised(tmp_path, server, ending):
    return ending.enter_context(Supervised(tmp_path, server))


def offer(server, configuration, digest):
    answer = messages().ServerToAgent()
    answer.remote_config.config.config_map[""].body = yaml.safe_dump(configuration).encode()
    answer.remote_config.config.config_map[""].content_type = "text/yaml"
    answer.remote_config.config_hash = digest
    server.send(answer)


def test_a_configuration_of_the_server_is_run_and_reported(supervised, server, ending):
    backend = ending.enter_context(HttpBackend())
    port = free_port()
    first = server.wait_full()
    names = {one.key: one.value.string_value for one in first.agent_description.identifying_attributes}
    assert names["service.name"] == "holdfast"
    offer(
        server,
        {
            "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
            "exporters": {"otlphttp": {"endpoint": backend.endpoint, "compression": "none"}},
            "service": {"pipelines": {"logs": {"receivers": ["otlp"], "exporters": ["otlphttp"]}}},
        },
        b"one",
    )
    report = server.wait_for(
        lambda one: b"otlphttp" in one.effective_config.config_map.config_map[""].body,
        lambda: f"the configuration is not in effect: {supervised.log()[-3000:]}",
    )
    assert report.instance_uid == first.instance_uid
    ids = otlp.new_ids(3)
    until(lambda: sends(port, ids), lambda: f"the agent takes nothing: {supervised.log()[-3000:]}")
    backend.wait_for(ids)
    healthy = server.wait_for(
        lambda one: "pipeline:logs" in one.health.component_health_map, "no health of the new pipeline"
    )
    assert "exporter:otlphttp" in healthy.health.component_health_map["pipeline:logs"].component_health_map
    proto = messages()
    server.send(proto.ServerToAgent(flags=proto.ServerToAgentFlags_ReportAvailableComponents))
    full = server.wait_for(lambda one: one.available_components.components, "no components")
    assert "otlphttp" in full.available_components.components["exporters"].sub_component_map


def sends(port, ids):
    try:
        return senders.post(f"http://127.0.0.1:{port}", otlp.LOGS, otlp.request(otlp.LOGS, ids)).status_code == 200
    except OSError:
        return False


def test_the_agent_ends_with_its_supervisor(supervised, server):
    """Also when that is killed: the extension looks for its parent."""
    server.wait_full()
    server.wait_for(lambda one: one.health.healthy, lambda: f"no health: {supervised.log()[-3000:]}")
    child = subprocess.run(
        ["pgrep", "-P", str(supervised.process.pid)], capture_output=True, text=True, check=True
    ).stdout.split()
    assert len(child) == 1
    supervised.process.kill()
    supervised.process.wait()
    until(lambda: not os.path.exists(f"/proc/{child[0]}"), "the agent stays without its supervisor", 30)
    assert "collector was orphaned" in supervised.log()
