/* routing: what goes where, what is left, and tables that cannot be. */
#include "../passing.h"

#include <stdio.h>
#include <stdlib.h>

#include <holdfast/meta.h>

#include "tests/support/node_stub.c"
#include "tests/unit/made_config.h"

extern const struct hf_component hf_connector_routing;

/* Two resources, a with three records and b with two, of severities 9 and 17. */
#define RECORD(severity) "{\"severityNumber\":" #severity "}"
static const char request[] =
    "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"env\",\"value\":{"
    "\"stringValue\":\"a\"}}]},\"scopeLogs\":[{\"logRecords\":[" RECORD(9) "," RECORD(
        17) "," RECORD(9) "]}]},{\"resource\":{\"attributes\":[{\"key\":\"env\",\"value\":{"
                          "\"stringValue\":\"b\"}}]},"
                          "\"scopeLogs\":[{\"logRecords\":[" RECORD(17) "," RECORD(9) "]}]}]}";

struct running {
    struct hf_node node;
    struct made_config made;
    void *self;
};

static void start_routing(struct running *running, const char *const pairs[][2])
{
    char error[HF_ERROR_MAX] = "";
    *running = (struct running){.node = {.id = "routing"}};
    node_stub_init(&running->node);
    assert_int_equal(hf_metrics_new(&running->node.metrics), HF_OK);
    made_config(&running->made, &hf_connector_routing, pairs);
    const char *refusal = hf_connector_routing.check(running->made.config);
    if (refusal != NULL) {
        fail_msg("%s", refusal);
    }
    if (hf_connector_routing.open(&running->node, running->made.config, &running->self, error) !=
        HF_OK) {
        fail_msg("%s", error);
    }
}

static void stop_routing(struct running *running)
{
    hf_connector_routing.close(running->self);
    hf_metrics_free(running->node.metrics);
    made_config_release(&running->made);
}

/* "0:3 1:2": items by pipeline, in the order in which they were passed on; the status when it
 * failed. */
static void route(struct running *running, struct hf_slice meta, char *ret_text, size_t size)
{
    struct hf_batch *batch = batch_of(HF_LOGS, request, 5, meta);
    enum hf_status status = hf_connector_routing.connector->connect(running->self, batch, NULL);
    size_t at = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; i < passed_count; i++) {
        assert_true(passed[i].batch->raw.size != 0);
        at += (size_t)snprintf(ret_text + at, size - at, "%s%zu:%u", i > 0 ? " " : "", passed[i].to,
                               passed[i].batch->items);
    }
    if (status != HF_OK) {
        snprintf(ret_text, size, "%s", hf_status_row(status)->name);
    }
    forget_passed();
    hf_ref_drop(&batch->ref);
}

#define TABLE(i, key, value)                                                                       \
    {                                                                                              \
        "table." #i "." key, value                                                                 \
    }
#define ENV(x) "resource.attributes[\"env\"] == \"" x "\""

