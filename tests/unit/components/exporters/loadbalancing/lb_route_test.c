/* The identifier of each item, as the Go collector makes it. */
#include "components/exporters/loadbalancing/lb_route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "pdata/document.h"
#include "pdata/json.h"

/* What is routed, by what, and the identifiers of its items, in order. */
struct row {
    const char *name;
    enum hf_signal signal;
    enum lb_key key;
    const char *attributes[3];
    const char *json;
    const char *identifiers[4]; /* ends with NULL */
};

#define ALL_KINDS                                                                                  \
    "{\"resourceMetrics\":[{\"resource\":{\"attributes\":["                                        \
    "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"checkout\"}},"                         \
    "{\"key\":\"b\",\"value\":{\"intValue\":\"-7\"}},{\"key\":\"c\",\"value\":{\"doubleValue\":"   \
    "1.5}},"                                                                                       \
    "{\"key\":\"d\",\"value\":{\"boolValue\":true}},{\"key\":\"e\",\"value\":{\"boolValue\":"      \
    "false}},"                                                                                     \
    "{\"key\":\"f\",\"value\":{\"bytesValue\":\"AP8=\"}},"                                         \
    "{\"key\":\"g\",\"value\":{\"arrayValue\":{\"values\":[{\"stringValue\":\"x\"},{}]}}},"        \
    "{\"key\":\"a\",\"value\":{\"kvlistValue\":{\"values\":["                                      \
    "{\"key\":\"z\",\"value\":{\"stringValue\":\"1\"}},{\"key\":\"y\",\"value\":{\"intValue\":"    \
    "\"2\"}}]}}},"                                                                                 \
    "{\"key\":\"h\",\"value\":{}}]},"                                                              \
    "\"scopeMetrics\":[{\"scope\":{\"name\":\"lib\",\"version\":\"1\",\"attributes\":["            \
    "{\"key\":\"k\",\"value\":{\"stringValue\":\"v\"}}]},"                                         \
    "\"metrics\":[{\"name\":\"m\",\"unit\":\"s\",\"sum\":{\"isMonotonic\":true,"                   \
    "\"aggregationTemporality\":2,\"dataPoints\":[{\"attributes\":["                               \
    "{\"key\":\"host\",\"value\":{\"stringValue\":\"h1\"}}],\"asInt\":\"1\"}]}}]}]},"              \
    "{\"scopeMetrics\":[{\"metrics\":[{\"name\":\"h\",\"histogram\":{\"aggregationTemporality\":"  \
    "1,\"dataPoints\":[{}]}}]}]}]}"

#define TWO_TRACES                                                                                 \
    "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{"     \
    "\"stringValue\":\"shop\"}}]},\"scopeSpans\":[{\"scope\":{\"attributes\":[{\"key\":\"lib\","   \
    "\"value\":{\"intValue\":\"3\"}}]},\"spans\":["                                                \
    "{\"traceId\":\"000102030405060708090a0b0c0d0e0f\",\"name\":\"first\",\"kind\":2},"            \
    "{\"traceId\":\"100102030405060708090a0b0c0d0e0f\",\"name\":\"other\",\"kind\":3,"             \
    "\"attributes\":[{\"key\":\"user\",\"value\":{\"stringValue\":\"u\"}}]},"                      \
    "{\"traceId\":\"000102030405060708090a0b0c0d0e0f\",\"name\":\"second\",\"kind\":1}]}]}]}"

#define LOGS                                                                                       \
    "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{"      \
    "\"stringValue\":\"shop\"}}]},\"scopeLogs\":[{\"scope\":{\"attributes\":[{\"key\":\"lib\","    \
    "\"value\":{\"boolValue\":true}}]},\"logRecords\":["                                           \
    "{\"severityText\":\"WARN\",\"body\":{\"stringValue\":\"hi\"},"                                \
    "\"traceId\":\"000102030405060708090a0b0c0d0e0f\"},"                                           \
    "{\"attributes\":[{\"key\":\"user\",\"value\":{\"doubleValue\":0.5}}],"                        \
    "\"traceId\":\"000102030405060708090a0b0c0d0e0f\"}]}]},"                                       \
    "{\"scopeLogs\":[{\"logRecords\":[{\"traceId\":\"000102030405060708090a0b0c0d0e0f\"}]}]}]}"

