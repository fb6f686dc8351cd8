"""`holdfast test`: tests of configurations, whose outcome these tests know."""

import json
import xml.etree.ElementTree as ElementTree

import pytest
import yaml

from support.holdfast import run

GATEWAY = {
    "receivers": {"otlp": {"protocols": {"grpc": None}}, "filelog": {"include": ["/nowhere/*"]}},
    "processors": {
        "transform": {"trace_statements": ['set(span.attributes["seen"], "yes")']},
        "filter": {"logs": {"log_record": ['IsMatch(body, "debug")']}},
        "tail_sampling": {
            "decision_wait": "30s",
            "policies": [{"name": "errors", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}}],
        },
        "interval": {"interval": "60s"},
        "batch": {"timeout": "10s"},
        "groupbytrace": {"wait_duration": "5s"},
    },
    "exporters": {
        "otlp": {"endpoint": "127.0.0.1:1"},
        "otlphttp/logs": {"endpoint": "http://127.0.0.1:1", "auth": {"authenticator": "basicauth"}},
        "debug": None,
    },
    "extensions": {"basicauth": {"client_auth": {"username": "a", "password": "b"}}},
    "service": {
        "extensions": ["basicauth"],
        "pipelines": {
            "traces": {"receivers": ["otlp"], "processors": ["transform"], "exporters": ["debug"]},
            "traces/sampled": {"receivers": ["otlp"], "processors": ["tail_sampling"], "exporters": ["otlp"]},
            "logs": {"receivers": ["filelog"], "processors": ["filter"], "exporters": ["otlphttp/logs"]},
            "metrics": {"receivers": ["otlp"], "processors": ["interval"], "exporters": ["debug"]},
        },
    },
}


def span(name, trace="5b8efff798038103d269b633813fc60c", error=False, **attributes):
    return {
        "traceId": trace,
        "spanId": "eee19b7ec3c1b174",
        "name": name,
        "kind": 2,
        "startTimeUnixNano": "1544712660000000000",
        "endTimeUnixNano": "1544712661000000000",
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
        **({"status": {"code": 2}} if error else {}),
    }


def traces(*spans, service="shop"):
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "lib"}, "spans": list(spans)}]}]}


