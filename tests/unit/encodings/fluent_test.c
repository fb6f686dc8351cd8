/* Events of the Forward protocol as log records, in OTLP's JSON. */
#include "encodings/fluent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pdata/json.h"

#define BYTES(text)                                                                                \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

/* The records as JSON; NULL: refused, and `ret_error` says why. Freed by the caller. */
static char *read_event(struct hf_slice bytes, struct hf_fluent_event *ret_event, char *ret_error)
{
    struct hf_builder builder;
    struct hf_bytes json = {0};
    char *copy = NULL;
    hf_builder_init(&builder, HF_LOGS, (size_t)1 << 20);
    hf_build_resource(&builder, HF_EMPTY_SLICE);
    hf_build_scope(&builder, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
    enum hf_status status = hf_fluent_read(bytes, &builder, ret_event, ret_error);
    assert_int_equal(hf_build_items(&builder), status == HF_OK ? ret_event->records : 0);
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    struct hf_batch *batch = hf_build_take(&builder);
    if (batch != NULL) {
        assert_int_equal(hf_json_from_proto(HF_LOGS, batch->raw, &json), HF_OK);
        copy = strndup((const char *)json.data, json.size);
        hf_ref_drop(&batch->ref);
    }
    hf_builder_release(&builder);
    hf_bytes_release(&json);
    return copy;
}

static const struct {
    struct hf_slice bytes;
    uint32_t records;
    const char *holds;
} modes[] = {
    /* ["t", 5, {"log": "x"}] */
    {BYTES("\x93\xa1t\x05\x81\xa3log\xa1x"), 1,
     "{\"timeUnixNano\":\"5000000000\",\"body\":{\"stringValue\":\"x\"},\"attributes\":[{"
     "\"key\":\"fluent.tag\",\"value\":{\"stringValue\":\"t\"}}]}"},
    /* ["t", [[[EventTime(1, 2), {}], {"a": -1}]]]: metadata of Fluent Bit beside the time */
    {BYTES("\x92\xa1t\x91\x92\x92\xd7\0\0\0\0\1\0\0\0\2\x80\x81\xa1"
           "a\xff"),
     1,
     "{\"timeUnixNano\":\"1000000002\",\"attributes\":[{\"key\":\"a\",\"value\":{\"intValue\":"
     "\"-1\"}}"},
    /* ["t", 5, {"fluent.tag": "x"}]: no key is there twice */
    {BYTES("\x93\xa1t\x05\x81\xaa"
           "fluent.tag\xa1x"),
     1, "\"attributes\":[{\"key\":\"fluent.tag\",\"value\":{\"stringValue\":\"x\"}}]}"},
    /* ["t", EventTime(1, 2), {"a": -1}, {"chunk": "c"}] */
    {BYTES("\x94\xa1t\xd7\0\0\0\0\1\0\0\0\2\x81\xa1"
           "a\xff\x81\xa5"
           "chunk\xa1"
           "c"),
     1,
     "{\"timeUnixNano\":\"1000000002\",\"attributes\":[{\"key\":\"a\",\"value\":{\"intValue\":"
     "\"-1\"}}"},
    /* ["t", [[1, {}], [2, {"message": {"k": [true]}}]]] */
    {BYTES("\x92\xa1t\x92\x92\1\x80\x92\2\x81\xa7message\x81\xa1k\x91\xc3"), 2,
     "\"body\":{\"kvlistValue\":{\"values\":[{\"key\":\"k\",\"value\":{\"arrayValue\":{"
     "\"values\":[{\"boolValue\":true}]}}}]}}"},
    /* ["t", bin([1, {"b": 2.5}] [2, {}])] */
    {BYTES("\x92\xa1t\xc4\x11\x92\1\x81\xa1"
           "b\xcb\x40\x04\0\0\0\0\0\0\x92\2\x80"),
     2, "{\"key\":\"b\",\"value\":{\"doubleValue\":2.5}}"},
    /* a text instead of bytes; both names of a text, of which the last counts */
    {BYTES("\x92\xa1t\xaf\x92\1\x82\xa3log\xa1x\xa7message\xa0"), 0, NULL},
    /* a list of a text that is not UTF-8 */
    {BYTES("\x93\xa1t\x05\x81\xa1n\x91\xa2\xff"
           "b"),
     1,
     "\"values\":[{\"stringValue\":\"\xef\xbf\xbd"
     "b\"}]"},
    /* 2^64 - 1 */
    {BYTES("\x93\xa1t\x05\x81\xa1n\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), 1,
     "\"stringValue\":\"18446744073709551615\""},
};

static void each_mode_becomes_records(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        char error[HF_FLUENT_ERROR_MAX] = "";
        struct hf_fluent_event event;
        char *json = read_event(modes[i].bytes, &event, error);
        if (modes[i].holds == NULL) {
            assert_null(json);
            assert_true(error[0] != '\0');
        } else if (json == NULL || strstr(json, modes[i].holds) == NULL) {
            fail_msg("case %zu became %s\nwithout %s", i, json != NULL ? json : error,
                     modes[i].holds);
        } else {
            assert_int_equal(event.records, modes[i].records);
        }
        free(json);
    }
}

static void a_chunk_is_handed_out(void **state)
{
    static const struct hf_slice bytes = BYTES("\x93\xa1t\x91\x92\1\x80\x81\xa5"
                                               "chunk\xa3"
                                               "abc");
    char error[HF_FLUENT_ERROR_MAX] = "";
    struct hf_fluent_event event;
    (void)state;
    free(read_event(bytes, &event, error));
    assert_true(hf_slice_is(event.chunk, "abc"));
}

static void what_is_wrong_is_said_and_leaves_nothing(void **state)
{
    static const struct {
        struct hf_slice bytes;
        const char *says;
    } cases[] = {
        {BYTES("\xc0"), "a list of a tag and entries"},
        {BYTES("\x91\xa1t"), "a list of a tag and entries"},
        {BYTES("\x92\x01\x90"), "a list of a tag and entries"},
        {BYTES("\x92\xa1t\x05"), "a time and no record"},
        {BYTES("\x93\xa1t\xa1\x92\x80"), "packed entries"},
        {BYTES("\x93\xa1t\xc3\x80"), "the time of a record"},
        {BYTES("\x93\xa1t\x05\x90"), "a record is not a map"},
        {BYTES("\x93\xa1t\x05\x81\x01\x01"), "a key of a record"},
        {BYTES("\x92\xa1t\x92\x92\1\x80\x05"), "an entry is not"},
        {BYTES("\x93\xa1t\xa1x\x81\xaa"
               "compressed\xa4lzma"),
         "gzip and zstd"},
        {BYTES("\x93\xa1t\xa1x\x81\xaa"
               "compressed\xa4gzip"),
         "do not decompress"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char error[HF_FLUENT_ERROR_MAX] = "";
        struct hf_fluent_event event;
        char *json = read_event(cases[i].bytes, &event, error);
        if (json != NULL || strstr(error, cases[i].says) == NULL) {
            fail_msg("case %zu: %s, not %s", i, json != NULL ? json : error, cases[i].says);
        }
    }
}

static void the_end_of_an_event_is_found(void **state)
{
    static const struct {
        struct hf_slice bytes;
        enum hf_fluent_step step;
        size_t size;
    } cases[] = {
        {BYTES("\x93\xa1t\x05\x80\x93"), HF_FLUENT_WHOLE, 5},
        {BYTES("\xd9\x02hix"), HF_FLUENT_WHOLE, 4},
        {BYTES("\xda\x00\x02hix"), HF_FLUENT_WHOLE, 5},
        {BYTES("\xdb\0\0\0\2hix"), HF_FLUENT_WHOLE, 7},
        {BYTES("\xc7\2\0abx"), HF_FLUENT_WHOLE, 5},
        {BYTES("\xd8\0"
               "0123456789abcdef"
               "x"),
         HF_FLUENT_WHOLE, 18},
        {BYTES("\xdc\0\2\1\2\3"), HF_FLUENT_WHOLE, 5},
        {BYTES("\xde\0\1\1\2\3"), HF_FLUENT_WHOLE, 5},
        {BYTES("\xdd\xff\xff\xff\xff\1"), HF_FLUENT_MORE, 0},
        {BYTES("\xdf\xff\xff\xff\xff\1"), HF_FLUENT_MORE, 0},
        {BYTES("\xc6\xff\xff\xff\xff"), HF_FLUENT_MORE, 0},
        {BYTES(""), HF_FLUENT_MORE, 0},
        {BYTES("\x93\xa1t"), HF_FLUENT_MORE, 0},
        {BYTES("\xda\0"), HF_FLUENT_MORE, 0},
        {BYTES("\xc1"), HF_FLUENT_BROKEN, 0},
        {BYTES("\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91"
               "\x91\x91\x91\x91\x91\x91\x91\x91\xc0"),
         HF_FLUENT_BROKEN, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t size = 0;
        assert_int_equal(hf_fluent_measure(cases[i].bytes, &size), cases[i].step);
        assert_int_equal(size, cases[i].size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mode_becomes_records),
        cmocka_unit_test(a_chunk_is_handed_out),
        cmocka_unit_test(what_is_wrong_is_said_and_leaves_nothing),
        cmocka_unit_test(the_end_of_an_event_is_found),
    };
    return cmocka_run_group_tests_name("fluent", tests, NULL, NULL);
}