static const struct row rows[] = {
    {"the service of traces",
     HF_TRACES,
     LB_KEY_SERVICE,
     {NULL},
     TWO_TRACES,
     {"service.name=shop|", "service.name=shop|", "service.name=shop|"}},
    {"attributes in their order, by the first span of a trace",
     HF_TRACES,
     LB_KEY_ATTRIBUTES,
     {"span.name", "lib", "user"},
     TWO_TRACES,
     {"span.name=first|lib=3|user=|", "span.name=other|lib=3|user=u|",
      "span.name=first|lib=3|user=|"}},
    {"the kind of a span",
     HF_TRACES,
     LB_KEY_ATTRIBUTES,
     {"span.kind"},
     TWO_TRACES,
     {"span.kind=Server|", "span.kind=Client|", "span.kind=Server|"}},
    {"the service of logs, by default",
     HF_LOGS,
     LB_KEY_DEFAULT,
     {NULL},
     LOGS,
     {"shop", "shop", ""}},
    {"attributes of logs level by level",
     HF_LOGS,
     LB_KEY_ATTRIBUTES,
     {"user", "lib", "service.name"},
     LOGS,
     {"service.name=shop|lib=true|user=|", "service.name=shop|lib=true|user=0.5|",
      "user=|lib=|service.name=|"}},
    {"fields of a log record",
     HF_LOGS,
     LB_KEY_ATTRIBUTES,
     {"log.severity", "log.body"},
     LOGS,
     {"log.severity=WARN|log.body=hi|", "log.severity=|log.body=|", "log.severity=|log.body=|"}},
    {"the service of metrics, by default",
     HF_METRICS,
     LB_KEY_DEFAULT,
     {NULL},
     ALL_KINDS,
     {"checkout", ""}},
    {"the identity of resources",
     HF_METRICS,
     LB_KEY_RESOURCE,
     {NULL},
     ALL_KINDS,
     {"resource/57e77ed114cb0246", "resource/88201fb960ff6465"}},
    {"the identity of streams",
     HF_METRICS,
     LB_KEY_STREAM_ID,
     {NULL},
     ALL_KINDS,
     {"stream/1e465f489502145b", "stream/bc4b1cfd13d5ff12"}},
};

static const char *const endpoints[] = {"a", "b", "c", "d", "e", "f", "g", "h"};

static void check_row(const struct row *row, const struct lb_ring *ring)
{
    struct hf_bytes raw = {0};
    char why[HF_JSON_ERROR_MAX] = "";
    assert_int_equal(hf_json_to_proto(row->signal, hf_slice_text(row->json), 1 << 20, &raw, why),
                     HF_OK);
    struct hf_document *document = hf_document_borrow(row->signal, hf_slice_of(raw.data, raw.size));
    struct lb_router router = {.key = row->key, .ring = ring};
    while (router.attributes.count < 3 && row->attributes[router.attributes.count] != NULL) {
        router.attributes.count++;
    }
    router.attributes.items = row->attributes;
    struct hf_place place = {.document = document};
    size_t count = 0;
    lb_route_begin(&router, row->signal);
    while (hf_place_next_item(&place)) {
        uint32_t endpoint;
        assert_non_null(row->identifiers[count]);
        assert_int_equal(lb_route_item(&router, &place, &endpoint), HF_OK);
        const struct hf_slice wanted = hf_slice_text(row->identifiers[count++]);
        if (endpoint != lb_ring_find(ring, wanted)) {
            print_message("%s: item %zu is not %.*s but %.*s\n", row->name, count, (int)wanted.size,
                          (const char *)wanted.data, (int)router.text.size,
                          (const char *)router.text.data);
        }
        assert_int_equal(endpoint, lb_ring_find(ring, wanted));
    }
    assert_true(count == 4 || row->identifiers[count] == NULL);
    lb_router_release(&router);
    hf_document_return(document);
    hf_bytes_release(&raw);
}

static void identifies_items_as_the_go_collector(void **state)
{
    struct lb_ring ring;
    (void)state;
    assert_int_equal(lb_ring_init(&ring, endpoints, 8), HF_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_row(&rows[i], &ring);
    }
    lb_ring_release(&ring);
}

