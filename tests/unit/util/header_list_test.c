/* header_list: configured headers, those of an authenticator, and where they have an end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

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

static void explain(void *self, char *ret_text, size_t room)
{
    snprintf(ret_text, room, "%s", (const char *)self);
}

static const struct hf_auth giving = {.headers = add_tenant}, poor = {.headers = have_nothing},
                            honest = {.headers = have_nothing, .explain = explain},
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
    assert_int_equal(
        hf_header_list_fill(&list, HF_HEADERS_HTTP, &configured, NULL, NULL, HF_EMPTY_SLICE),
        HF_OK);
    assert_int_equal(list.count, 2);
    assert_true(has("x-tenant", "red"));
    assert_true(has("x-zone", ""));
}

static void lets_an_authenticator_replace_one(void **state)
{
    char blue[] = "blue";
    (void)state;
    assert_int_equal(
        hf_header_list_fill(&list, HF_HEADERS_HTTP, &configured, &giving, blue, HF_EMPTY_SLICE),
        HF_OK);
    assert_int_equal(list.count, 2);
    assert_true(has("x-tenant", "blue"));
}

static void says_what_an_authenticator_says(void **state)
{
    (void)state;
    assert_int_equal(
        hf_header_list_fill(&list, HF_HEADERS_HTTP, &configured, &poor, NULL, HF_EMPTY_SLICE),
        HF_UNAUTHENTICATED);
}

static void says_why_an_authenticator_has_nothing(void **state)
{
    static const struct {
        const char *explained, *says;
    } rows[] = {{"the token endpoint answered 503", "the token endpoint answered 503"},
                {"", "the authenticator has no credentials: missing or wrong credentials"}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[64];
        snprintf(text, sizeof(text), "%s", rows[i].explained);
        assert_int_equal(
            hf_header_list_fill(&list, HF_HEADERS_HTTP, &configured, &honest, text, HF_EMPTY_SLICE),
            HF_UNAUTHENTICATED);
        assert_string_equal(list.why, rows[i].says);
    }
}

static void too_many_are_no_fault_of_the_data(void **state)
{
    (void)state;
    assert_int_equal(
        hf_header_list_fill(&list, HF_HEADERS_HTTP, &configured, &endless, NULL, HF_EMPTY_SLICE),
        HF_AGAIN);
}

/* An authenticator of one header: "name=value". */
static enum hf_status add_one(void *self, struct hf_slice meta, struct hf_header_sink *sink)
{
    const char *text = self;
    size_t size = strcspn(text, "=");
    (void)meta;
    return sink->add(sink, hf_slice_of(text, size), hf_slice_text(text + size + 1));
}

static const struct hf_auth one = {.headers = add_one};

static void trims_values(void **state)
{
    char text[] = "x-tenant= \tred ";
    (void)state;
    assert_int_equal(
        hf_header_list_fill(&list, HF_HEADERS_HTTP, &configured, &one, text, HF_EMPTY_SLICE),
        HF_OK);
    assert_true(has("x-tenant", "red"));
}

static void refuses_for_good_what_cannot_be_sent(void **state)
{
    static const struct {
        const char *text;
        enum hf_header_use use;
        enum hf_status status;
    } rows[] = {
        {"x-tenant=a\r\nEvil: 1", HF_HEADERS_HTTP, HF_INVALID},
        {"x-tenant=a\r\nEvil: 1", HF_HEADERS_GRPC, HF_INVALID},
        {"x-tenant=a\x01"
         "b",
         HF_HEADERS_GRPC, HF_INVALID},
        {"x tenant=a", HF_HEADERS_HTTP, HF_INVALID},
        {"=a", HF_HEADERS_HTTP, HF_INVALID},
        {"x-id-bin=a\r\n", HF_HEADERS_HTTP, HF_INVALID},
        {"x-id-bin=a\r\n", HF_HEADERS_GRPC, HF_OK},
        {"x-tenant=caf\xc3\xa9", HF_HEADERS_HTTP, HF_OK},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[64];
        snprintf(text, sizeof(text), "%s", rows[i].text);
        assert_int_equal(
            hf_header_list_fill(&list, rows[i].use, &configured, &one, text, HF_EMPTY_SLICE),
            rows[i].status);
        assert_int_equal(strstr(list.why, "cannot be formed") != NULL,
                         rows[i].status == HF_INVALID);
        assert_null(strchr(list.why, '\n'));
    }
}

static void leaves_out_what_is_of_grpc(void **state)
{
    static const char *const texts[] = {"Content-Type=x", "grpc-timeout=1S", "te=x"};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char text[64];
        snprintf(text, sizeof(text), "%s", texts[i]);
        assert_int_equal(
            hf_header_list_fill(&list, HF_HEADERS_GRPC, &configured, &one, text, HF_EMPTY_SLICE),
            HF_OK);
        assert_int_equal(list.count, 2);
    }
}

static void finds_a_header(void **state)
{
    (void)state;
    assert_int_equal(
        hf_header_list_fill(&list, HF_HEADERS_HTTP, &configured, NULL, NULL, HF_EMPTY_SLICE),
        HF_OK);
    assert_ptr_equal(hf_header_find(list.items, list.count, "x-zone"), &list.items[1]);
    assert_null(hf_header_find(list.items, list.count, "x-zon"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_configured_ones_in_lower_case),
        cmocka_unit_test(lets_an_authenticator_replace_one),
        cmocka_unit_test(says_what_an_authenticator_says),
        cmocka_unit_test(says_why_an_authenticator_has_nothing),
        cmocka_unit_test(too_many_are_no_fault_of_the_data),
        cmocka_unit_test(trims_values),
        cmocka_unit_test(refuses_for_good_what_cannot_be_sent),
        cmocka_unit_test(leaves_out_what_is_of_grpc),
        cmocka_unit_test(finds_a_header),
    };
    return cmocka_run_group_tests_name("header_list", tests, NULL, NULL);
}