def gauge(value, seconds):
    point = {"timeUnixNano": str(seconds * 10**9), "startTimeUnixNano": "1000000000", "asInt": str(value)}
    data = {"sum": {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": [point]}, "name": "requests"}
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": [data]}]}]}


@pytest.fixture
def tested(tmp_path):
    """tested(tests, ...) -> the finished process of `holdfast test`."""

    def make(*tests, config=GATEWAY, arguments=(), **more):
        (tmp_path / "gateway.yaml").write_text(config if isinstance(config, str) else yaml.safe_dump(config))
        path = tmp_path / "tests.yaml"
        path.write_text(yaml.safe_dump({"config": "gateway.yaml", "tests": list(tests), **more}, sort_keys=False))
        return run("test", path, *arguments, timeout=60)

    return make


def assert_passes(done, count=1):
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert done.stdout.endswith(f"{count} passed, 0 failed\n"), done.stdout


class TestOutcome:
    def test_of_what_comes_out_at_once(self, tested):
        test = {
            "name": "spans are marked",
            "input": [{"to": "otlp", "otlp": traces(span("GET /", **{"http.method": "GET"}), span("POST /"))}],
            "expect": [
                {
                    "at": "debug",
                    "count": 2,
                    "contains": [
                        {
                            "name": "GET /",
                            "trace_id": "5b8efff798038103d269b633813fc60c",
                            "kind": 2,
                            "start_time_unix_nano": 1544712660000000000,
                            "attributes": {"http.method": "GET", "seen": "yes"},
                            "resource": {"service.name": "shop"},
                            "scope": {"name": "lib"},
                        },
                        {"name": "POST /"},
                    ],
                    "all": ['span.attributes["seen"] == "yes"', 'resource.attributes["service.name"] == "shop"'],
                    "any": ['span.name == "GET /"'],
                    "none": ['span.name == "PUT /"'],
                }
            ],
        }
        assert_passes(tested(test))

    def test_says_that_what_batch_holds_needs_time(self, tested):
        batching = {**GATEWAY, "processors": {**GATEWAY["processors"], "batch": None}}
        pipelines = {**GATEWAY["service"]["pipelines"]}
        pipelines["traces"] = {**pipelines["traces"], "processors": ["transform", "batch"]}
        batching["service"] = {**GATEWAY["service"], "pipelines": pipelines}
        source = {"to": "otlp", "otlp": traces(span("GET /"))}
        test = {"name": "t", "input": [source], "expect": [{"at": "debug", "count": 1}]}
        done = tested(test, config=batching)
        assert done.returncode == 1 and "got 0; time stood still: what batch holds needs advance" in done.stdout
        assert_passes(tested({**test, "advance": "1s"}, config=batching))

    @pytest.mark.parametrize(
        ("expect", "words"),
        [
            ({"count": 3}, "at debug: expected 3 items, got 2"),
            ({"min": 3}, "expected at least 3 items, got 2"),
            ({"max": 1}, "expected at most 1 items, got 2"),
            ({"contains": {"name": "PUT /"}}, "no item has {name: PUT /}"),
            ({"contains": [{"name": "GET /"}, {"attributes": {"seen": "no"}}]}, "no item has {attributes: {seen: no}}"),
            ({"contains": {"resource": {"service.name": "other"}}}, "no item has {resource: {service.name: other}}"),
            ({"all": ['span.name == "GET /"']}, 'span.name == "GET /" is true for 1 of 2 items, expected all'),
            ({"any": ['span.name == "x"']}, "is true for 0 of 2 items, expected one at least"),
            ({"none": ['span.name == "GET /"']}, "is true for 1 of 2 items, expected none"),
            ({"all": ["span.nam == 1"]}, "span.nam"),
        ],
    )
    def test_that_is_not_as_expected_says_why(self, tested, expect, words):
        test = {
            "name": "t",
            "input": [{"to": "receivers::otlp", "otlp": traces(span("GET /"), span("POST /"))}],
            "expect": [{"at": "exporters::debug", **expect}],
        }
        done = tested(test)
        assert done.returncode == 1 and words in done.stdout and "0 passed, 1 failed" in done.stdout, done.stdout

    def test_of_lines_at_a_receiver(self, tested):
        test = {
            "name": "debug lines are dropped",
            "input": [{"to": "filelog", "lines": ["one", "a debug line", "two"]}],
            "expect": [{"at": "otlphttp/logs", "count": 2, "contains": [{"body": "one"}, {"body": "two"}]}],
        }
        assert_passes(tested(test))

    def test_of_files_and_one_pipeline(self, tested, tmp_path):
        (tmp_path / "in.json").write_text(json.dumps(traces(span("a"))) + "\n" + json.dumps(traces(span("b"))) + "\n")
        test = {
            "name": "only one pipeline",
            "input": [{"to": "traces", "file": "in.json"}, {"to": "traces", "json": json.dumps(traces(span("c")))}],
            "advance": "1m",
            "expect": [{"at": "debug", "count": 3}, {"at": "otlp", "count": 0}],
        }
        assert_passes(tested(test))


class TestTime:
    def test_is_the_tests_own(self, tested):
        good, bad = "00000000000000000000000000000001", "00000000000000000000000000000002"
        test = {
            "name": "errors are kept",
            "input": [
                {"to": "otlp", "otlp": traces(span("fine", good))},
                {"to": "otlp", "otlp": traces(span("root", bad), span("failed", bad, error=True))},
            ],
            "expect": [{"at": "otlp", "count": 0}],
            "steps": [
                {"advance": "20s", "expect": [{"at": "otlp", "count": 0}]},
                {
                    "advance": "12s",
                    "expect": [{"at": "otlp", "count": 2, "all": [f'TraceID(0x{bad}) == span.trace_id']}],
                },
            ],
        }
        done = tested(test)
        assert_passes(done)

    def test_of_metrics_that_are_sent_each_minute(self, tested):
        test = {
            "name": "the last one of a minute",
            "input": [{"to": "otlp", "otlp": gauge(value, value)} for value in (3, 4, 5)],
            "expect": [{"at": "debug", "count": 0}],
            "steps": [
                {
                    "advance": "61s",
                    "expect": [{"at": "debug", "count": 1, "contains": {"as_int": 5, "metric": {"name": "requests"}}}],
                },
                {"advance": "1h", "expect": [{"at": "debug", "count": 1}]},
            ],
        }
        assert_passes(tested(test))

    def test_of_batches_and_of_groups(self, tested):
        config = {
            **GATEWAY,
            "service": {
                "pipelines": {
                    "traces": {"receivers": ["otlp"], "processors": ["groupbytrace", "batch"], "exporters": ["debug"]}
                }
            },
        }
        test = {
            "name": "waits twice",
            "input": [{"to": "otlp", "otlp": traces(span("a"))}],
            "advance": "4s",
            "expect": [{"at": "debug", "count": 0}],
            "steps": [
                {"advance": "4s", "expect": [{"at": "debug", "count": 0}]},
                {"advance": "11s", "expect": [{"at": "debug", "count": 1}]},
            ],
        }
        assert_passes(tested(test, config=config))


class TestReport:
    TESTS = [
        {"name": "good", "expect": [{"at": "debug", "count": 0}]},
        {"name": "bad <&\"> one", "expect": [{"at": "debug", "count": 1}]},
    ]

    def test_as_a_table_and_as_junit(self, tested, tmp_path):
        done = tested(*self.TESTS, arguments=("--junit", tmp_path / "results.xml"))
        assert done.returncode == 1
        lines = done.stdout.splitlines()
        assert lines[0].startswith("ok ") and lines[0].endswith("good")
        assert lines[1].startswith("FAILED ") and lines[2].strip() == "at debug: expected 1 items, got 0"
        suite = ElementTree.parse(tmp_path / "results.xml").getroot().find("testsuite")
        assert suite.attrib["tests"] == "2" and suite.attrib["failures"] == "1"
        names = {case.attrib["name"]: case.find("failure") for case in suite}
        assert names["good"] is None
        assert names['bad <&"> one'].attrib["message"] == "at debug: expected 1 items, got 0"

    def test_of_some_tests(self, tested):
        assert_passes(tested(*self.TESTS, arguments=("--only", "goo")))

    def test_with_the_log_of_what_is_tested(self, tested):
        done = tested(self.TESTS[0], arguments=("--log",))
        assert done.returncode == 0

    def test_leaves_nothing_behind(self, tested, tmp_path, monkeypatch):
        (tmp_path / "tmp").mkdir()
        monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
        assert tested(*self.TESTS).returncode == 1
        assert not list((tmp_path / "tmp").iterdir())


@pytest.mark.parametrize(
    ("test", "words"),
    [
        ({"input": [{"to": "nothing", "lines": ["a"]}]}, "no receiver, no pipeline and no processor in use is called nothing"),
        ({"input": [{"to": "filelog", "otlp": traces(span("a"))}]}, "filelog is in no pipeline of traces"),
        ({"input": [{"to": "logs", "otlp": traces(span("a"))}]}, "logs is no pipeline of traces"),
        ({"input": [{"to": "otlp"}]}, "there is nothing in it"),
        ({"input": [{"to": "otlp", "otlp": {"spans": []}}]}, "expected a request in OTLP/JSON"),
        ({"input": [{"to": "otlp", "json": '{"resourceSpans": 5}'}]}, "input[0]: "),
        ({"input": [{"to": "otlp", "file": "none.json"}]}, "No such file"),
        ({"expect": [{"at": "nothing", "count": 1}]}, "no exporter, processor, connector or pipeline in use is called nothing"),
    ],
)
def test_says_what_is_wrong_with_a_test(tested, test, words):
    done = tested({"name": "t", **test})
    assert done.returncode == 1 and words in done.stdout, done.stdout


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"config": "none.yaml"}, "none.yaml"),
        ({"tests": [{"nam": "x"}]}, 'did you mean "name"?'),
        ({"tests": [{"name": "x", "expect": [{"at": "debug", "cuont": 1}]}]}, 'did you mean "count"?'),
        ({"set": ["processors.batch.timeout=never"]}, "timeout"),
    ],
)
def test_says_what_is_wrong_with_a_file(tested, more, words):
    done = tested({"name": "t"}, **more)
    assert done.returncode == 2 and words in done.stderr, done.stderr


