/* Endpoints of slices, counted by service, address type and zone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "components/receivers/k8s_cluster/endpoints.h"
#include "tests/support/node_stub.c"

#define SLICES 2
#define HEAD(type)                                                                                 \
    "{\"metadata\":{\"namespace\":\"shop\",\"labels\":{\"kubernetes.io/service-name\":\"web\"}},"  \
    "\"addressType\":" type ",\"endpoints\":"

static void describe(struct record *record, const char *text)
{
    struct hf_arena arena = {.limit = 1 << 20};
    const struct hf_json *json = NULL;
    char error[HF_JSON_ERROR_MAX];
    assert_int_equal(hf_json_read(hf_slice_text(text), &arena, &json, error), HF_OK);
    cluster_describe_slice(record, NULL, json);
    assert_false(record->failed);
    hf_arena_release(&arena);
}

static void slices_of_a_service_are_added_up(void **state)
{
    (void)state;
    static const char *const texts[SLICES] = {
        HEAD("\"IPv4\"") "[{\"zone\":\"a\"},{\"zone\":\"b\",\"conditions\":{\"ready\":false}}]}",
        HEAD("\"IPv4\"") "[{\"zone\":\"a\",\"conditions\":{\"ready\":null,\"serving\":false,"
                         "\"terminating\":true}}]}"};
    struct record records[SLICES] = {0};
    struct endpoint_tally tally = {.count = 0};
    size_t count = 0;
    for (size_t i = 0; i < SLICES; i++) {
        describe(&records[i], texts[i]);
        endpoint_tally_add(&tally, &records[i]);
    }
    endpoint_tally_sort(&tally);
    const struct endpoint_count *found =
        endpoint_tally_find(&tally, hf_slice_text("shop/web"), &count);
    assert_int_equal(count, 2);
    assert_true(hf_slice_is(found[0].zone, "a") && hf_slice_is(found[0].address_type, "IPv4"));
    assert_int_equal(found[0].ready, 2);
    assert_int_equal(found[0].serving, 1);
    assert_int_equal(found[0].terminating, 1);
    assert_true(hf_slice_is(found[1].zone, "b"));
    assert_int_equal(found[1].ready, 0);
    assert_null(endpoint_tally_find(&tally, hf_slice_text("shop/webs"), &count));
    assert_int_equal(count, 0);
    endpoint_tally_release(&tally);
    for (size_t i = 0; i < SLICES; i++) {
        hf_bytes_release(&records[i].bytes);
    }
}

static void what_is_no_slice_of_a_service_is_left_out(void **state)
{
    (void)state;
    static const char *const texts[] = {
        HEAD("\"IPv5\"") "[{\"zone\":\"a\"}]}", HEAD("4") "[{\"zone\":\"a\"}]}",
        HEAD("\"IPv4\"") "null}", HEAD("\"FQDN\"") "\"a\"}",
        "{\"addressType\":\"IPv4\",\"endpoints\":[{\"zone\":\"a\"}]}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct record record = {0};
        struct endpoint_tally tally = {.count = 0};
        describe(&record, texts[i]);
        endpoint_tally_add(&tally, &record);
        endpoint_tally_sort(&tally);
        assert_int_equal(tally.count, 0);
        hf_bytes_release(&record.bytes);
        endpoint_tally_release(&tally);
    }
}

static void long_names_and_many_zones_have_a_limit(void **state)
{
    (void)state;
    static char text[1 << 16];
    struct record record = {0};
    struct endpoint_tally tally = {.count = 0};
    int size = snprintf(text, sizeof(text), "%s[", HEAD("\"IPv6\""));
    for (int i = 0; i < 100; i++) {
        size += snprintf(text + size, sizeof(text) - (size_t)size, "%s{\"zone\":\"%0*d\"}",
                         i > 0 ? "," : "", i == 0 ? 5000 : 4, i);
    }
    snprintf(text + size, sizeof(text) - (size_t)size, "]}");
    describe(&record, text);
    endpoint_tally_add(&tally, &record);
    endpoint_tally_sort(&tally);
    assert_int_equal(tally.count, 64);
    for (size_t i = 0; i < tally.count; i++) {
        assert_true(tally.counts[i].zone.size > 0 && tally.counts[i].zone.size < 512);
        assert_int_equal(tally.counts[i].ready, 1);
    }
    hf_bytes_release(&record.bytes);
    endpoint_tally_release(&tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_of_a_service_are_added_up),
        cmocka_unit_test(what_is_no_slice_of_a_service_is_left_out),
        cmocka_unit_test(long_names_and_many_zones_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
