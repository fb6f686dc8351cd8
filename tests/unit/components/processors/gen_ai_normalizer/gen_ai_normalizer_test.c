/* Attributes of other conventions get the names and types of those for generative AI. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/component.h>

#include "tests/support/node_stub.c"
#include "tests/support/process_json.c"

extern const struct hf_component hf_processor_gen_ai_normalizer;

/* As the component's configuration. */
struct source {
    const char *name;
    bool remove_originals, overwrite;
    struct hf_string_map mappings;
    struct hf_value value_mappings;
};

struct config {
    bool overwrite_schema_url;
    struct hf_struct_list sources;
};

#define SPAN(schema, attributes)                                                                   \
    "{\"resourceSpans\":[{\"scopeSpans\":[{\"schemaUrl\":\"" schema                                \
    "\",\"spans\":[{\"name\":\"s\",\"attributes\":[" attributes "]}]}]}]}"
#define TEXT(key, text) "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" text "\"}}"
#define INT(key, digits) "{\"key\":\"" key "\",\"value\":{\"intValue\":\"" digits "\"}}"
#define DOUBLE(key, number) "{\"key\":\"" key "\",\"value\":{\"doubleValue\":" number "}}"
#define LIST(key, items) "{\"key\":\"" key "\",\"value\":{\"arrayValue\":{\"values\":[" items "]}}}"
#define ITEM(text) "{\"stringValue\":\"" text "\"}"
#define IN(key) "llm.input_messages." key
#define OUT(key) "llm.output_messages." key

static void check(const struct config *config, const char *json, const char *const *texts)
{
    struct hf_node node = {.id = "gen_ai_normalizer", .signals = HF_SIGNAL_BIT(HF_TRACES)};
    char *made = process_json(&hf_processor_gen_ai_normalizer, &node, config, HF_TRACES, json);
    assert_has(made, texts);
    free(made);
}

static void check_source(const struct source *source, const char *json, const char *const *texts)
{
    check(&(struct config){.sources = {source, 1}}, json, texts);
}

static void renames_and_keeps_what_is_there(void **state)
{
    static const char json[] =
        SPAN("", TEXT("llm.model_name", "m") "," TEXT("llm.provider", "p") "," TEXT(
                     "gen_ai.provider.name", "q") "," TEXT("openinference.span.kind", "CHAIN"));
    static const char *const kept[] = {TEXT("gen_ai.request.model", "m"),
                                       TEXT("gen_ai.provider.name", "q"),
                                       TEXT("gen_ai.operation.name", "invoke_agent"),
                                       TEXT("llm.model_name", "m"),
                                       "\"schemaUrl\":\"https://opentelemetry.io/schemas/1.40.0\"",
                                       NULL};
    static const char *const removed[] = {TEXT("gen_ai.request.model", "m"),
                                          TEXT("gen_ai.provider.name", "p"),
                                          "!llm.model_name",
                                          "!llm.provider",
                                          "!openinference",
                                          NULL};
    (void)state;
    check_source(&(struct source){.name = "openinference"}, json, kept);
    check_source(&(struct source){"openinference", true, true, {0}, {0}}, json, removed);
}

static const char typed_json[] = SPAN(
    "u",
    TEXT("llm.usage.prompt_tokens", "12") "," DOUBLE("llm.usage.completion_tokens", "3.0") "," INT(
        "llm.request.temperature",
        "1") "," TEXT("llm.request.top_p",
                      "0.5") "," INT("llm.request.model",
                                     "7") "," TEXT("llm.response.finish_reason",
                                                   "stop") "," LIST("llm.chat.stop_sequences",
                                                                    ITEM("a") "," ITEM(
                                                                        "b")) "," TEXT("tracelo"
                                                                                       "op."
                                                                                       "span."
                                                                                       "kind",
                                                                                       "Workflo"
                                                                                       "w"));
static const char *const typed[] = {INT("gen_ai.usage.input_tokens", "12"),
                                    INT("gen_ai.usage.output_tokens", "3"),
                                    DOUBLE("gen_ai.request.temperature", "1"),
                                    DOUBLE("gen_ai.request.top_p", "0.5"),
                                    TEXT("gen_ai.request.model", "7"),
                                    LIST("gen_ai.response.finish_reasons", ITEM("stop")),
                                    LIST("gen_ai.request.stop_sequences", ITEM("a") "," ITEM("b")),
                                    TEXT("gen_ai.operation.name", "invoke_workflow"),
                                    "\"schemaUrl\":\"u\"",
                                    NULL};