/* Of spans the 16 bytes, of log records their text. */
static void identifies_a_trace_by_its_id(void **state)
{
    static const uint8_t id[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const struct hf_slice text = hf_slice_text("000102030405060708090a0b0c0d0e0f");
    const struct {
        enum hf_signal signal;
        const char *json;
        struct hf_slice identifier;
    } cases[] = {{HF_TRACES, TWO_TRACES, hf_slice_of(id, sizeof(id))}, {HF_LOGS, LOGS, text}};
    struct lb_ring ring;
    (void)state;
    assert_int_equal(lb_ring_init(&ring, endpoints, 8), HF_OK);
    for (size_t i = 0; i < 2; i++) {
        struct hf_bytes raw = {0};
        char why[HF_JSON_ERROR_MAX] = "";
        assert_int_equal(
            hf_json_to_proto(cases[i].signal, hf_slice_text(cases[i].json), 1 << 20, &raw, why),
            HF_OK);
        struct hf_document *document =
            hf_document_borrow(cases[i].signal, hf_slice_of(raw.data, raw.size));
        struct lb_router router = {.key = LB_KEY_TRACE_ID, .ring = &ring};
        struct hf_place place = {.document = document};
        uint32_t endpoint;
        lb_route_begin(&router, cases[i].signal);
        assert_true(hf_place_next_item(&place));
        assert_int_equal(lb_route_item(&router, &place, &endpoint), HF_OK);
        assert_int_equal(endpoint, lb_ring_find(&ring, cases[i].identifier));
        lb_router_release(&router);
        hf_document_return(document);
        hf_bytes_release(&raw);
    }
    lb_ring_release(&ring);
}

static void spreads_log_records_without_a_trace(void **state)
{
    static const char json[] = "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{},{},{},{},"
                               "{},{},{},{},{},{},{},{},{},{},{},{}]}]}]}";
    struct hf_bytes raw = {0};
    char why[HF_JSON_ERROR_MAX] = "";
    struct lb_ring ring;
    (void)state;
    assert_int_equal(lb_ring_init(&ring, endpoints, 8), HF_OK);
    assert_int_equal(hf_json_to_proto(HF_LOGS, hf_slice_text(json), 1 << 20, &raw, why), HF_OK);
    struct hf_document *document = hf_document_borrow(HF_LOGS, hf_slice_of(raw.data, raw.size));
    struct lb_router router = {.key = LB_KEY_TRACE_ID, .ring = &ring, .random = 1};
    struct hf_place place = {.document = document};
    unsigned seen = 0;
    lb_route_begin(&router, HF_LOGS);
    while (hf_place_next_item(&place)) {
        uint32_t endpoint;
        assert_int_equal(lb_route_item(&router, &place, &endpoint), HF_OK);
        seen |= 1u << endpoint;
    }
    assert_true((seen & (seen - 1)) != 0); /* more than one */
    hf_document_return(document);
    lb_router_release(&router);
    hf_bytes_release(&raw);
    lb_ring_release(&ring);
}

static void refuses_keys_that_a_signal_does_not_have(void **state)
{
    (void)state;
    for (int key = LB_KEY_DEFAULT; key <= LB_KEY_ATTRIBUTES; key++) {
        assert_int_equal(lb_route_check((enum lb_key)key, HF_TRACES) == NULL,
                         key <= LB_KEY_SERVICE || key == LB_KEY_ATTRIBUTES);
        assert_int_equal(lb_route_check((enum lb_key)key, HF_LOGS) == NULL,
                         key <= LB_KEY_RESOURCE || key == LB_KEY_ATTRIBUTES);
        assert_int_equal(lb_route_check((enum lb_key)key, HF_METRICS) == NULL,
                         key != LB_KEY_TRACE_ID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identifies_items_as_the_go_collector),
        cmocka_unit_test(identifies_a_trace_by_its_id),
        cmocka_unit_test(spreads_log_records_without_a_trace),
        cmocka_unit_test(refuses_keys_that_a_signal_does_not_have),
    };
    return cmocka_run_group_tests_name("lb_route", tests, NULL, NULL);
}
