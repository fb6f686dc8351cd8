"""The actions and the criteria of `resource` and `attributes`, one by one, as a backend sees what they did."""

import base64
import hashlib
import struct

import pytest

from support import otlp, senders
from support.holdfast import BASE, config, otlp_exporter, pipelines, run

NESTED = {"team": "a", "zones": [1, 2.5, True, None, {"deep": []}], "none": {}}


def record(found, **fields):
    """A request of one log record with these attributes; an id, so that the backend knows it."""
    ids = otlp.new_ids(1)
    request = otlp.request(otlp.LOGS, ids)
    made = request.resource_logs[0].scope_logs[0].log_records[0]
    made.attributes.extend(otlp.attribute(*pair) for pair in found.items())
    for name, value in fields.items():
        if name == "body":
            made.body.CopyFrom(otlp.any_value(value))
        else:
            setattr(made, name, value)
    return ids, request


def only_item(signal, backend):
    found = otlp.attributes(otlp.items(signal, backend.requests[-1].message)[0])
    del found[otlp.ID_KEY]
    return found


def sha256(data):
    return hashlib.sha256(data).hexdigest()


CONVERSIONS = [
    ("42", "int", 42),
    ("-7", "int", -7),
    ("4x", "int", "4x"),
    (2.9, "int", 2),
    (True, "int", 1),
    ([1], "int", [1]),
    ("2.5", "double", 2.5),
    (3, "double", 3.0),
    (False, "double", 0.0),
    ("x", "double", "x"),
    (42, "string", "42"),
    (2.5, "string", "2.5"),
    (True, "string", "true"),
    ([1, "a"], "string", '[1,"a"]'),
    ({"k": 1}, "string", '{"k":1}'),
    (b"\x00\xff", "string", "AP8="),
]

ACTIONS = [
    # actions, before, after
    ([{"key": "k", "action": "insert", "value": NESTED}], {}, {"k": NESTED}),
    ([{"key": "k", "action": "insert", "value": ["a", "b"]}], {"k": 1}, {"k": 1}),
    ([{"key": "k", "action": "update", "value": ["a", 1]}], {"k": 1}, {"k": ["a", 1]}),
    ([{"key": "k", "action": "upsert", "value": {"a": {"b": 1}}}], {}, {"k": {"a": {"b": 1}}}),
    ([{"key": "k", "action": "upsert", "from_attribute": "list"}], {"list": [1, [2]]}, {"list": [1, [2]], "k": [1, [2]]}),
    ([{"key": "k", "action": "DELETE"}], {"k": 1, "a": 2}, {"a": 2}),
    ([{"pattern": "^db\\.", "action": "delete"}], {"db.a": 1, "mydb.": 2}, {"mydb.": 2}),
    ([{"key": "k", "pattern": "^x", "action": "delete"}], {"k": 1, "xa": 2, "ax": 3}, {"ax": 3}),
    ([{"key": "k", "action": "hash"}], {"k": "abc"}, {"k": sha256(b"abc")}),
    ([{"key": "k", "action": "hash"}], {"k": 42}, {"k": sha256(struct.pack("<q", 42))}),
    ([{"key": "k", "action": "hash"}], {"k": 1.5}, {"k": sha256(struct.pack("<d", 1.5))}),
    ([{"key": "k", "action": "hash"}], {"k": True}, {"k": sha256(b"\x01")}),
    ([{"pattern": "^user", "action": "hash"}], {"user.id": "x", "a": "x"}, {"user.id": sha256(b"x"), "a": "x"}),
    (
        [{"key": "url", "action": "extract", "pattern": "^(?P<scheme>[a-z]+)://(?P<host>[^/]+)"}],
        {"url": "https://example.com/a", "host": "old"},
        {"url": "https://example.com/a", "host": "example.com", "scheme": "https"},
    ),
    ([{"key": "url", "action": "extract", "pattern": "(?P<all>.+)"}], {"url": 5}, {"url": 5}),
    *[
        ([{"key": "k", "action": "convert", "converted_type": to}], {"k": before}, {"k": after})
        for before, to, after in CONVERSIONS
    ],
]


