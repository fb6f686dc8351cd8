#include "support/discovery/endpoints.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <holdfast/component.h>

#include "tests/support/node_stub.c"

static struct hf_node node = {.id = "observer"};

static struct hf_endpoint *make(const char *id, const char *label)
{
    struct hf_endpoint_draft draft;
    hf_draft_begin(&draft, "pod", 3);
    draft.id = hf_draft_print(&draft, "%s", id);
    draft.target = hf_draft_print(&draft, "10.0.0.1:%d", 80);
    hf_draft_text(&draft, &draft.variables, "name", hf_slice_text(id));
    hf_draft_number(&draft, &draft.variables, "port", 80);
    struct hf_value *labels = hf_draft_map(&draft, &draft.variables, "labels", 1);
    hf_draft_text(&draft, labels, "a", hf_slice_text(label));
    struct hf_endpoint *endpoint = hf_draft_end(&draft);
    assert_non_null(endpoint);
    return endpoint;
}

static void list(void *user, struct hf_endpoint *endpoint)
{
    char *text = user;
    snprintf(text + strlen(text), 200 - strlen(text), "%s ", endpoint->id);
}

static void assert_shown(struct hf_endpoints *table, const char *expected)
{
    char text[200] = "";
    hf_endpoints_each(table, list, text);
    assert_string_equal(text, expected);
}

static void set(struct hf_endpoints *table, const char *owner, const char *id, const char *label)
{
    struct hf_endpoint *item = id != NULL ? make(id, label) : NULL;
    hf_endpoints_set(table, hf_slice_text(owner), &item, id != NULL ? 1 : 0);
}

static void a_draft_becomes_an_endpoint(void **state)
{
    struct hf_endpoint *endpoint = make("a", "x");
    (void)state;
    assert_string_equal(endpoint->target, "10.0.0.1:80");
    assert_int_equal(endpoint->variables.count, 3);
    assert_string_equal(endpoint->variables.keys[1], "port");
    assert_int_equal(endpoint->variables.items[1].integer, 80);
    assert_string_equal(endpoint->variables.items[1].string, "80");
    assert_string_equal(endpoint->variables.items[2].keys[0], "a");
    assert_string_equal(endpoint->variables.items[2].items[0].string, "x");
    hf_ref_drop(&endpoint->ref);
}

static void only_a_change_makes_a_new_version(void **state)
{
    struct hf_endpoints table;
    (void)state;
    hf_endpoints_init(&table, &node);
    uint64_t version = hf_endpoints_version(&table);
    set(&table, "two", "b", "x");
    set(&table, "one", "a", "x");
    assert_shown(&table, "a b ");
    assert_int_equal(hf_endpoints_version(&table), version + 2);
    set(&table, "two", "b", "x"); /* the same */
    set(&table, "none", NULL, NULL);
    assert_int_equal(hf_endpoints_version(&table), version + 2);
    set(&table, "two", "b", "y"); /* another label */
    assert_int_equal(hf_endpoints_version(&table), version + 3);
    set(&table, "one", NULL, NULL);
    assert_shown(&table, "b ");
    assert_int_equal(hf_endpoints_version(&table), version + 4);
    hf_endpoints_release(&table);
}

static bool is_two(void *user, struct hf_slice owner)
{
    (void)user;
    return hf_slice_is(owner, "two");
}

static void others_than_those_that_stay_are_removed(void **state)
{
    struct hf_endpoints table;
    (void)state;
    hf_endpoints_init(&table, &node);
    set(&table, "one", "a", "x");
    set(&table, "two", "b", "x");
    set(&table, "three", "c", "x");
    hf_endpoints_keep(&table, is_two, NULL);
    assert_shown(&table, "b ");
    hf_endpoints_release(&table);
}

static void more_than_there_is_room_for_are_left_out_and_told(void **state)
{
    struct hf_endpoints table;
    (void)state;
    node_stub_init(&node);
    hf_endpoints_init(&table, &node);
    for (unsigned i = 0; i <= HF_ENDPOINTS_MAX; i++) {
        char name[20];
        snprintf(name, sizeof(name), "%05u", i);
        set(&table, name, name, "x");
    }
    assert_int_equal(table.count, HF_ENDPOINTS_MAX);
    assert_non_null(strstr(node.log, "endpoints are left out"));
    set(&table, "00001", NULL, NULL);
    set(&table, "more", "more", "x");
    assert_int_equal(table.count, HF_ENDPOINTS_MAX);
    hf_endpoints_release(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_draft_becomes_an_endpoint),
        cmocka_unit_test(only_a_change_makes_a_new_version),
        cmocka_unit_test(others_than_those_that_stay_are_removed),
        cmocka_unit_test(more_than_there_is_room_for_are_left_out_and_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