def test_needs_a_file():
    assert run("test").returncode == 2
    assert "--junit FILE" in run("test", "--help").stdout


# ---- processors and queues ----

LAYERS = {
    "receivers": {"otlp": {"protocols": {"grpc": None}}},
    "processors": {
        "transform/first": {"trace_statements": ['set(span.attributes["first"], true)']},
        "filter": {"error_mode": "propagate", "traces": {"span": ['span.name == "noise"']}},
        "tail_sampling": GATEWAY["processors"]["tail_sampling"],
        "transform/last": {"trace_statements": ['set(span.attributes["last"], true)']},
    },
    "connectors": {"count": {"spans": {"spans.seen": None}}},
    "exporters": {"debug": None, "otlp": {"endpoint": "127.0.0.1:1"}},
    "service": {
        "pipelines": {
            "traces": {
                "receivers": ["otlp"],
                "processors": ["transform/first", "filter", "tail_sampling", "transform/last"],
                "exporters": ["debug"],
            },
            "traces/2": {"receivers": ["otlp"], "processors": ["filter"], "exporters": ["otlp", "count"]},
            "metrics": {"receivers": ["count"], "exporters": ["debug"]},
        }
    },
}


def test_an_expectation_looks_at_processors_and_queues(tested):
    """At each place there is what has come out of it, and not what will be there later."""
    spans = [span("pay", error=True, a="1"), span("noise"), span("look", trace="6b8efff798038103d269b633813fc60c")]
    done = tested(
        {
            "name": "layers",
            "input": [{"to": "otlp", "otlp": traces(*spans)}],
            "expect": [
                {"at": "transform/first", "count": 3, "all": ['span.attributes["first"] == true']},
                {"at": "filter", "count": 4, "none": ['span.name == "noise"']},
                {"at": "filter", "pipeline": "traces", "count": 2, "all": ['span.attributes["first"] == true']},
                {"at": "processors::filter", "pipeline": "traces/2", "count": 2,
                 "none": ['span.attributes["first"] == true']},
                {"at": "traces", "count": 2, "contains": {"name": "look"}},
                {"at": "pipelines::traces/2", "count": 2},
                {"at": "count", "count": 1, "contains": {"metric": {"name": "spans.seen"}}},
                {"at": "tail_sampling", "count": 0},
                {"at": "traces>tail_sampling", "count": 0},
            ],
            "steps": [
                {
                    "advance": "31s",
                    "expect": [
                        {"at": "tail_sampling", "count": 1, "contains": {"name": "pay", "attributes": {"a": "1"}},
                         "none": ['span.attributes["last"] == true']},
                        {"at": "tail_sampling", "pipeline": "traces", "count": 1},
                        {"at": "tail_sampling", "pipeline": "traces/2", "count": 0},
                        {"at": "transform/last", "pipeline": "traces", "count": 1},
                        {"at": "traces>tail_sampling", "count": 1, "all": ['span.attributes["last"] == true']},
                    ],
                }
            ],
        },
        config=LAYERS,
    )  # fmt: skip
    assert_passes(done)