static const struct {
    const char *pairs[14][2];
    const char *expected;
} table_cases[] = {
    {{TABLE(0, "condition", ENV("a")), TABLE(0, "pipelines", "0"), {"default_pipelines", "2"}},
     "0:3 2:2"},
    {{TABLE(0, "condition", ENV("a")), TABLE(0, "pipelines", "0")}, "0:3"},
    /* A path without a prefix is the resource's. */
    {{TABLE(0, "condition", "attributes[\"env\"] == \"b\""), TABLE(0, "pipelines", "0"),
      TABLE(0, "pipelines", "1")},
     "0:2 1:2"},
    {{TABLE(0, "statement", "route()"), TABLE(0, "pipelines", "1"), {"default_pipelines", "2"}},
     "1:5"},
    {{TABLE(0, "statement", "route() where " ENV("z")),
      TABLE(0, "pipelines", "1"),
      {"default_pipelines", "2"}},
     "2:5"},
    /* What is moved is not seen by later routes; what is copied is. */
    {{TABLE(0, "condition", "log.severity_number >= 17"),
      TABLE(0, "pipelines", "0"),
      TABLE(1, "condition", ENV("a")),
      TABLE(1, "pipelines", "1"),
      {"default_pipelines", "2"}},
     "0:2 1:2 2:1"},
    {{TABLE(0, "condition", "log.severity_number >= 17"),
      TABLE(0, "pipelines", "0"),
      TABLE(0, "action", "copy"),
      TABLE(1, "condition", ENV("a")),
      TABLE(1, "pipelines", "1"),
      {"default_pipelines", "2"}},
     "0:2 1:3 2:2"},
    /* The older behaviour: all routes are asked. */
    {{TABLE(0, "condition", ENV("a")),
      TABLE(0, "pipelines", "0"),
      TABLE(1, "condition", "resource.attributes[\"env\"] != nil"),
      TABLE(1, "pipelines", "1"),
      {"match_once", "false"},
      {"default_pipelines", "2"}},
     "0:3 1:5"},
    {{TABLE(0, "condition", ENV("a")),
      TABLE(0, "pipelines", "0"),
      {"match_once", "false"},
      {"default_pipelines", "2"}},
     "0:3 2:2"},
    {{TABLE(0, "context", "request"),
      TABLE(0, "condition", "request[\"X-Tenant\"] == \"acme\""),
      TABLE(0, "pipelines", "0"),
      {"default_pipelines", "2"}},
     "0:5"},
    {{TABLE(0, "context", "request"),
      TABLE(0, "condition", "request[\"X-Tenant\"] != \"acme\""),
      TABLE(0, "pipelines", "0"),
      {"default_pipelines", "2"}},
     "2:5"},
    {{TABLE(0, "context", "request"),
      TABLE(0, "condition", "request[\"x-none\"] != \"acme\""),
      TABLE(0, "pipelines", "0"),
      {"default_pipelines", "2"}},
     "2:5"},
    {{TABLE(0, "context", "request"),
      TABLE(0, "condition", "request[\"x-tenant\"] == \"acme\""),
      TABLE(0, "pipelines", "0"),
      TABLE(0, "action", "copy"),
      {"default_pipelines", "2"}},
     "0:5 2:5"},
    /* The signal has no such context. */
    {{TABLE(0, "condition", "span.name == \"x\""),
      TABLE(0, "pipelines", "0"),
      {"default_pipelines", "2"}},
     "2:5"},
    /* An error is no match, or refuses all. */
    {{TABLE(0, "condition", "Int(resource.attributes[\"env\"][\"x\"]) > 0"),
      TABLE(0, "pipelines", "0"),
      {"default_pipelines", "2"}},
     "2:5"},
    {{TABLE(0, "condition", "Int(resource.attributes[\"env\"][\"x\"]) > 0"),
      TABLE(0, "pipelines", "0"),
      {"default_pipelines", "2"},
      {"error_mode", "propagate"}},
     "invalid"},
};

static void sends_what_the_table_says(void **state)
{
    (void)state;
    struct hf_meta_writer meta = {.size = 0};
    assert_int_equal(
        hf_meta_add(&meta, HF_META_HEADER, hf_slice_text("x-tenant"), hf_slice_text("acme")),
        HF_OK);
    for (size_t i = 0; i < sizeof(table_cases) / sizeof(table_cases[0]); i++) {
        struct running running;
        char text[200];
        start_routing(&running, table_cases[i].pairs);
        route(&running, hf_slice_of(meta.bytes, meta.size), text, sizeof(text));
        if (strcmp(text, table_cases[i].expected) != 0) {
            fail_msg("case %zu: %s, expected %s", i, text, table_cases[i].expected);
        }
        stop_routing(&running);
    }
}

static void takes_keys_away_on_the_way(void **state)
{
    static const char *const pairs[][2] = {
        TABLE(0, "statement", "delete_key(resource.attributes, \"env\") where " ENV("a")),
        TABLE(0, "pipelines", "0"),
        {"default_pipelines", "1"},
        {NULL, NULL}};
    struct running running;
    struct hf_batch *batch = batch_of(HF_LOGS, request, 5, HF_EMPTY_SLICE);
    (void)state;
    start_routing(&running, pairs);
    assert_int_equal(hf_connector_routing.connector->connect(running.self, batch, NULL), HF_OK);
    assert_int_equal(passed_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct hf_batch *made = passed[i].batch;
        assert_int_equal(made->items, i == 0 ? 3 : 2);
        bool has_key = memmem(made->raw.data, made->raw.size, "env", 3) != NULL;
        assert_int_equal(has_key, i == 1);
    }
    forget_passed();
    hf_ref_drop(&batch->ref);
    stop_routing(&running);
}

