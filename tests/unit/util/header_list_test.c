/* header_list: configured headers, those of an authenticator, and where they have an end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "util/header_list.h"

static struct hf_header_list list;

static enum hf_status add_tenant(void *self, struct hf_slice meta, struct hf_header_sink *sink)
{
    (void)meta;
    return sink->add(sink, hf_slice_text("X-Tenant"), hf_slice_text(self));
}

static enum hf_status have_nothing(void *self, struct hf_slice meta, struct hf_header_sink *sink)
{
    (void)self;
    (void)meta;
    (void)sink;
    return HF_UNAUTHENTICATED;
}

static enum hf_status add_without_end(void *self, struct hf_slice meta, struct hf_header_sink *sink)
{
    char name[] = "x-0000";
    enum hf_status status = HF_OK;
    (void)self;
    (void)meta;
    for (int i = 0; i < 9999 && status == HF_OK; i++) {
        snprintf(name, sizeof(name), "x-%04d", i);
        status = sink->add(sink, hf_slice_text(name), HF_EMPTY_SLICE);
    }
    return status;
}

static const struct hf_auth giving = {.headers = add_tenant}, poor = {.headers = have_nothing},
                            endless = {.headers = add_without_end};
static struct hf_string_pair two[] = {{"X-Tenant", "red"}, {"x-zone", ""}};
static const struct hf_string_map configured = {.items = two, .count = 2};

static bool has(const char *name, const char *value)
{
    for (size_t i = 0; i < list.count; i++) {
        if (hf_slice_is(list.items[i].name, name)) {
            return hf_slice_is(list.items[i].value, value);
        }
    }
    return false;
}

static void has_the_configured_ones_in_lower_case(void **state)
{
    (void)state;
    assert_int_equal(hf_header_list_fill(&list, HF_HEADERS_HTTP, &configured, NULL, NULL, HF_EMPTY_SLICE), HF_OK);
    assert_int_equal(list.count, 2);
    assert_true(has("x-tenant", "red"));
    assert_true(has("x-zone", ""));
}

static void lets_an_authenticator_replace_one(void **state)
{
    char blue[] = "blue";
    (void)state;
    assert_int_equal(hf_header_list_fill(&list, HF_HEADERS_HTTP, &configured, &giving, blue, HF_EMPTY_SLICE), HF_OK);
    assert_int_equal(list.count, 2);
    assert_true(has("x-tenant", "blue"));
}

static void says_what_an_authenticator_says(void **state)
{
    (void)state;
    assert_int_equal(hf_header_list_fill(&list, HF_HEADERS_HTTP, &configured, &poor, NULL, HF_EMPTY_SLICE),
                     HF_UNAUTHENTICATED);
}

static void too_many_are_no_fault_of_the_data(void **state)
{
    (void)state;
    assert_int_equal(hf_header_list_fill(&list, HF_HEADERS_HTTP, &configured, &endless, NULL, HF_EMPTY_SLICE),
                     HF_AGAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_configured_ones_in_lower_case),
        cmocka_unit_test(lets_an_authenticator_replace_one),
        cmocka_unit_test(says_what_an_authenticator_says),
        cmocka_unit_test(too_many_are_no_fault_of_the_data),
    };
    return cmocka_run_group_tests_name("header_list", tests, NULL, NULL);
}
