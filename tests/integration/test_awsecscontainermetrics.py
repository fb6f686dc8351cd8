"""awsecscontainermetrics against a small task metadata endpoint of ECS."""

import contextlib
import http.server
import json
import threading

import pytest

from support.holdfast import otlp_exporter
from support.hostmetrics import series
from support.waiting import until

TASK = {
    "Cluster": "shop",
    "TaskARN": "arn:aws:ecs:eu-west-1:123456789012:task/shop/abc",
    "Family": "web",
    "Revision": "7",
    "Containers": [
        {"DockerId": "c1", "Name": "app", "Image": "team/app:1", "KnownStatus": "RUNNING", "Limits": {"CPU": 256, "Memory": 64}}
    ],
    "Limits": {"CPU": 0.5, "Memory": 512},
}
STATS = {
    "c1": {
        "id": "c1",
        "read": "2026-01-01T00:00:10Z",
        "preread": "2026-01-01T00:00:00Z",
        "memory_stats": {"usage": 10 << 20, "stats": {"cache": 1 << 20}},
        "cpu_stats": {"cpu_usage": {"total_usage": 7 * 10**9, "percpu_usage": [1, 2]}, "online_cpus": 2},
        "precpu_stats": {"cpu_usage": {"total_usage": 2 * 10**9}},
    }
}


class Endpoint:
    """`answers`: {path: what it answers}; a number is the code of a refusal, a text is no JSON."""

    def __init__(self):
        self.answers = {"/v4/x/task": TASK, "/v4/x/task/stats": STATS}

    def __enter__(self):
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                answer = endpoint.answers.get(self.path, 404)
                body = answer if isinstance(answer, str) else json.dumps(answer)
                with contextlib.suppress(OSError):
                    self.send_response(answer if isinstance(answer, int) else 200)
                    self.end_headers()
                    self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v4/x"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def endpoint(ending):
    return ending.enter_context(Endpoint())


@pytest.fixture
def begin(start, grpc_backend, endpoint):
    receiver = {"collection_interval": "200ms", "initial_delay": "10ms"}
    pipeline = {"receivers": ["awsecscontainermetrics"], "exporters": ["otlp"]}
    configuration = {
        "receivers": {"awsecscontainermetrics": receiver},
        "exporters": {"otlp": otlp_exporter(grpc_backend)},
        "service": {"pipelines": {"metrics": pipeline}},
    }
    return lambda: start(configuration, environment={"ECS_CONTAINER_METADATA_URI_V4": endpoint.url})


def last(backend):
    """{(metric, name of the container): value} of the last request."""
    found = {}
    if backend.requests:
        for (name, resource, _), (*_, value) in series(backend.requests[-1].message).items():
            found[(name, dict(resource).get("container.name"))] = value
    return found


def test_a_task_and_its_containers(begin, grpc_backend):
    begin()
    wanted = {
        ("container.memory.usage", "app"): 10 << 20,
        ("container.memory.utilized", "app"): 9,
        ("container.cpu.usage.vcpu", "app"): 0.5,
        ("ecs.task.cpu.utilized", None): 512,
        ("ecs.task.memory.reserved", None): 512,
    }
    until(lambda: wanted.items() <= last(grpc_backend).items(), lambda: last(grpc_backend))
    (container, task) = grpc_backend.requests[-1].message.resource_metrics
    attributes = {one.key: one.value.string_value for one in container.resource.attributes}
    assert attributes["container.image.name"] == "team/app"
    assert attributes["aws.ecs.task.id"] == "abc"
    assert "container.name" not in {one.key for one in task.resource.attributes}


@pytest.mark.parametrize("path", ["/v4/x/task", "/v4/x/task/stats"])
@pytest.mark.parametrize(
    ("answer", "why"), [(503, "the answer is 503"), ("{", ""), ([], "the answer is no map")], ids=str
)
def test_what_cannot_be_read_is_told_and_asked_again(begin, grpc_backend, endpoint, path, answer, why):
    good = endpoint.answers[path]
    endpoint.answers[path] = answer
    holdfast = begin()
    until(lambda: f"asking {endpoint.url}{path[5:]} failed: {why}" in holdfast.log(), holdfast.log)
    assert grpc_backend.requests == []
    endpoint.answers[path] = good
    until(lambda: ("ecs.task.memory.usage", None) in last(grpc_backend), holdfast.log)


def test_outside_of_a_task_it_does_not_start(start, grpc_backend):
    holdfast = start(
        {
            "receivers": {"awsecscontainermetrics": None},
            "exporters": {"otlp": otlp_exporter(grpc_backend)},
            "service": {"pipelines": {"metrics": {"receivers": ["awsecscontainermetrics"], "exporters": ["otlp"]}}},
        },
        ready=False,
    )
    with pytest.raises(AssertionError):
        holdfast.start()
    assert "ECS_CONTAINER_METADATA_URI_V4 has no URL" in holdfast.log()
