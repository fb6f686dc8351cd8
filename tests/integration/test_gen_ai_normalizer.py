"""gen_ai_normalizer: a backend gets spans of other conventions under the names and types of those for generative AI."""

import json

import pytest

from support import otlp
from support.holdfast import config, otlp_exporter, pipelines, run

SCHEMA = "https://opentelemetry.io/schemas/1.40.0"
OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "gpt-x",
    "llm.provider": "acme",
    "llm.token_count.prompt": 12,
    "url.full": "https://example.com",
}
NORMAL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-x",
    "gen_ai.provider.name": "acme",
    "gen_ai.usage.input_tokens": 12,
}


@pytest.fixture
def normalized(start, grpc_backend, grpc_sender):
    """normalized(keys, attributes, schema_url) -> the span's attributes and the scope's schema URL at the backend."""

    def send(keys, attributes, schema_url=""):
        exporters, processors = {"otlp": otlp_exporter(grpc_backend)}, {"gen_ai_normalizer": keys}
        holdfast = start(
            config(exporters, processors, service={"pipelines": pipelines(exporters, processors, ["traces"])})
        )
        ids = otlp.new_ids(1)
        request = otlp.request(otlp.TRACES, ids)
        scope = request.resource_spans[0].scope_spans[0]
        scope.schema_url = schema_url
        scope.spans[0].attributes.extend(otlp.attribute(*pair) for pair in attributes.items())
        grpc_sender(holdfast).export(otlp.TRACES, request)
        grpc_backend.wait_for(ids)
        message = grpc_backend.requests[-1].message
        found = otlp.attributes(otlp.items(otlp.TRACES, message)[0])
        del found[otlp.ID_KEY]
        return found, message.resource_spans[0].scope_spans[0].schema_url

    return send


class TestNames:
    def test_openinference_gets_the_names_of_the_conventions(self, normalized):
        found, schema_url = normalized({"sources": [{"name": "openinference"}]}, OPENINFERENCE)
        assert found == OPENINFERENCE | NORMAL
        assert schema_url == SCHEMA

    def test_the_originals_go_where_that_is_asked_for(self, normalized):
        source = {"name": "openinference", "remove_originals": True}
        found, _ = normalized({"sources": [source]}, OPENINFERENCE)
        assert found == {"url.full": "https://example.com"} | NORMAL

    @pytest.mark.parametrize("overwrites, model", [(False, "there"), (True, "gpt-x")])
    def test_what_is_there_is_overwritten_only_where_that_is_asked_for(self, normalized, overwrites, model):
        attributes = {"llm.model_name": "gpt-x", "gen_ai.request.model": "there"}
        found, _ = normalized({"sources": [{"name": "openinference", "overwrite": overwrites}]}, attributes)
        assert found["gen_ai.request.model"] == model

    @pytest.mark.parametrize("overwrites, url", [(False, "https://example.com/1"), (True, SCHEMA)])
    def test_the_schema_url_that_is_there_stays_unless_asked(self, normalized, overwrites, url):
        keys = {"overwrite_schema_url": overwrites, "sources": [{"name": "openinference"}]}
        assert normalized(keys, OPENINFERENCE, "https://example.com/1")[1] == url

    def test_other_spans_stay_as_they_are(self, normalized):
        attributes = {"http.request.method": "GET", "list": [1, "a"], "llm": True}
        keys = {"sources": [{"name": "openinference"}, {"name": "openllmetry"}]}
        assert normalized(keys, attributes) == (attributes, "")


class TestTypes:
    def test_values_get_the_types_of_the_conventions(self, normalized):
        source = {"name": "openllmetry", "remove_originals": True}
        found, _ = normalized(
            {"sources": [source]},
            {
                "llm.usage.prompt_tokens": "12",
                "llm.usage.completion_tokens": 3.0,
                "llm.request.temperature": 1,
                "llm.response.finish_reason": "stop",
                "traceloop.span.kind": "Workflow",
            },
        )
        assert found == {
            "gen_ai.usage.input_tokens": 12,
            "gen_ai.usage.output_tokens": 3,
            "gen_ai.request.temperature": 1.0,
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.operation.name": "invoke_workflow",
        }
        assert isinstance(found["gen_ai.usage.output_tokens"], int)
        assert isinstance(found["gen_ai.request.temperature"], float)

    def test_what_cannot_be_of_the_type_stays_under_its_name(self, normalized):
        attributes = {"llm.usage.prompt_tokens": "many", "llm.request.temperature": "hot"}
        source = {"name": "openllmetry", "remove_originals": True}
        assert normalized({"sources": [source]}, attributes)[0] == attributes


class TestMessages:
    def test_the_messages_of_openinference_become_one_text(self, normalized):
        source = {"name": "openinference", "remove_originals": True}
        first, second = "llm.input_messages.0.message.", "llm.input_messages.1.message."
        found, _ = normalized(
            {"sources": [source]},
            {
                second + "role": "user",
                second + "content": 'what "now"?\n',
                first + "role": "system",
                first + "content": "be brief",
                "llm.output_messages.0.message.role": "assistant",
                "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c0",
                "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "look",
                "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"at": 1}',
            },
        )
        assert set(found) == {"gen_ai.input.messages", "gen_ai.output.messages"}
        assert json.loads(found["gen_ai.input.messages"]) == [
            {"role": "system", "parts": [{"type": "text", "content": "be brief"}]},
            {"role": "user", "parts": [{"type": "text", "content": 'what "now"?\n'}]},
        ]
        (message,) = json.loads(found["gen_ai.output.messages"])
        assert message["role"] == "assistant"
        assert message["parts"] == [{"type": "tool_call", "id": "c0", "name": "look", "arguments": {"at": 1}}]


class TestSources:
    def test_a_source_of_ones_own_comes_in_its_turn(self, normalized):
        own = {
            "name": "shop",
            "remove_originals": True,
            "mappings": {"shop.model": "gen_ai.request.model", "shop.kind": "gen_ai.operation.name"},
            "value_mappings": {"gen_ai.operation.name": {"talk": "chat"}},
        }
        attributes = {"shop.model": "own", "shop.kind": "talk", "llm.model_name": "other"}
        found, _ = normalized({"sources": [own, {"name": "openinference"}]}, attributes)
        assert found == {
            "gen_ai.request.model": "own",
            "gen_ai.operation.name": "chat",
            "llm.model_name": "other",
        }

    @pytest.mark.parametrize(
        "keys, says",
        [
            ({}, "sources"),
            ({"sources": [{"name": "own"}]}, "sources[0]: a source of your own needs mappings"),
            ({"sources": [{"name": "openllmetry"}, {"name": "openllmetry"}]}, "sources[1]: the name is there twice"),
        ],
    )
    def test_says_what_is_wrong_with_the_sources(self, tmp_path, keys, says):
        path = tmp_path / "config.yaml"
        path.write_text(
            "receivers: {otlp: {protocols: {grpc: {}}}}\nexporters: {nop: {}}\n"
            f"processors: {{gen_ai_normalizer: {json.dumps(keys)}}}\n"
            "service: {pipelines: {traces: {receivers: [otlp], processors: [gen_ai_normalizer], exporters: [nop]}}}\n"
        )
        done = run("validate", "--config", path)
        assert done.returncode != 0
        assert says in done.stdout + done.stderr