/* What cannot be of the type stays under its old name. */
static const char bad_json[] = SPAN(
    "",
    TEXT("llm.usage.prompt_tokens", " 12") "," DOUBLE(
        "llm.usage.completion_tokens",
        "3.5") "," TEXT("llm.request.max_tokens",
                        "99999999999999999999") "," TEXT("llm.request.temperature",
                                                         "hot") "," LIST("llm.request.model",
                                                                         ITEM("m")) "," LIST("ll"
                                                                                             "m."
                                                                                             "re"
                                                                                             "sp"
                                                                                             "on"
                                                                                             "se"
                                                                                             ".s"
                                                                                             "to"
                                                                                             "p_"
                                                                                             "re"
                                                                                             "as"
                                                                                             "o"
                                                                                             "n",
                                                                                             "{"
                                                                                             "\""
                                                                                             "in"
                                                                                             "tV"
                                                                                             "al"
                                                                                             "ue"
                                                                                             "\""
                                                                                             ":"
                                                                                             "\""
                                                                                             "1"
                                                                                             "\""
                                                                                             "}"));
static const char *const stays[] = {"!gen_ai.",
                                    TEXT("llm.usage.prompt_tokens", " 12"),
                                    DOUBLE("llm.usage.completion_tokens", "3.5"),
                                    "llm.request.max_tokens",
                                    TEXT("llm.request.temperature", "hot"),
                                    LIST("llm.request.model", ITEM("m")),
                                    "llm.response.stop_reason",
                                    "!schemas/1.40.0",
                                    NULL};

static void writes_the_type_of_the_conventions(void **state)
{
    const struct source source = {.name = "openllmetry", .remove_originals = true};
    (void)state;
    check_source(&source, typed_json, typed);
    check_source(&source, bad_json, stays);
    static const char *const stamped[] = {"schemas/1.40.0", "!\"u\"", NULL};
    check(&(struct config){.overwrite_schema_url = true, .sources = {&source, 1}}, typed_json,
          stamped);
}

static void goes_through_sources_in_their_order(void **state)
{
    static const struct hf_string_pair pairs[] = {{"my.model", "gen_ai.request.model"},
                                                  {"my.op", "gen_ai.operation.name"}};
    static const char *const keys[] = {"gen_ai.operation.name"}, *const texts[] = {"ask"};
    static const struct hf_value chat = {.type = HF_VALUE_STRING, .string = "chat"};
    static const struct hf_value becomes = {
        .type = HF_VALUE_MAP, .items = &chat, .keys = texts, .count = 1};
    const struct source sources[] = {
        {.name = "mine",
         .mappings = {pairs, 2},
         .value_mappings = {.type = HF_VALUE_MAP, .items = &becomes, .keys = keys, .count = 1}},
        {.name = "openinference"}};
    static const char json[] =
        SPAN("", TEXT("llm.model_name", "b") "," TEXT("my.model", "a") "," TEXT("my.op", "ask"));
    static const char other[] = SPAN("", TEXT("my.op", "ASK"));
    static const char *const first[] = {TEXT("gen_ai.request.model", "a"),
                                        TEXT("gen_ai.operation.name", "chat"), NULL};
    static const char *const same[] = {TEXT("gen_ai.operation.name", "ASK"), NULL};
    (void)state;
    check(&(struct config){.sources = {sources, 2}}, json, first);
    check(&(struct config){.sources = {sources, 2}}, other, same);
}

