/* Messages of Kafka as batches, by their encodings; tests/integration/test_kafka.py has headers. */
#include "components/receivers/kafka/kafka_decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "pdata/json.h"
#include "tests/support/node_stub.c"

#define ZIPKIN_SPAN "{\"traceId\":\"0a\",\"id\":\"01\",\"name\":\"a\"}"
/* In the binary protocol, a list of one struct: trace_id 10, name "a", id 1. */
#define THRIFT_LIST                                                                                \
    "\x0c\0\0\0\1"                                                                                 \
    "\x0a\0\1\0\0\0\0\0\0\0\x0a"                                                                   \
    "\x0b\0\3\0\0\0\1a"                                                                            \
    "\x0a\0\4\0\0\0\0\0\0\0\1\0"

#define OF(text)                                                                                   \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

static const struct {
    enum kafka_encoding encoding;
    struct hf_slice value;
    uint32_t items;
    const char *holds; /* NULL: refused */
    const char *says;
} rows[] = {
    {KAFKA_JAEGER_PROTO, OF("\x12\x08\0\0\0\0\0\0\0\1\x1a\1a"), 1,
     "\"spans\":[{\"spanId\":\"0000000000000001\",\"name\":\"a\"}]", NULL},
    {KAFKA_JAEGER_PROTO, OF(""), 0, "", NULL},
    {KAFKA_JAEGER_PROTO, OF("no span"), 0, NULL, "it is not a protobuf message"},
    {KAFKA_JAEGER_JSON, OF("{\"spanId\":\"AAAAAAAAAAE=\",\"process\":{\"serviceName\":\"s\"}}"), 1,
     "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"s\"}}", NULL},
    {KAFKA_JAEGER_JSON, OF("{}"), 0, "", NULL},
    {KAFKA_JAEGER_JSON, OF("{\"traceID\":\"1\"}"), 0, NULL, "traceID is not a field of Span"},
    {KAFKA_ZIPKIN_JSON, OF("[" ZIPKIN_SPAN "," ZIPKIN_SPAN "]"), 2,
     "{\"traceId\":\"0000000000000000000000000000000a\",\"spanId\":\"0000000000000001\"", NULL},
    {KAFKA_ZIPKIN_JSON, OF("[]"), 0, "", NULL},
    {KAFKA_ZIPKIN_JSON, OF("[" ZIPKIN_SPAN ",{}]"), 0, NULL, "span 1: it has no id"},
    {KAFKA_ZIPKIN_JSON, OF(ZIPKIN_SPAN), 0, NULL, "not a JSON list of spans"},
    {KAFKA_ZIPKIN_PROTO, OF("\x0a\1\x0a"), 0, NULL, "protobuf"},
    {KAFKA_ZIPKIN_PROTO,
     OF("\x0a\x1f\x0a\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0a\x1a\x08\0\0\0\0\0\0\0\1\x2a\1a"), 1,
     "\"spanId\":\"0000000000000001\"", NULL},
    {KAFKA_ZIPKIN_THRIFT, OF(THRIFT_LIST), 1,
     "{\"traceId\":\"0000000000000000000000000000000a\",\"spanId\":\"0000000000000001\"", NULL},
    {KAFKA_ZIPKIN_THRIFT, OF("{}"), 0, NULL, "Thrift"},
    {KAFKA_OTLP_PROTO, OF("\xff"), 0, NULL, "it is no OTLP request of traces"},
};

/* A decoder that has refused one message reads the next as if it were the first. */
static void reads_each_encoding_of_spans(void **state)
{
    static const struct kafka_config config;
    static const struct hf_kafka_consumer consumer;
    struct hf_node node = {.id = "kafka"};
    (void)state;
    for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
        static struct kafka_decoder decoder;
        size_t row = i / 2;
        if (i % 2 == 0) {
            decoder = (struct kafka_decoder){.node = &node,
                                             .config = &config,
                                             .plan = {.encoding = rows[row].encoding},
                                             .signal = HF_TRACES};
            assert_int_equal(kafka_decoder_init(&decoder), HF_OK);
        }
        const rd_kafka_message_t message = {.payload = (void *)(uintptr_t)rows[row].value.data,
                                            .len = rows[row].value.size};
        struct hf_batch *batch = NULL;
        struct hf_bytes json = {0};
        char why[HF_ERROR_MAX] = "";
        enum hf_status status = kafka_decode(&decoder, &consumer, &message, &batch, why);
        if (status != (rows[row].holds != NULL ? HF_OK : HF_INVALID)) {
            fail_msg("row %zu: status %d, %s", row, status, why);
        }
        if (status == HF_OK) {
            assert_int_equal(batch->items, rows[row].items);
            assert_int_equal(hf_json_from_proto(HF_TRACES, batch->raw, &json), HF_OK);
            if (memmem(json.data, json.size, rows[row].holds, strlen(rows[row].holds)) == NULL) {
                fail_msg("row %zu: %.*s", row, (int)json.size, json.data);
            }
            hf_ref_drop(&batch->ref);
        } else if (strstr(why, rows[row].says) == NULL) {
            fail_msg("row %zu: %s", row, why);
        }
        hf_bytes_release(&json);
        if (i % 2 == 1) {
            kafka_decoder_release(&decoder);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_each_encoding_of_spans),
    };
    return cmocka_run_group_tests_name("kafka_decode", tests, NULL, NULL);
}