class TestActions:
    @pytest.mark.parametrize("actions, before, after", ACTIONS)
    def test_an_action_does_what_it_says(self, start, grpc_backend, grpc_sender, actions, before, after):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}, {"attributes": {"actions": actions}}))
        ids, request = record(before)
        grpc_sender(holdfast).export(otlp.LOGS, request)
        grpc_backend.wait_for(ids)
        found = only_item(otlp.LOGS, grpc_backend)
        assert found == after
        assert {key: type(value) for key, value in found.items()} == {
            key: type(value) for key, value in after.items()
        }

    @pytest.mark.parametrize("signal", otlp.SIGNALS, ids=lambda one: one.name)
    def test_lists_and_maps_reach_resources_too(self, start, grpc_backend, grpc_sender, signal):
        actions = [{"key": "owner", "action": "insert", "value": NESTED}]
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}, {"resource": {"attributes": actions}}))
        ids = otlp.new_ids(1)
        grpc_sender(holdfast).export(signal, otlp.request(signal, ids))
        grpc_backend.wait_for(ids)
        resource = otlp.resources(signal, grpc_backend.requests[-1].message)[0]
        assert otlp.attributes(resource)["owner"] == NESTED

    @pytest.mark.parametrize("transport", ["grpc", "http"])
    def test_the_context_gives_headers_address_and_user(self, start, grpc_backend, grpc_sender, transport):
        base = {
            **BASE,
            "receivers": {
                "otlp": {
                    "protocols": {
                        transport: {
                            "endpoint": "127.0.0.1:${env:%s_PORT}" % transport.upper(),
                            "include_metadata": True,
                            "auth": {"authenticator": "basicauth"},
                        }
                    }
                }
            },
            "extensions": {**BASE["extensions"], "basicauth": {"htpasswd": {"inline": "ann:secret\n"}}},
            "service": {**BASE["service"], "extensions": ["health_check", "basicauth"]},
        }
        sources = {
            "header": "metadata.X-Tenant",
            "bare": "x-tenant",
            "address": "client.address",
            "user": "auth.username",
            "none": "metadata.x-none",
            "nobody": "auth.none",
        }
        actions = [{"key": key, "action": "insert", "from_context": source} for key, source in sources.items()]
        holdfast = start(
            config({"otlp": otlp_exporter(grpc_backend)}, {"attributes": {"actions": actions}}), base=base
        )
        ids, request = record({})
        headers = {"x-tenant": "blue", "authorization": "Basic " + base64.b64encode(b"ann:secret").decode()}
        if transport == "grpc":
            grpc_sender(holdfast).export(otlp.LOGS, request, metadata=list(headers.items()))
        else:
            assert senders.post(holdfast.http_base, otlp.LOGS, request, headers=headers).status_code == 200
        grpc_backend.wait_for(ids)
        assert only_item(otlp.LOGS, grpc_backend) == {
            "header": "blue",
            "bare": "blue",
            "address": "127.0.0.1",
            "user": "ann",
        }

    @pytest.mark.parametrize(
        "value, problem",
        [
            ("[" * 17 + "]" * 17, "deeper than 16 levels"),
            ("[" + "'" + "x" * 70000 + "']", "more than 64 KiB"),
        ],
        ids=["depth", "size"],
    )
    def test_a_value_has_limits(self, tmp_path, value, problem):
        text = (
            "receivers: {otlp: {protocols: {grpc: {}}}}\nexporters: {nop: {}}\n"
            "processors: {resource: {attributes: [{key: k, action: insert, value: " + value + "}]}}\n"
            "service: {pipelines: {logs: {receivers: [otlp], processors: [resource], exporters: [nop]}}}\n"
        )
        path = tmp_path / "config.yaml"
        path.write_text(text)
        done = run("validate", "--config", path)
        assert done.returncode != 0
        assert problem in done.stdout + done.stderr


STRICT = {"match_type": "strict"}
REGEXP = {"match_type": "regexp"}

# criteria, what matches, what does not
SPAN_CRITERIA = [
    ({**STRICT, "services": ["a", "shop"]}, {"service": "shop"}, {"service": "shop2"}),
    ({**REGEXP, "services": ["^shop"]}, {"service": "shop2"}, {"service": "my-shop"}),
    ({**STRICT, "span_names": ["GET"]}, {"name": "GET"}, {"name": "GET /"}),
    ({**REGEXP, "span_names": ["^GET"]}, {"name": "GET /"}, {"name": "POST"}),
    ({**STRICT, "span_kinds": ["SPAN_KIND_CLIENT"]}, {"kind": 3}, {"kind": 2}),
    ({**REGEXP, "span_kinds": ["CLIENT|SERVER"]}, {"kind": 2}, {"kind": 1}),
    ({**STRICT, "attributes": [{"key": "k", "value": 1}]}, {"attributes": {"k": 1}}, {"attributes": {"k": "1"}}),
    ({**STRICT, "attributes": [{"key": "k", "value": ["a", 1]}]}, {"attributes": {"k": ["a", 1]}}, {"attributes": {"k": [1, "a"]}}),
    ({**STRICT, "attributes": [{"key": "k", "value": {"a": 1, "b": [2]}}]}, {"attributes": {"k": {"b": [2], "a": 1}}}, {"attributes": {"k": {"a": 1}}}),
    ({**STRICT, "attributes": [{"key": "k"}]}, {"attributes": {"k": [1]}}, {"attributes": {"l": 1}}),
    ({**REGEXP, "attributes": [{"key": "k", "value": "^2.."}]}, {"attributes": {"k": 204}}, {"attributes": {"k": [204]}}),
    ({**STRICT, "resources": [{"key": "r", "value": True}]}, {"resource": {"r": True}}, {"resource": {"r": False}}),
    ({**STRICT, "libraries": [{"name": "lib"}]}, {"scope": ("lib", "2")}, {"scope": ("lib2", "")}),
    ({**STRICT, "libraries": [{"name": "lib", "version": "1"}]}, {"scope": ("lib", "1")}, {"scope": ("lib", "2")}),
    ({**REGEXP, "libraries": [{"name": "^l", "version": "^1"}]}, {"scope": ("lib", "1.2")}, {"scope": ("lib", "2.1")}),
]