static void passes_a_whole_batch_on_as_it_is(void **state)
{
    static const char *const pairs[][2] = {
        TABLE(0, "statement", "route()"), TABLE(0, "pipelines", "0"), {NULL, NULL}};
    struct running running;
    struct hf_batch *batch = batch_of(HF_LOGS, request, 5, HF_EMPTY_SLICE);
    (void)state;
    start_routing(&running, pairs);
    assert_int_equal(hf_connector_routing.connector->connect(running.self, batch, NULL), HF_OK);
    assert_int_equal(passed_count, 1);
    assert_ptr_equal(passed[0].batch, batch);
    forget_passed();
    hf_ref_drop(&batch->ref);
    stop_routing(&running);
}

static void says_what_is_wrong_with_a_table(void **state)
{
    const struct {
        const char *pairs[8][2];
        const char *says;
    } cases[] = {
        {{{"error_mode", "ignore"}}, "the routing table is empty"},
        {{TABLE(0, "pipelines", "0")}, "no condition or statement provided"},
        {{TABLE(0, "condition", "true"), TABLE(0, "statement", "route()"),
          TABLE(0, "pipelines", "0")},
         "both condition and statement provided"},
        {{TABLE(0, "condition", "true")}, "no pipelines defined"},
        {{TABLE(0, "statement", "set(resource.attributes[\"a\"], 1)"), TABLE(0, "pipelines", "0")},
         "table[0]: statement: expected route()"},
        {{TABLE(0, "condition", "resource.attribute[\"a\"] == 1"), TABLE(0, "pipelines", "0")},
         "table[0]::condition"},
        {{TABLE(0, "condition", "a b"), TABLE(0, "pipelines", "0")}, "table[0]::condition"},
        {{TABLE(0, "context", "request"), TABLE(0, "statement", "route()"),
          TABLE(0, "pipelines", "0")},
         "\"request\" context requires a 'condition'"},
        {{TABLE(0, "context", "request"), TABLE(0, "condition", "x == \"y\""),
          TABLE(0, "pipelines", "0")},
         "expected request[\"key\"] == \"value\""},
        {{TABLE(0, "context", "request"),
          TABLE(0, "condition", "request[\"a\"] == \"b\" or request[\"a\"] == \"c\""),
          TABLE(0, "pipelines", "0")},
         "expected request[\"key\"] == \"value\""},
        {{TABLE(0, "condition", "log.body == \"x\""),
          TABLE(0, "pipelines", "0"),
          {"match_once", "false"}},
         "match_once: false is only for the context resource"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct made_config made = {0};
        made_config(&made, &hf_connector_routing, cases[i].pairs);
        const char *says = hf_connector_routing.check(made.config);
        if (says == NULL || strstr(says, cases[i].says) == NULL) {
            fail_msg("case %zu: %s", i, says != NULL ? says : "no error");
        }
        made_config_release(&made);
    }
}

static void names_its_pipelines_and_the_metadata_that_it_reads(void **state)
{
    static const char *const pairs[][2] = {{"default_pipelines", "3"},
                                           TABLE(0, "context", "request"),
                                           TABLE(0, "condition", "request[\"X-Tenant\"] == \"a\""),
                                           TABLE(0, "pipelines", "0"),
                                           TABLE(0, "pipelines", "1"),
                                           TABLE(1, "condition", "true"),
                                           TABLE(1, "pipelines", "2"),
                                           {NULL, NULL}};
    static const char *const named[] = {"3", "0", "1", "2", NULL};
    struct running running;
    size_t count = 0;
    (void)state;
    output_count = 4;
    start_routing(&running, pairs);
    const char *const *keys = hf_connector_routing.connector->context_keys(running.self, &count);
    assert_int_equal(count, 1);
    assert_string_equal(keys[0], "x-tenant");
    for (size_t i = 0; i < 5; i++) {
        const char *id = hf_connector_routing.connector->pipeline_named(running.made.config, i);
        assert_true(named[i] == NULL ? id == NULL : strcmp(id, named[i]) == 0);
    }
    stop_routing(&running);
    output_count = 3;
}

int main(void)
{
    output_signal = HF_LOGS;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_what_the_table_says),
        cmocka_unit_test(takes_keys_away_on_the_way),
        cmocka_unit_test(passes_a_whole_batch_on_as_it_is),
        cmocka_unit_test(says_what_is_wrong_with_a_table),
        cmocka_unit_test(names_its_pipelines_and_the_metadata_that_it_reads),
    };
    return cmocka_run_group_tests_name("routing", tests, NULL, NULL);
}
