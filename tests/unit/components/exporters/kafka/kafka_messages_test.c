/* Which items go into which message, with which topic and key. */
#include "components/exporters/kafka/kafka_messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <holdfast/meta.h>

#include "encodings/zipkin/zipkin.h"
#include "pdata/json.h"
#include "pdata/scan.h"

#define SPANS                                                                                      \
    "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"topic\",\"value\":{"            \
    "\"stringValue\":\"team-a\"}}]},\"scopeSpans\":[{\"spans\":["                                  \
    "{\"traceId\":\"000102030405060708090a0b0c0d0e0f\",\"name\":\"a\"},"                           \
    "{\"traceId\":\"100102030405060708090a0b0c0d0e0f\",\"name\":\"b\"},"                           \
    "{\"traceId\":\"000102030405060708090a0b0c0d0e0f\",\"name\":\"c\"}]}]},"                       \
    "{\"scopeSpans\":[{\"spans\":[{\"name\":\"d\"}]}]}]}"

#define LOGS                                                                                       \
    "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"b\",\"value\":{\"intValue\":"    \
    "\"1\"}},{\"key\":\"a\",\"value\":{\"stringValue\":\"x\"}}]},\"scopeLogs\":[{\"logRecords\":[" \
    "{\"body\":{\"stringValue\":\"q\\\"\"}},{\"body\":{\"bytesValue\":\"AP8=\"}},{},"              \
    "{\"body\":{\"kvlistValue\":{\"values\":[{\"key\":\"k\",\"value\":{\"boolValue\":true}}]}}}"   \
    "]}]},{\"resource\":{\"attributes\":[{\"key\":\"a\",\"value\":{\"stringValue\":\"x\"}},"       \
    "{\"key\":\"b\",\"value\":{\"intValue\":\"1\"}}]},\"scopeLogs\":[{\"logRecords\":[{\"body\":"  \
    "{\"intValue\":\"7\"}}]}]}]}"

/* Two traces, and a span without an id. */
#define SHOP_SPANS                                                                                 \
    "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{"     \
    "\"stringValue\":\"shop\"}}]},\"scopeSpans\":[{\"spans\":["                                    \
    "{\"traceId\":\"0000000000000000000000000000000a\",\"spanId\":\"0000000000000001\",\"name\":"  \
    "\"a\"},{\"traceId\":\"100102030405060708090a0b0c0d0e0f\",\"spanId\":\"0000000000000002\","    \
    "\"name\":\"b\"},{\"traceId\":\"0000000000000000000000000000000a\",\"name\":\"c\"}]}]}]}"

#define JAEGER_SPAN(ids, name, process)                                                            \
    "{\"traceId\":\"" ids "\",\"operationName\":\"" name                                           \
    "\",\"startTime\":\"1970-01-01T00:00:00Z\",\"duration\":\"0s\",\"process\":{" process "}}"

#define ZIPKIN_SPAN(trace, id, name)                                                               \
    "{\"traceId\":\"" trace "\",\"id\":\"" id "\",\"name\":\"" name                                \
    "\",\"localEndpoint\":{\"serviceName\":\"shop\"}}"

#define ZIPKIN_A ZIPKIN_SPAN("000000000000000a", "0000000000000001", "a")
#define ZIPKIN_B ZIPKIN_SPAN("100102030405060708090a0b0c0d0e0f", "0000000000000002", "b")

struct wanted {
    const char *topic, *key; /* NULL: none; "?": any of 16 bytes */
    uint32_t items;
    const char *value; /* NULL: an OTLP request of as many items */
};

struct row {
    const char *name;
    enum hf_signal signal;
    struct kafka_config config;
    const char *json;
    struct wanted wanted[6]; /* ends with an empty topic */
    uint32_t left_out;
};

#define PRODUCER .producer = {.required_acks = "1", .max_message_bytes = 1000000}

