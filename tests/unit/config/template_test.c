/* Receivers that a component starts later: what is checked of them at load. */
#include "support.h"

struct target {
    const char *address;
    int64_t port;
};

struct started {
    const char *endpoint;
    int64_t port;
    uint64_t interval_ns;
    struct target main;
    struct hf_struct_list targets;
    struct hf_string_list names;
    const char *auth;
};

static const struct hf_field target_fields[] = {
    {.key = "address", .type = HF_FIELD_STRING, .offset = offsetof(struct target, address)},
    {.key = "port", .type = HF_FIELD_INT, .offset = offsetof(struct target, port)},
    HF_FIELDS_END,
};

static const struct hf_field started_fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct started, endpoint),
     .required = true},
    {.key = "port", .type = HF_FIELD_INT, .offset = offsetof(struct started, port)},
    {.key = "interval", .type = HF_FIELD_DURATION, .offset = offsetof(struct started, interval_ns)},
    {.key = "main",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct started, main),
     .inner = target_fields},
    {.key = "targets",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = offsetof(struct started, targets),
     .inner = target_fields,
     .inner_size = sizeof(struct target)},
    {.key = "names", .type = HF_FIELD_STRING_LIST, .offset = offsetof(struct started, names)},
    {.key = "authenticator", .type = HF_FIELD_REF, .offset = offsetof(struct started, auth)},
    HF_FIELDS_END,
};

static const char *check_started(const void *config)
{
    const struct started *started = config;
    return started->port == 13 ? "port: 13 brings no luck" : NULL;
}

static const struct hf_component started_receiver = {
    .type = "started",
    .kind = HF_RECEIVER,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct started),
    .fields = started_fields,
    .check = check_started,
};

struct template
{
    struct hf_value config;
};

struct starter {
    struct hf_struct_map receivers;
    struct hf_string_list watched;
};

static const struct hf_field template_fields[] = {
    {.key = "config", .type = HF_FIELD_VALUE, .offset = offsetof(struct template, config)},
    HF_FIELDS_END,
};

static const struct hf_field starter_fields[] = {
    {.key = "receivers",
     .type = HF_FIELD_STRUCT_MAP,
     .offset = offsetof(struct starter, receivers),
     .inner = template_fields,
     .inner_size = sizeof(struct template),
     .is_templates = true},
    {.key = "watch_observers",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct starter, watched),
     .is_refs = true},
    HF_FIELDS_END,
};

static const struct hf_component starter = {
    .type = "starter",
    .kind = HF_RECEIVER,
    .signals = HF_ALL_SIGNALS,
    .config_size = sizeof(struct starter),
    .fields = starter_fields,
};

static const struct hf_component sink = {
    .type = "sink", .kind = HF_EXPORTER, .signals = HF_ALL_SIGNALS};

static const struct hf_component other = {.type = "other", .kind = HF_EXTENSION};

static const struct hf_component *const components[] = {&starter, &started_receiver, &sink, &other,
                                                        NULL};

/* `keys` are those of the starter. */
static void check(const char *keys, const char *findings)
{
    char text[1000];
    snprintf(text, sizeof(text),
             "receivers:\n  starter: {%s}\nexporters: {sink: }\nextensions: {other: }\n"
             "service:\n  extensions: [other]\n  pipelines: {logs: {receivers: [starter], "
             "exporters: [sink]}}\n",
             keys);
    struct loaded loaded = load_text(components, text);
    assert_findings(&loaded, findings);
    loaded_free(&loaded);
}

#define AT "E f:2:"
#define PATH "receivers::starter: receivers"

static void a_good_one_is_taken(void **state)
{
    (void)state;
    check("receivers: {started: , started/2: {config: {port: 1, names: [a]}}}", "");
    check(
        "receivers: {started: {config: {endpoint: '`endpoint`', port: '`port`', names: ['`a`']}}}",
        "");
    check("receivers: {started: {config: {main: {port: '`port`'}, targets: [{port: '`port`'}]}}}",
          "");
}

static void a_type_must_be_built_in(void **state)
{
    (void)state;
    check("receivers: {strated/2: }",
          AT "25: " PATH ": unknown type: \"strated\" for id: \"strated/2\"; did you mean "
             "\"started\"? (valid values: [started starter])\n");
}

static void what_has_no_expression_is_checked_as_a_whole(void **state)
{
    (void)state;
    check("receivers: {started: {config: {prot: 1}}}",
          AT "44: " PATH "::started::config::prot: unknown key; did you mean \"port\"? "
             "('receivers::started::config' has invalid keys: prot)\n");
    check("receivers: {started: {config: {port: x}}}",
          AT "50: " PATH "::started::config::port: expected a whole number, got \"x\"\n");
    check("receivers: {started: {config: {port: 13}}}",
          AT "25: " PATH "::started::config: port: 13 brings no luck\n");
    check("receivers: {started: {config: {authenticator: other}}}",
          AT "59: " PATH "::started::config::authenticator: extension \"other\" is not an "
             "authenticator\n");
}

static void beside_expressions_all_else_is_checked(void **state)
{
    (void)state;
    check("receivers: {started: {config: {endpoint: '`a`', prot: 1}}}",
          AT "61: " PATH "::started::config::prot: unknown key; did you mean \"port\"? "
             "('receivers::started::config' has invalid keys: prot)\n");
    check("receivers: {started: {config: {endpoint: '`a`', main: {port: x}}}}",
          AT "74: " PATH "::started::config::main::port: expected a whole number, got \"x\"\n");
    check("receivers: {started: {config: {targets: [{address: '`a`', port: x}]}}}", AT
          "77: " PATH "::started::config::targets[0]::port: expected a whole number, got \"x\"\n");
    check("receivers: {started: {config: {targets: [{address: '`a`', prot: 1}]}}}",
          AT "71: " PATH "::started::config::targets[0]::prot: unknown key; did you mean \"port\"? "
             "('receivers::started::config::targets[0]' has invalid keys: prot)\n");
}

static void observers_must_be_such(void **state)
{
    (void)state;
    check("watch_observers: [other]",
          AT "30: receivers::starter: watch_observers[0]: extension \"other\" is no observer\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_one_is_taken),
        cmocka_unit_test(a_type_must_be_built_in),
        cmocka_unit_test(what_has_no_expression_is_checked_as_a_whole),
        cmocka_unit_test(beside_expressions_all_else_is_checked),
        cmocka_unit_test(observers_must_be_such),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