LOG_CRITERIA = [
    ({**STRICT, "log_bodies": ["full"]}, {"body": "full"}, {"body": "disk full"}),
    ({**REGEXP, "log_bodies": ["full$"]}, {"body": "disk full"}, {"body": "fuller"}),
    ({**REGEXP, "log_bodies": ["\"k\":1"]}, {"body": {"k": 1}}, {"body": {"k": 2}}),
    ({**STRICT, "log_severity_texts": ["WARN"]}, {"severity_text": "WARN"}, {"severity_text": "INFO"}),
    ({**STRICT, "log_severity_number": {"min": 13}}, {"severity_number": 13}, {"severity_number": 12}),
    (
        {**STRICT, "log_severity_number": {"min": 13, "match_undefined": True}},
        {"severity_number": 0},
        {"severity_number": 9},
    ),
]


def span(service="s", name="n", kind=1, attributes=None, resource=None, scope=("", "")):
    ids = otlp.new_ids(1)
    request = otlp.request(otlp.TRACES, ids, resource={"service.name": service, **(resource or {})})
    group = request.resource_spans[0].scope_spans[0]
    group.scope.name, group.scope.version = scope
    group.spans[0].name, group.spans[0].kind = name, kind
    group.spans[0].attributes.extend(otlp.attribute(*pair) for pair in (attributes or {}).items())
    return ids, request


class TestCriteria:
    MARK = [{"key": "marked", "value": 1, "action": "insert"}]

    def marked(self, signal, sender, backend, ids, request):
        sender.export(signal, request)
        backend.wait_for(ids)
        return "marked" in only_item(signal, backend)

    @pytest.mark.parametrize("which", ["include", "exclude"])
    @pytest.mark.parametrize("criteria, good, bad", SPAN_CRITERIA)
    def test_spans_are_chosen(self, start, grpc_backend, grpc_sender, criteria, good, bad, which):
        configuration = config(
            {"otlp": otlp_exporter(grpc_backend)}, {"attributes": {which: criteria, "actions": self.MARK}}
        )
        configuration["service"]["pipelines"] = pipelines(["otlp"], ["attributes"], ["traces"])
        sender = grpc_sender(start(configuration))
        for facts, matches in ((good, True), (bad, False)):
            marked = self.marked(otlp.TRACES, sender, grpc_backend, *span(**facts))
            assert marked == (matches == (which == "include"))

    @pytest.mark.parametrize("criteria, good, bad", LOG_CRITERIA)
    def test_log_records_are_chosen(self, start, grpc_backend, grpc_sender, criteria, good, bad):
        configuration = config(
            {"otlp": otlp_exporter(grpc_backend)}, {"attributes": {"include": criteria, "actions": self.MARK}}
        )
        configuration["service"]["pipelines"] = pipelines(["otlp"], ["attributes"], ["logs"])
        sender = grpc_sender(start(configuration))
        for facts, matches in ((good, True), (bad, False)):
            assert self.marked(otlp.LOGS, sender, grpc_backend, *record({}, **facts)) == matches

    def test_data_points_are_chosen_by_the_name_of_their_metric(self, start, grpc_backend, grpc_sender):
        include = {**REGEXP, "metric_names": ["^http\\."]}
        configuration = config(
            {"otlp": otlp_exporter(grpc_backend)}, {"attributes": {"include": include, "actions": self.MARK}}
        )
        configuration["service"]["pipelines"] = pipelines(["otlp"], ["attributes"], ["metrics"])
        sender = grpc_sender(start(configuration))
        for name, matches in (("http.duration", True), ("rpc.http.", False)):
            ids = otlp.new_ids(1)
            request = otlp.request(otlp.METRICS, ids)
            request.resource_metrics[0].scope_metrics[0].metrics[0].name = name
            assert self.marked(otlp.METRICS, sender, grpc_backend, ids, request) == matches