static const struct row rows[] = {
    {"all in one message", HF_TRACES, {PRODUCER}, SPANS, {{"otlp_spans", NULL, 4, NULL}}, 0},
    {"the former keys", HF_TRACES, {PRODUCER, .topic = "t"}, SPANS, {{"t", NULL, 4, NULL}}, 0},
    {"a message for each trace",
     HF_TRACES,
     {PRODUCER, .traces_by_id = true, .traces = {.topic = "mine"}},
     SPANS,
     {{"mine", "000102030405060708090a0b0c0d0e0f", 2, NULL},
      {"mine", "100102030405060708090a0b0c0d0e0f", 1, NULL},
      {"mine", NULL, 1, NULL}},
     0},
    {"a topic of the resource",
     HF_TRACES,
     {PRODUCER, .topic_from_attribute = "topic"},
     SPANS,
     {{"team-a", NULL, 3, NULL}, {"otlp_spans", NULL, 1, NULL}},
     0},
    {"both",
     HF_TRACES,
     {PRODUCER, .topic_from_attribute = "topic", .traces_by_id = true},
     SPANS,
     {{"team-a", "000102030405060708090a0b0c0d0e0f", 2, NULL},
      {"team-a", "100102030405060708090a0b0c0d0e0f", 1, NULL},
      {"otlp_spans", NULL, 1, NULL}},
     0},
    {"resources with the same attributes are one key",
     HF_LOGS,
     {PRODUCER, .logs_by_resource = true},
     LOGS,
     {{"otlp_logs", "?", 5, NULL}},
     0},
    {"a message for each body",
     HF_LOGS,
     {PRODUCER, .logs = {.encoding = "raw"}},
     LOGS,
     {{"otlp_logs", NULL, 1, "\"q\\\"\""},
      {"otlp_logs", NULL, 1, "\001\377"}, /* its first byte is a NUL, see below */
      {"otlp_logs", NULL, 1, "{\"k\":true}"},
      {"otlp_logs", NULL, 1, "7"}},
     1},
    {"a message for each span of Jaeger, by its trace",
     HF_TRACES,
     {PRODUCER, .topic_from_attribute = "topic", .traces = {.encoding = "jaeger_json"}},
     SPANS,
     {{"team-a", "000102030405060708090a0b0c0d0e0f", 1,
       JAEGER_SPAN("AAECAwQFBgcICQoLDA0ODw==", "a",
                   "\"tags\":[{\"key\":\"topic\",\"vStr\":\"team-a\"}]")},
      {"team-a", "100102030405060708090a0b0c0d0e0f", 1,
       JAEGER_SPAN("EAECAwQFBgcICQoLDA0ODw==", "b",
                   "\"tags\":[{\"key\":\"topic\",\"vStr\":\"team-a\"}]")},
      {"team-a", "000102030405060708090a0b0c0d0e0f", 1,
       JAEGER_SPAN("AAECAwQFBgcICQoLDA0ODw==", "c",
                   "\"tags\":[{\"key\":\"topic\",\"vStr\":\"team-a\"}]")},
      {"otlp_spans", "0000000000000000", 1,
       JAEGER_SPAN("AAAAAAAAAAAAAAAAAAAAAA==", "d",
                   "\"serviceName\":\"OTLPResourceNoServiceName\"")}},
     0},
    {"the key of Jaeger has no zeros in front, with or without partition_traces_by_id",
     HF_TRACES,
     {PRODUCER, .traces_by_id = true, .encoding = "jaeger_json"},
     SHOP_SPANS,
     {{"otlp_spans", "000000000000000a", 1,
       JAEGER_SPAN("AAAAAAAAAAAAAAAAAAAACg==\",\"spanId\":\"AAAAAAAAAAE=", "a",
                   "\"serviceName\":\"shop\"")},
      {"otlp_spans", "100102030405060708090a0b0c0d0e0f", 1,
       JAEGER_SPAN("EAECAwQFBgcICQoLDA0ODw==\",\"spanId\":\"AAAAAAAAAAI=", "b",
                   "\"serviceName\":\"shop\"")},
      {"otlp_spans", "000000000000000a", 1,
       JAEGER_SPAN("AAAAAAAAAAAAAAAAAAAACg==", "c", "\"serviceName\":\"shop\"")}},
     0},
    {"all spans of Zipkin in one message",
     HF_TRACES,
     {PRODUCER, .encoding = "zipkin_json"},
     SHOP_SPANS,
     {{"otlp_spans", NULL, 3, "[" ZIPKIN_A "," ZIPKIN_B "]"}},
     1},
    {"those of each trace",
     HF_TRACES,
     {PRODUCER, .traces_by_id = true, .encoding = "zipkin_json"},
     SHOP_SPANS,
     {{"otlp_spans", "0000000000000000000000000000000a", 1, "[" ZIPKIN_A "]"},
      {"otlp_spans", "100102030405060708090a0b0c0d0e0f", 1, "[" ZIPKIN_B "]"}},
     1},
    {"none that Zipkin can have",
     HF_TRACES,
     {PRODUCER, .encoding = "zipkin_json"},
     SPANS,
     {{0}},
     4},
};