def test_an_expectation_at_a_processor_can_fail(tested):
    for at, words in (("filter", "at filter: expected 7 items, got 2"), ("traces/2", "expected 7 items, got 1")):
        done = tested(
            {
                "name": "wrong",
                "input": [{"to": "otlp", "otlp": traces(span("pay"))}],
                "expect": [{"at": at, "count": 7}],
            },
            config=LAYERS,
        )
        assert done.returncode == 1
        assert words in done.stdout + done.stderr


def test_an_input_begins_at_a_processor(tested):
    done = tested(
        {
            "name": "in the middle",
            "input": [{"to": "filter", "pipeline": "traces", "otlp": traces(span("pay", error=True), span("noise"))}],
            "advance": "31s",
            "expect": [
                {"at": "transform/first", "count": 0},
                {"at": "filter", "count": 1},
                {"at": "traces/2", "count": 0},
                {"at": "debug", "count": 1, "none": ['span.attributes["first"] == true'],
                 "all": ['span.attributes["last"] == true']},
            ],
        },
        {
            "name": "at one that waits",
            "input": [{"to": "processors::tail_sampling", "otlp": traces(span("noise", error=True))}],
            "advance": "31s",
            "expect": [{"at": "filter", "count": 0}, {"at": "traces", "count": 1}, {"at": "debug", "count": 1}],
        },
        {
            "name": "behind it",
            "input": [{"to": "transform/last", "otlp": traces(span("noise"))}],
            "expect": [{"at": "tail_sampling", "count": 0}, {"at": "debug", "count": 1}],
        },
        config=LAYERS,
    )  # fmt: skip
    assert_passes(done, 3)


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ({"to": "filter"}, "filter is in traces and in traces/2: write pipeline: traces"),
        ({"to": "transform/last", "pipeline": "traces/2"}, "transform/last is in no such pipeline of traces"),
        ({"to": "receivers::filter"}, "no receiver, no pipeline and no processor in use"),
    ],
)
def test_a_place_of_an_input_is_one(tested, to, words):
    done = tested({"name": "where", "input": [{**to, "otlp": traces(span("pay"))}]}, config=LAYERS)
    assert done.returncode == 1
    assert words in done.stdout + done.stderr