static void joins_messages(void **state)
{
    static const char
        json[] =
            SPAN(
                "", TEXT(IN("10.message.content"), "last") "," TEXT(IN("0.message.role"), "system") "," TEXT(
                        IN("0.message.content"),
                        "be \\\"good\\\"") "," TEXT(IN("2.message.tool_call_id"),
                                                    "c1") "," TEXT(IN("2.message.content"),
                                                                   "12") "," TEXT(IN("2.message."
                                                                                     "role"),
                                                                                  "user") "," TEXT(IN("1.message.tool_calls.1.tool_call.function.name"), "g") "," TEXT(IN("1.message.tool_calls.1.tool_call.function.arguments"), "{\\\"a\\\":1}") "," TEXT(IN("1.message.tool_calls.0.tool_call.id"), "c0") "," TEXT(IN("1.message.tool_calls.0.tool_call.function.name"), "f") "," TEXT(IN("1.message.tool_calls.0.tool_call.function.arguments"),
                                                                                                                                                                                                                                                                                                                                                                                          "not json") "," TEXT(IN("1.message.tool_calls.0.tool_call.other"), "x") "," TEXT(IN("3.message.contents.0.message_content.type"),
                                                                                                                                                                                                                                                                                                                                                                                                                                                                           "image") "," TEXT(IN("3.message.contents.0.message_content.image"), "i") "," TEXT(IN("3.message.contents.1.message_content.text"), "look") "," TEXT(IN("x.message.role"),
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                               "y") "," TEXT(OUT("0.message.role"),
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             "tool") "," TEXT(OUT("0.message.content"),
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                              "yes") "," TEXT(OUT("0.message.name"),
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                              "n"));
    static const char *const joined[] = {
        "[{\\\"role\\\":\\\"system\\\",\\\"parts\\\":[{\\\"type\\\":\\\"text\\\",\\\"content\\\":"
        "\\\"be \\\\\\\"good\\\\\\\"\\\"}]},"
        "{\\\"role\\\":\\\"assistant\\\",\\\"parts\\\":[{\\\"type\\\":\\\"tool_call\\\",\\\"id\\\":"
        "\\\"c0\\\",\\\"name\\\":\\\"f\\\",\\\"arguments\\\":\\\"not json\\\"},"
        "{\\\"type\\\":\\\"tool_call\\\",\\\"name\\\":\\\"g\\\",\\\"arguments\\\":{\\\"a\\\":1}}]},"
        "{\\\"role\\\":\\\"tool\\\",\\\"parts\\\":[{\\\"type\\\":\\\"tool_call_response\\\","
        "\\\"id\\\":\\\"c1\\\",\\\"response\\\":\\\"12\\\"}]},"
        "{\\\"role\\\":\\\"user\\\",\\\"parts\\\":[{\\\"type\\\":\\\"text\\\",\\\"content\\\":"
        "\\\"look\\\"}]},"
        "{\\\"role\\\":\\\"user\\\",\\\"parts\\\":[{\\\"type\\\":\\\"text\\\",\\\"content\\\":"
        "\\\"last\\\"}]}]",
        "[{\\\"role\\\":\\\"user\\\",\\\"name\\\":\\\"n\\\",\\\"parts\\\":[{\\\"type\\\":\\\"text"
        "\\\",\\\"content\\\":\\\"yes\\\"}],\\\"finish_reason\\\":\\\"\\\"}]",
        "!message.content\"",
        "!function.name",
        "!tool_call_id",
        "!message_content.text",
        /* What no part was made of stays. */
        "tool_calls.0.tool_call.other",
        "0.message_content.image",
        "0.message_content.type",
        "x.message.role",
        NULL,
    };
    static const char taken[] =
        SPAN("", TEXT(IN("0.message.content"), "c") "," TEXT("gen_ai.input.messages", "there"));
    static const char *const left[] = {TEXT("gen_ai.input.messages", "there"), "0.message.content",
                                       NULL};
    const struct source source = {.name = "openinference", .remove_originals = true};
    (void)state;
    check_source(&source, json, joined);
    check_source(&source, taken, left);
}

static void refuses_sources_that_cannot_be(void **state)
{
    static const struct hf_string_pair pairs[] = {{"a", "b"}}, same[] = {{"a", "a"}};
    static const char *const keys[] = {"c"};
    static const struct hf_value texts = {.type = HF_VALUE_MAP};
    const struct source wrong[][2] = {
        {{.name = ""}},
        {{.name = "own"}},
        {{.name = "openinference", .mappings = {pairs, 1}}},
        {{.name = "openllmetry", .value_mappings = {.type = HF_VALUE_MAP}}},
        {{.name = "own", .mappings = {same, 1}}},
        {{.name = "own",
          .mappings = {pairs, 1},
          .value_mappings = {.type = HF_VALUE_MAP, .items = &texts, .keys = keys, .count = 1}}},
        {{.name = "own", .mappings = {pairs, 1}, .value_mappings = {.type = HF_VALUE_STRING}}},
        {{.name = "openinference"}, {.name = "openinference"}},
    };
    (void)state;
    assert_non_null(hf_processor_gen_ai_normalizer.check(&(struct config){0}));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct config config = {.sources = {wrong[i], wrong[i][1].name != NULL ? 2 : 1}};
        if (hf_processor_gen_ai_normalizer.check(&config) == NULL) {
            fail_msg("case %zu", i);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renames_and_keeps_what_is_there),
        cmocka_unit_test(writes_the_type_of_the_conventions),
        cmocka_unit_test(goes_through_sources_in_their_order),
        cmocka_unit_test(joins_messages),
        cmocka_unit_test(refuses_sources_that_cannot_be),
    };
    return cmocka_run_group_tests_name("gen_ai_normalizer", tests, NULL, NULL);
}