static void check_out(const struct row *row, const struct kafka_out *out,
                      const struct wanted *wanted)
{
    const struct hf_kafka_message *message = &out->message;
    assert_string_equal(message->topic, wanted->topic);
    assert_int_equal(out->items, wanted->items);
    assert_int_equal(out->status, HF_OK);
    if (wanted->key == NULL) {
        assert_null(message->key.data);
    } else if (wanted->key[0] == '?') {
        assert_int_equal(message->key.size, 16);
    } else {
        assert_true(hf_slice_is(message->key, wanted->key));
    }
    if (wanted->value == NULL) {
        struct hf_scan scan;
        assert_int_equal(hf_scan(row->signal, message->value, &scan), HF_OK);
        assert_int_equal(scan.items, wanted->items);
    } else if (wanted->value[0] == '\001') {
        assert_int_equal(message->value.size, 2);
        assert_memory_equal(message->value.data, "\0\377", 2);
    } else {
        assert_true(hf_slice_is(message->value, wanted->value));
    }
}

static struct kafka_request *make(const struct row *row, struct hf_bytes *raw,
                                  struct hf_export *export, struct hf_export_body *body)
{
    char why[HF_JSON_ERROR_MAX] = "";
    struct hf_scan scan;
    struct kafka_request *request = NULL;
    assert_int_equal(hf_json_to_proto(row->signal, hf_slice_text(row->json), 1 << 20, raw, why),
                     HF_OK);
    const struct hf_slice wire = hf_slice_of(raw->data, raw->size);
    assert_int_equal(hf_scan(row->signal, wire, &scan), HF_OK);
    *body = (struct hf_export_body){
        .wire = wire, .items = scan.items, .raw_size = wire.size, .coding = HF_IDENTITY};
    export->signal = row->signal;
    export->items = scan.items;
    export->bodies = body;
    export->body_count = 1;
    assert_int_equal(kafka_request_new(export, &row->config, &request), HF_OK);
    return request;
}

static void addresses_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_bytes raw = {0};
        struct hf_export export = {.attempt = 1};
        struct hf_export_body body;
        struct kafka_request *request = make(&rows[i], &raw, &export, &body);
        size_t count = 0;
        while (count < 6 && rows[i].wanted[count].topic != NULL) {
            count++;
        }
        if (request->count != count) {
            print_message("%s\n", rows[i].name);
        }
        assert_int_equal(request->count, count);
        assert_int_equal(request->left_out, rows[i].left_out);
        for (size_t k = 0; k < count; k++) {
            check_out(&rows[i], &request->outs[k], &rows[i].wanted[k]);
        }
        kafka_request_free(request);
        hf_bytes_release(&raw);
    }
}

static void knows_the_message_of_each_item(void **state)
{
    struct hf_bytes raw = {0};
    struct hf_export export = {.attempt = 1};
    struct hf_export_body body;
    (void)state;
    struct kafka_request *request = make(&rows[2], &raw, &export, &body);
    static const uint32_t wanted[] = {1, 2, 1, 3};
    assert_memory_equal(request->out_of_item, wanted, sizeof(wanted));
    kafka_request_free(request);
    hf_bytes_release(&raw);
}

static void takes_topic_key_and_headers_of_the_client(void **state)
{
    static const char *const included[] = {"X-Tenant"};
    static const struct hf_string_pair own[] = {{"from", "here"}};
    const struct row row = {
        .signal = HF_TRACES,
        .config = {PRODUCER,
                   .traces = {.topic_from_metadata_key = "x-topic",
                              .message_key_from_metadata_key = "x-key"},
                   .topic_from_attribute = "topic", .include_metadata_keys = {included, 1},
                   .record_headers = {own, 1}, .signal_header = true},
        .json = SPANS,
    };
    struct hf_meta_writer meta = {.size = 0};
    struct hf_bytes raw = {0};
    struct hf_export_body body;
    (void)state;
    assert_int_equal(
        hf_meta_add(&meta, HF_META_HEADER, hf_slice_text("x-topic"), hf_slice_text("theirs")),
        HF_OK);
    assert_int_equal(hf_meta_add(&meta, HF_META_HEADER, hf_slice_text("x-key"), hf_slice_text("k")),
                     HF_OK);
    assert_int_equal(
        hf_meta_add(&meta, HF_META_HEADER, hf_slice_text("x-tenant"), hf_slice_text("t")), HF_OK);
    struct hf_export export = {.attempt = 1, .meta = hf_slice_of(meta.bytes, meta.size)};
    struct kafka_request *request = make(&row, &raw, &export, &body);
    assert_int_equal(request->count, 1);
    check_out(&row, &request->outs[0], &(const struct wanted){"theirs", "k", 4, NULL});
    assert_int_equal(request->header_count, 3);
    assert_string_equal((const char *)request->headers[0].name.data, "from");
    assert_string_equal((const char *)request->headers[1].name.data, "X-Tenant");
    assert_true(hf_slice_is(request->headers[1].value, "t"));
    assert_true(hf_slice_is(request->headers[2].value, "traces"));
    kafka_request_free(request);
    hf_bytes_release(&raw);
}

