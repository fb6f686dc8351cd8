"""--config with an http: or https: URL: fetched at the start and at each reload."""

import http.server
import threading

import pytest
import yaml

from support import otlp, senders
from support.backends import GrpcBackend
from support.holdfast import config, otlp_exporter, run
from support.ports import free_port

SMALL = {
    "receivers": {"otlp": {"protocols": {"grpc": None}}},
    "exporters": {"debug": None},
    "service": {"pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["debug"]}}},
}


class Files:
    """A web server: {path: (code, text)}; `asked` are the paths, with their Authorization."""

    def __init__(self):
        self.pages, self.asked = {}, []
        files = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                files.asked.append((self.path, self.headers["Authorization"]))
                code, text = files.pages.get(self.path, (404, "no such page"))
                self.send_response(code)
                if code == 302:
                    self.send_header("Location", text)
                    text = ""
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

        self.port = free_port()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def files(ending):
    return ending.enter_context(Files())


def test_it_is_one_source_among_others(files, tmp_path):
    files.pages["/base.yaml?token=secret"] = (200, yaml.safe_dump(SMALL))
    url = files.url.replace("//", "//user:password@") + "/base.yaml?token=secret"
    done = run("print-config", "--config", url, "--config", "yaml:exporters::debug::verbosity: detailed", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = yaml.safe_load(done.stdout)
    assert found["exporters"] == {"debug": {"verbosity": "detailed"}}
    assert found["receivers"] == SMALL["receivers"]
    assert files.asked == [("/base.yaml?token=secret", "Basic dXNlcjpwYXNzd29yZA==")]


def test_a_redirect_is_followed(files, tmp_path):
    files.pages["/old"] = (302, "/new")
    files.pages["/new"] = (200, yaml.safe_dump(SMALL))
    assert run("validate", "--config", files.url + "/old", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    "page, words",
    [
        ((404, "gone"), "answered with the code 404"),
        ((200, "a: [1"), "/page?token=[REDACTED]:2:1: not valid YAML"),
        ((200, "x" * ((4 << 20) + 1)), "larger than 4 MiB"),
        ((200, "a: \0"), "it is no text"),
        ((200, ""), "must have at least one pipeline"),
    ],
)
def test_what_cannot_be_used_is_told_without_its_secrets(files, tmp_path, page, words):
    files.pages["/page?token=secret"] = page
    url = files.url.replace("//", "//user:password@") + "/page?token=secret"
    done = run("validate", "--config", url, cwd=tmp_path)
    assert done.returncode == 1
    assert words in done.stderr
    assert "secret" not in done.stderr and "password" not in done.stderr


def test_a_server_that_is_away_is_told(tmp_path):
    url = f"http://127.0.0.1:{free_port()}/config.yaml"
    done = run("validate", "--config", url, cwd=tmp_path)
    assert done.returncode == 1
    assert f"cannot fetch the configuration {url}: " in done.stderr


def test_a_reload_fetches_it_again_and_keeps_the_old_one_without(files, start, ending):
    first, second = ending.enter_context(GrpcBackend()), ending.enter_context(GrpcBackend())
    holdfast = start({}, arguments=["--config", files.url + "/config"], ready=False)

    def give(backend):
        files.pages["/config"] = (200, yaml.safe_dump(config({"otlp": otlp_exporter(backend)})))

    def send(backend):
        ids = otlp.new_ids(1)
        assert senders.post(holdfast.http_base, otlp.TRACES, otlp.request(otlp.TRACES, ids)).status_code == 200
        backend.wait_for(ids)

    give(first)
    holdfast.spawn()
    holdfast.wait_ready()
    send(first)
    files.pages.clear()
    holdfast.reload()
    holdfast.wait_for_log("the new configuration is invalid; keeping the current one")
    send(first)
    give(second)
    holdfast.reload()
    holdfast.wait_for_log("the new configuration runs")
    send(second)
