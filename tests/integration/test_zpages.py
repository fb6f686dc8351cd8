"""zpages: what its pages show of a running process, read by an HTML parser that is not ours."""

import base64
import hashlib
import html.parser
import json
import re
import urllib.error
import urllib.request

import pytest
import requests
from grpc import StatusCode

from support import backends, otlp, senders
from support.holdfast import BASE, config, otlp_exporter, run
from support.ports import free_port
from support.waiting import until

VOID = ("meta", "br")


class Page(html.parser.HTMLParser):
    """The tables of a page as lists of rows of texts, and its links; every tag is closed in order."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.links, self.open = [], [], []
        self.feed(text)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        elif tag == "a":
            self.links.append(dict(attrs)["href"])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if any(tag in self.open for tag in ("td", "th")):
            self.tables[-1][-1][-1] += data

    def rows(self, table=0):
        """[{column: text}] of a table."""
        head, *rest = self.tables[table]
        return [dict(zip(head, row, strict=True)) for row in rest]

    def pairs(self, table):
        return dict(self.tables[table][1:])


class Zpages:
    def __init__(self, port):
        self.base = f"http://127.0.0.1:{port}"

    def text(self, path):
        with urllib.request.urlopen(self.base + path, timeout=5) as answer:
            assert answer.headers["Content-Type"].startswith(("text/html", "application/json"))
            return answer.read().decode()

    def page(self, path):
        return Page(self.text(path))


@pytest.fixture
def zpages(start):
    """zpages(exporters, ...) -> (a running Holdfast, its Zpages)."""

    def make(exporters, extension=None, extensions=None, **more):
        port = free_port()
        configuration = config(exporters, **more)
        configuration["extensions"] = {
            "zpages": {"endpoint": f"127.0.0.1:{port}", **(extension or {})},
            **(extensions or {}),
        }
        names = [*BASE["service"]["extensions"], *configuration["extensions"]]
        configuration["service"]["extensions"] = names
        return start(configuration), Zpages(port)

    return make


def send(holdfast, count=1):
    body = otlp.request(otlp.TRACES, otlp.new_ids(count))
    assert senders.post(holdfast.http_base, otlp.TRACES, body).status_code == 200


class TestPages:
    def test_show_the_service_and_lead_to_the_others(self, zpages):
        holdfast, asked = zpages({"nop": None})
        page = asked.page("/debug/servicez")
        assert page.pairs(0)["Command"] == "holdfast"
        assert re.fullmatch(r"\d+\.\d+\.\d+", page.pairs(0)["Version"])
        assert page.pairs(1)["PID"] == str(holdfast.process.pid)
        assert page.pairs(1)["DataDirectory"] == str(holdfast.data_directory)
        assert {"/debug/pipelinez", "/debug/extensionz", "/debug/featurez"} <= set(page.links)
        for link in page.links:
            asked.page(link)

    def test_show_the_pipelines_and_a_component(self, zpages):
        connectors = {"forward": None}
        pipelines = {
            "traces": {"receivers": ["otlp"], "processors": ["batch", "groupbytrace"], "exporters": ["forward"]},
            "traces/2": {"receivers": ["forward"], "exporters": ["nop", "nop/2"]},
        }
        _, asked = zpages(
            {"nop": None, "nop/2": None},
            processors={"batch": None, "groupbytrace": None},
            connectors=connectors,
            service={"pipelines": pipelines},
        )
        page = asked.page("/debug/pipelinez")
        first, second = page.rows()
        assert first["FullName"] == "traces" and first["InputType"] == "traces"
        assert first["Receivers"] == "otlp" and first["Processors"] == "batchgroupbytrace"
        assert first["Exporters"] == "forward (connector)"
        assert second["Receivers"] == "forward (connector)" and second["Exporters"] == "nopnop/2"
        assert second["Processors"] == ""
        assert len(page.links) == 7
        for link in page.links:
            shown = asked.page(link).pairs(1)
            assert f"componentnamez={shown['Name']}&" in link and shown["Status"] == "StatusOK"

    def test_show_the_extensions(self, zpages):
        _, asked = zpages({"nop": None})
        page = asked.page("/debug/extensionz")
        assert [row["FullName"] for row in page.rows()] == ["health_check", "zpages"]
        assert asked.page(page.links[1]).pairs(1)["Type"] == "zpages"

    def test_show_that_an_exporter_fails_and_why(self, zpages, grpc_backend):
        grpc_backend.always = backends.refuse(StatusCode.UNAVAILABLE, "<b>not</b> now")
        holdfast, asked = zpages({"otlp": otlp_exporter(grpc_backend)})
        send(holdfast)
        path = "/debug/pipelinez?pipelinenamez=traces&componentnamez=otlp&componentkindz=exporter"
        until(lambda: "Error" in asked.page(path).pairs(1), "the error is not shown")
        shown = asked.page(path).pairs(1)
        assert (shown["Status"], shown["Error"]) == ("StatusRecoverableError", "<b>not</b> now")
        assert "StatusRecoverableError" in asked.page("/debug/pipelinez").rows()[0]["Exporters"]

    def test_say_what_there_is_not(self, zpages):
        _, asked = zpages({"nop": None})
        for path in (
            "/debug/pipelinez?pipelinenamez=<b>&componentnamez=%22&componentkindz=exporter",
            "/debug/extensionz?extensionnamez=nop",
        ):
            assert "There is no such component" in asked.text(path)
        assert asked.page("/debug/featurez").rows() == []
        with pytest.raises(urllib.error.HTTPError) as error:
            asked.text("/debug/rpcz")
        assert error.value.code == 404
        with pytest.raises(urllib.error.HTTPError):
            asked.text("/debug/expvarz")

    def test_show_variables_when_told_so(self, zpages):
        _, asked = zpages({"nop": None}, extension={"expvar": {"enabled": True}})
        variables = json.loads(asked.text("/debug/expvarz"))
        assert variables["cmdline"][0].endswith("holdfast")
        assert 0 < variables["memstats"]["Alloc"] <= variables["memstats"]["Sys"]

    def test_need_credentials_when_told_so(self, zpages):
        digest = base64.b64encode(hashlib.sha1(b"right").digest()).decode()
        slow = "$2y$04$7TVpkyNQZSUGTEqV3Tp.fuDO5cu3pFQcVR9AgJQNQ2aYr3rHG0D8y"
        _, asked = zpages(
            {"nop": None},
            extension={"auth": {"authenticator": "basicauth"}},
            extensions={"basicauth": {"htpasswd": {"inline": f"ann:{{SHA}}{digest}\nbob:{slow}"}}},
        )
        for user, code in ((None, 401), (("ann", "wrong"), 401), (("bob", "wrong"), 401), (("ann", "right"), 200)):
            answer = requests.get(asked.base + "/debug/servicez", auth=user, timeout=10)
            assert answer.status_code == code, user


class TestTraces:
    def row(self, asked, name):
        return next((row for row in asked.page("/debug/tracez").rows() if row["Span Name"] == name), None)

    def test_show_requests_and_exports_by_latency(self, zpages, grpc_backend):
        holdfast, asked = zpages({"otlp": otlp_exporter(grpc_backend)})
        send(holdfast, 3)
        received, sent = "receiver/otlp/TraceDataReceived", "exporter/otlp/traces"

        def ended(name):
            row = self.row(asked, name)
            return sum(int(row[column]) for column in row if column.startswith(">"))

        until(lambda: ended(received) == 1 and ended(sent) == 1, lambda: asked.text("/debug/tracez"))
        for name, transport in ((received, "http"), (sent, "")):
            link = next(link for link in asked.page("/debug/tracez").links if f"zspanname={name}&" in link)
            (span,) = asked.page(link).rows(1)
            assert (span["Items"], span["Transport"], span["Error"]) == ("3", transport, "")
            assert re.fullmatch("[0-9a-f]{32}", span["Trace ID"]) and float(span["Elapsed (s)"]) < 60

    def test_show_what_failed(self, zpages, grpc_backend):
        grpc_backend.next(backends.refuse(StatusCode.UNAVAILABLE, "not now"))
        holdfast, asked = zpages({"otlp": otlp_exporter(grpc_backend)})
        send(holdfast)
        until(lambda: self.row(asked, "exporter/otlp/traces")["Errors"] == "1", "no error is shown")
        page = asked.page("/debug/tracez?zspanname=exporter/otlp/traces&ztype=2&zsubtype=0")
        assert page.rows(1)[0]["Error"] == "not now"

    def test_go_on_after_a_reload(self, zpages):
        holdfast, asked = zpages({"nop": None})
        send(holdfast)
        holdfast.reload()
        holdfast.wait_for_log("the new configuration runs")
        send(holdfast)
        name = "receiver/otlp/TraceDataReceived"

        def total():
            row = self.row(asked, name)
            return sum(int(value) for column, value in row.items() if column.startswith(">"))

        until(lambda: total() == 2, lambda: f"{total()} spans, not 2")


def test_wants_an_endpoint(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(
        "receivers: {nop: }\nexporters: {nop: }\nextensions: {zpages: {endpoint: ''}}\n"
        "service: {extensions: [zpages], pipelines: {logs: {receivers: [nop], exporters: [nop]}}}\n"
    )
    done = run("validate", "--config", path)
    assert done.returncode == 1 and "extensions::zpages: endpoint" in done.stderr
