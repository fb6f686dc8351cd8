/* Answers of checks as points. */
#include "components/receivers/httpcheck/points.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "components/receivers/httpcheck/validations.h"
#include "pdata/json.h"

#define MS UINT64_C(1000000)

struct fixture {
    struct httpcheck_target target;
    struct httpcheck_peer peer;
    struct httpcheck_url url;
    struct httpcheck_wanted wanted;
    struct hf_bytes json;
    uint32_t points;
};

static void write_points(struct fixture *fixture)
{
    struct hf_builder builder;
    hf_builder_init(&builder, HF_METRICS, (size_t)1 << 20);
    fixture->points =
        httpcheck_points_write(&builder, &fixture->wanted, &fixture->url, 1, UINT64_C(5));
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    struct hf_batch *batch = hf_build_take(&builder);
    fixture->json.size = 0;
    if (batch != NULL) {
        assert_int_equal(hf_json_from_proto(HF_METRICS, batch->raw, &fixture->json), HF_OK);
        hf_ref_drop(&batch->ref);
    }
    assert_int_equal(hf_bytes_append(&fixture->json, hf_slice_of("", 1)), HF_OK);
    hf_builder_release(&builder);
}

static void begin(struct fixture *fixture, enum httpcheck_metric metric)
{
    *fixture = (struct fixture){.points = 0};
    fixture->target.method = "GET";
    fixture->peer.target = &fixture->target;
    fixture->url.peer = &fixture->peer;
    fixture->url.url = "http://a/";
    fixture->url.code = 204;
    fixture->url.time_ns = UINT64_C(1000000000) * 100;
    fixture->url.begin_ns = 0;
    fixture->url.end_ns = 12 * MS;
    fixture->wanted.metrics[metric].enabled = true;
}

static void has(const struct fixture *fixture, const char *found)
{
    if (strstr((const char *)fixture->json.data, found) == NULL) {
        fail_msg("%s has no %s", (const char *)fixture->json.data, found);
    }
}

static void a_status_is_a_point_per_class(void **state)
{
    struct fixture fixture;
    (void)state;
    begin(&fixture, HC_STATUS);
    write_points(&fixture);
    assert_int_equal(fixture.points, 5);
    has(&fixture, "\"name\":\"httpcheck.status\"");
    has(&fixture,
        "\"asInt\":\"1\",\"attributes\":[{\"key\":\"http.url\",\"value\":{\"stringValue\":"
        "\"http://a/\"}},{\"key\":\"http.status_code\",\"value\":{\"intValue\":\"204\"}},{"
        "\"key\":\"http.method\",\"value\":{\"stringValue\":\"GET\"}},{\"key\":"
        "\"http.status_class\",\"value\":{\"stringValue\":\"2xx\"}}]");
    fixture.url.status = HF_AGAIN;
    write_points(&fixture);
    assert_int_equal(fixture.points, 5);
    assert_null(strstr((const char *)fixture.json.data, "http.status_code"));
    hf_bytes_release(&fixture.json);
}

static void a_failure_is_a_point_with_its_words(void **state)
{
    struct fixture fixture;
    (void)state;
    begin(&fixture, HC_ERROR);
    write_points(&fixture);
    assert_int_equal(fixture.points, 0);
    fixture.url.status = HF_AGAIN;
    memcpy(fixture.url.error, "refused", 8);
    write_points(&fixture);
    assert_int_equal(fixture.points, 1);
    has(&fixture, "{\"key\":\"error.message\",\"value\":{\"stringValue\":\"refused\"}}");
    hf_bytes_release(&fixture.json);
}

static void a_check_that_was_cut_by_the_stop_is_none(void **state)
{
    struct fixture fixture;
    (void)state;
    begin(&fixture, HC_DURATION);
    fixture.url.status = HF_CLOSED;
    write_points(&fixture);
    assert_int_equal(fixture.points, 0);
    hf_bytes_release(&fixture.json);
}

static void what_else_is_measured(void **state)
{
    static const struct {
        enum httpcheck_metric metric;
        const char *found;
    } cases[] = {
        {HC_DURATION, "\"asInt\":\"12\""},
        {HC_LOOKUP, "\"asInt\":\"1\""},
        {HC_CONNECTION, "\"asInt\":\"2\""},
        {HC_CONNECTION, "{\"key\":\"network.transport\",\"value\":{\"stringValue\":\"tcp\"}}"},
        {HC_HANDSHAKE, "\"asInt\":\"3\""},
        {HC_REQUEST, "\"asInt\":\"4\""},
        {HC_RESPONSE, "\"asInt\":\"5\""},
        {HC_SIZE, "\"asInt\":\"6\""},
        {HC_CERTIFICATE, "\"asInt\":\"-40\""},
        {HC_CERTIFICATE, "{\"key\":\"http.tls.issuer\",\"value\":{\"stringValue\":\"CN=i\"}}"},
        {HC_CERTIFICATE, "{\"key\":\"http.tls.san\",\"value\":{\"arrayValue\":{\"values\":[{"
                         "\"stringValue\":\"a\"}]}}}"},
    };
    static char name[] = "a";
    struct fixture fixture;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin(&fixture, cases[i].metric);
        fixture.url.facts = (struct hf_http_facts){
            .lookup_ns = 1, .connect_ns = 2, .handshake_ns = 3, .request_ns = 4, .response_ns = 5};
        fixture.url.body_bytes = 6;
        fixture.url.has_certificate = true;
        fixture.url.certificate.until_s = 60;
        memcpy(fixture.url.certificate.issuer, "CN=i", 5);
        fixture.url.certificate.names[0] = name;
        fixture.url.certificate.name_count = 1;
        write_points(&fixture);
        has(&fixture, cases[i].found);
        hf_bytes_release(&fixture.json);
    }
}

static void validations_are_counted_by_type(void **state)
{
    static const struct httpcheck_validation items[] = {
        {.contains = "a"}, {.contains = "b"}, {.contains = "x"}, {.not_contains = "x"}};
    struct fixture fixture;
    char why[512];
    (void)state;
    begin(&fixture, HC_PASSED);
    fixture.target.validations = (struct hf_struct_list){.items = items, .count = 4};
    assert_int_equal(
        httpcheck_validations_new(&fixture.target.validations, &fixture.peer.validations, why),
        HF_OK);
    assert_int_equal(hf_bytes_append(&fixture.url.body, hf_slice_text("ab")), HF_OK);
    write_points(&fixture);
    assert_int_equal(fixture.points, 2);
    has(&fixture,
        "\"asInt\":\"2\",\"attributes\":[{\"key\":\"http.url\",\"value\":{\"stringValue\":"
        "\"http://a/\"}},{\"key\":\"validation.type\",\"value\":{\"stringValue\":"
        "\"contains\"}}]");
    has(&fixture, "{\"stringValue\":\"not_contains\"}");
    httpcheck_validations_free(fixture.peer.validations);
    hf_bytes_release(&fixture.url.body);
    hf_bytes_release(&fixture.json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_status_is_a_point_per_class),
        cmocka_unit_test(a_failure_is_a_point_with_its_words),
        cmocka_unit_test(a_check_that_was_cut_by_the_stop_is_none),
        cmocka_unit_test(what_else_is_measured),
        cmocka_unit_test(validations_are_counted_by_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