static void a_key_of_the_client_is_also_that_of_jaeger(void **state)
{
    const struct row row = {
        .signal = HF_TRACES,
        .config = {PRODUCER, .traces = {.encoding = "jaeger_proto",
                                        .message_key_from_metadata_key = "x-key"}},
        .json = SHOP_SPANS,
    };
    struct hf_meta_writer meta = {.size = 0};
    struct hf_bytes raw = {0};
    struct hf_export_body body;
    (void)state;
    assert_int_equal(hf_meta_add(&meta, HF_META_HEADER, hf_slice_text("x-key"), hf_slice_text("k")),
                     HF_OK);
    struct hf_export export = {.attempt = 1, .meta = hf_slice_of(meta.bytes, meta.size)};
    struct kafka_request *request = make(&row, &raw, &export, &body);
    assert_int_equal(request->count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(hf_slice_is(request->outs[i].message.key, "k"));
        assert_memory_equal(request->outs[i].message.value.data, "\x0a\x10", 2);
    }
    kafka_request_free(request);
    hf_bytes_release(&raw);
}

static void writes_spans_of_zipkin_in_protobuf(void **state)
{
    static const struct hf_zipkin_options options = {.format = HF_ZIPKIN_V2_PROTO};
    const struct row row = {
        .signal = HF_TRACES, .config = {PRODUCER, .encoding = "zipkin_proto"}, .json = SHOP_SPANS};
    char error[HF_ZIPKIN_ERROR_MAX];
    struct hf_builder builder;
    struct hf_bytes raw = {0};
    struct hf_export export = {.attempt = 1};
    struct hf_export_body body;
    (void)state;
    struct kafka_request *request = make(&row, &raw, &export, &body);
    assert_int_equal(request->count, 1);
    assert_int_equal(request->left_out, 1);
    hf_builder_init(&builder, HF_TRACES, 1 << 20);
    assert_int_equal(hf_zipkin_read(request->outs[0].message.value, &options, &builder, error),
                     HF_OK);
    assert_int_equal(hf_build_items(&builder), 2);
    hf_builder_release(&builder);
    kafka_request_free(request);
    hf_bytes_release(&raw);
}

static void refuses_bodies_that_do_not_have_their_items(void **state)
{
    struct kafka_config config = {PRODUCER, .traces_by_id = true};
    const struct hf_export_body body = {.coding = HF_IDENTITY, .items = 3};
    struct hf_export export = {
        .signal = HF_TRACES, .items = 3, .bodies = &body, .body_count = 1, .attempt = 1};
    struct kafka_request *request = NULL;
    (void)state;
    assert_int_equal(kafka_request_new(&export, &config, &request), HF_CORRUPT);
}

static void knows_the_names_of_topics(void **state)
{
    char longest[251];
    (void)state;
    memset(longest, 'a', sizeof(longest));
    assert_true(kafka_is_topic(hf_slice_text("otlp_spans-1.x")));
    assert_true(kafka_is_topic(hf_slice_of(longest, 249)));
    assert_false(kafka_is_topic(hf_slice_of(longest, 250)));
    assert_false(kafka_is_topic(hf_slice_text("")));
    assert_false(kafka_is_topic(hf_slice_text(".")));
    assert_false(kafka_is_topic(hf_slice_text("..")));
    assert_false(kafka_is_topic(hf_slice_text("a/b")));
    assert_false(kafka_is_topic(hf_slice_text("a b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_messages),
        cmocka_unit_test(knows_the_message_of_each_item),
        cmocka_unit_test(takes_topic_key_and_headers_of_the_client),
        cmocka_unit_test(writes_spans_of_zipkin_in_protobuf),
        cmocka_unit_test(a_key_of_the_client_is_also_that_of_jaeger),
        cmocka_unit_test(refuses_bodies_that_do_not_have_their_items),
        cmocka_unit_test(knows_the_names_of_topics),
    };
    return cmocka_run_group_tests_name("kafka_messages", tests, NULL, NULL);
}
