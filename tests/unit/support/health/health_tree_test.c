/* How several parts are one, and what a rule takes for healthy. */
#include "support/health/health_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#define NONE HF_STATE_NONE
#define STARTING HF_STATE_STARTING
#define OK HF_STATE_OK
#define RECOVERABLE HF_STATE_RECOVERABLE_ERROR
#define PERMANENT HF_STATE_PERMANENT_ERROR
#define FATAL HF_STATE_FATAL_ERROR
#define STOPPING HF_STATE_STOPPING
#define STOPPED HF_STATE_STOPPED
#define PARTS 3

/* The components of a made-up graph. */
struct hf_node {
    const struct hf_component_view *views;
    size_t count;
};

void hf_node_view_components(const struct hf_node *node,
                             void (*visit)(void *user, const struct hf_component_view *view),
                             void *user)
{
    for (size_t i = 0; i < node->count; i++) {
        visit(user, &node->views[i]);
    }
}

const char *hf_state_name(enum hf_state state)
{
    static const char *const names[] = {"none",      "starting", "ok",       "recoverable",
                                        "permanent", "fatal",    "stopping", "stopped"};
    return names[state];
}

static void takes_the_most_relevant_state(void **state)
{
    static const struct {
        enum hf_state parts[PARTS], all, recoverable_first;
    } rows[] = {
        {{OK, OK, OK}, OK, OK},
        {{STOPPED, STOPPED, STOPPED}, STOPPED, STOPPED},
        {{NONE, NONE, NONE}, NONE, NONE},
        {{OK, NONE, OK}, NONE, NONE},
        {{OK, STARTING, NONE}, STARTING, STARTING},
        {{OK, STOPPING, RECOVERABLE}, STOPPING, STOPPING},
        {{OK, STOPPED, OK}, STOPPING, STOPPING},
        {{STARTING, STOPPING, FATAL}, FATAL, FATAL},
        {{OK, RECOVERABLE, OK}, RECOVERABLE, RECOVERABLE},
        {{OK, PERMANENT, OK}, PERMANENT, PERMANENT},
        {{PERMANENT, RECOVERABLE, OK}, PERMANENT, RECOVERABLE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_state_look looks[PARTS] = {0};
        for (size_t k = 0; k < PARTS; k++) {
            looks[k].state = rows[i].parts[k];
        }
        assert_int_equal(hf_health_aggregate(looks, PARTS, false).state, rows[i].all);
        assert_int_equal(hf_health_aggregate(looks, PARTS, true).state, rows[i].recoverable_first);
    }
}

static void has_the_first_time_of_an_error_and_the_last_of_all_else(void **state)
{
    const struct hf_state_look errors[PARTS] = {
        {OK, 5, ""}, {RECOVERABLE, 4, "later"}, {RECOVERABLE, 3, "first"}};
    const struct hf_state_look good[PARTS] = {{OK, 5, ""}, {OK, 7, ""}, {OK, 6, ""}};
    const struct hf_state_look mixed[PARTS] = {{OK, 5, ""}, {NONE, 7, ""}, {OK, 6, ""}};
    (void)state;
    struct hf_state_look all = hf_health_aggregate(errors, PARTS, false);
    assert_int_equal(all.since_unix_ns, 3);
    assert_string_equal(all.error, "first");
    assert_int_equal(hf_health_aggregate(good, PARTS, false).since_unix_ns, 7);
    assert_int_equal(hf_health_aggregate(mixed, PARTS, false).since_unix_ns, 7);
    assert_string_equal(hf_health_aggregate(mixed, PARTS, false).error, "");
}

static void counts_errors_as_the_rule_says(void **state)
{
    static const struct {
        struct hf_health_rule rule;
        enum hf_state state;
        uint64_t now_ns;
        bool good;
    } rows[] = {
        {{false, false, false, 0}, FATAL, 200, true},
        {{true, false, false, 0}, FATAL, 200, false},
        {{true, false, false, 0}, PERMANENT, 200, true},
        {{true, true, false, 0}, PERMANENT, 200, false},
        {{true, true, false, 0}, RECOVERABLE, 200, true},
        {{true, false, true, 0}, RECOVERABLE, 100, false},
        {{true, false, true, 50}, RECOVERABLE, 149, true},
        {{true, false, true, 50}, RECOVERABLE, 150, false},
        {{true, true, true, 50}, OK, 200, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct hf_state_look look = {rows[i].state, 100, ""};
        assert_int_equal(hf_health_is_good(&rows[i].rule, &look, rows[i].now_ns), rows[i].good);
    }
}

static const struct hf_component extension = {.type = "eye", .kind = HF_EXTENSION};
static const struct hf_component receiver = {.type = "in", .kind = HF_RECEIVER};
static const struct hf_component exporter = {.type = "out", .kind = HF_EXPORTER};
static const struct hf_component_view views[] = {
    {.component = &extension, .id = "eye", .place = HF_EXTENSION, .look = {OK, 1, ""}},
    {&receiver, "in", "traces", HF_TRACES, HF_RECEIVER, {OK, 2, ""}},
    {&exporter, "out\"1", "traces", HF_TRACES, HF_EXPORTER, {RECOVERABLE, 1500000000, "a <b>\n"}},
    {&receiver, "in", "logs", HF_LOGS, HF_RECEIVER, {OK, 3, ""}},
};

static struct hf_health_tree *make_tree(const struct hf_health_rule *rule)
{
    static const struct hf_node node = {views, sizeof(views) / sizeof(views[0])};
    struct hf_health_tree *tree = NULL;
    assert_int_equal(hf_health_tree_new(&node, rule, &tree), HF_OK);
    return tree;
}

static void finds_the_whole_the_extensions_and_each_pipeline(void **state)
{
    static const struct hf_health_rule rule = {0};
    struct hf_health_tree *tree = make_tree(&rule);
    (void)state;
    assert_int_equal(hf_health_find(tree, hf_slice_text(""))->state, RECOVERABLE);
    assert_int_equal(hf_health_find(tree, hf_slice_text("extensions"))->state, OK);
    assert_int_equal(hf_health_find(tree, hf_slice_text("traces"))->state, RECOVERABLE);
    assert_int_equal(hf_health_find(tree, hf_slice_text("logs"))->state, OK);
    assert_null(hf_health_find(tree, hf_slice_text("trace")));
    hf_health_tree_free(tree);
}

static void prints_a_part_as_json(void **state)
{
    static const struct {
        const char *scope;
        bool verbose, attributes, is_refusing;
        const char *text;
    } rows[] = {
        {"", false, false, false,
         "{\"start_time\":\"1970-01-01T00:00:00Z\",\"healthy\":false,\"status\":\"recoverable\","
         "\"error\":\"a <b>\\n\",\"status_time\":\"1970-01-01T00:00:01.5Z\"}"},
        {"logs", false, true, true,
         "{\"start_time\":\"1970-01-01T00:00:00Z\",\"healthy\":false,\"status\":\"ok\","
         "\"status_time\":\"1970-01-01T00:00:00.000000003Z\",\"attributes\":{}}"},
        {"traces", true, false, false,
         "{\"start_time\":\"1970-01-01T00:00:00Z\",\"healthy\":false,\"status\":\"recoverable\","
         "\"error\":\"a <b>\\n\",\"status_time\":\"1970-01-01T00:00:01.5Z\",\"components\":{"
         "\"receiver:in\":{\"healthy\":true,\"status\":\"ok\",\"status_time\":"
         "\"1970-01-01T00:00:00.000000002Z\"},"
         "\"exporter:out\\\"1\":{\"healthy\":false,\"status\":\"recoverable\",\"error\":"
         "\"a <b>\\n\",\"status_time\":\"1970-01-01T00:00:01.5Z\"}}}"},
    };
    static const struct hf_health_rule rule = {true, false, true, 0};
    struct hf_health_tree *tree = make_tree(&rule);
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_bytes out = {0};
        const struct hf_health_print print = {.scope = hf_slice_text(rows[i].scope),
                                              .verbose = rows[i].verbose,
                                              .attributes = rows[i].attributes,
                                              .rule = &rule,
                                              .now_unix_ns = 2000000000,
                                              .is_refusing = rows[i].is_refusing};
        assert_int_equal(hf_health_print(tree, &print, &out), HF_OK);
        assert_int_equal(hf_bytes_append(&out, hf_slice_of("", 1)), HF_OK);
        assert_string_equal((const char *)out.data, rows[i].text);
        hf_bytes_release(&out);
    }
    hf_health_tree_free(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_most_relevant_state),
        cmocka_unit_test(has_the_first_time_of_an_error_and_the_last_of_all_else),
        cmocka_unit_test(counts_errors_as_the_rule_says),
        cmocka_unit_test(finds_the_whole_the_extensions_and_each_pipeline),
        cmocka_unit_test(prints_a_part_as_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
