/* Records as syslog messages, in both forms, and their limits. */
#include "components/exporters/syslog/syslog_lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "pdata/json.h"
#include "tests/support/node_stub.c"

#define SU_TIME "\"timeUnixNano\":\"1065910455003000000\""
#define TEXT(key, value) "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"
#define NUMBER(key, value) "{\"key\":\"" key "\",\"value\":{\"intValue\":" value "}}"
#define MAP(key, pairs) "{\"key\":\"" key "\",\"value\":{\"kvlistValue\":{\"values\":[" pairs "]}}}"
#define RECORD(time, attributes) "{" time ",\"attributes\":[" attributes "]}"

/* A request of records, out of OTLP/JSON. */
static struct hf_bytes request_of(const char *records)
{
    static char json[8192];
    char error[HF_JSON_ERROR_MAX];
    struct hf_bytes raw = {0};
    int size = snprintf(json, sizeof(json),
                        "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[%s]}]}]}", records);
    assert_true(size > 0 && (size_t)size < sizeof(json));
    assert_int_equal(hf_json_to_proto(HF_LOGS, hf_slice_text(json), SIZE_MAX, &raw, error), HF_OK);
    return raw;
}

static void write(struct syslog_lines *lines, const char *records)
{
    struct hf_bytes raw = request_of(records);
    assert_int_equal(syslog_lines_write(lines, hf_slice_of(raw.data, raw.size)), HF_OK);
    hf_bytes_release(&raw);
}

static void expect_text(const struct syslog_lines *lines, const char *text)
{
    assert_int_equal(lines->bytes.size, strlen(text));
    if (lines->bytes.size != 0) {
        assert_memory_equal(lines->bytes.data, text, lines->bytes.size);
    }
}

static void expect(struct syslog_lines lines, const char *records, const char *text)
{
    write(&lines, records);
    expect_text(&lines, text);
    syslog_lines_release(&lines);
}

static void a_record_without_attributes_has_the_defaults(void **state)
{
    const struct syslog_lines new = {.protocol = SYSLOG_RFC5424},
                              old = {.protocol = SYSLOG_RFC3164};
    (void)state;
    expect(new, "{\"body\":{\"stringValue\":\"not sent\"}}", "<165>1 - - - - - -\n");
    expect(old, "{}", "<165>Jan 01 00:00:00 - \n");
}

static void attributes_are_the_fields(void **state)
{
    const struct syslog_lines new = {.protocol = SYSLOG_RFC5424},
                              old = {.protocol = SYSLOG_RFC3164};
    static const char record[] =
        RECORD(SU_TIME,
               TEXT("appname", "su") "," TEXT("hostname", "host") "," TEXT(
                   "message", "'su root' failed") "," NUMBER("priority",
                                                             "34") "," TEXT("proc_id",
                                                                            "77") "," TEXT("msg_id",
                                                                                           "ID47"));
    (void)state;
    expect(new, record, "<34>1 2003-10-11T22:14:15.003Z host su 77 ID47 - 'su root' failed\n");
    expect(old, record, "<34>Oct 11 22:14:15 host su: 'su root' failed\n");
}

static void fractions_have_six_digits_at_most(void **state)
{
    static const char *const times[][2] = {
        {"1500000000", "1970-01-01T00:00:01.5Z"},
        {"1123456789", "1970-01-01T00:00:01.123456Z"},
        {"1000001000", "1970-01-01T00:00:01.000001Z"},
        {"1000000999", "1970-01-01T00:00:01Z"},
    };
    const struct syslog_lines new = {.protocol = SYSLOG_RFC5424};
    (void)state;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        char record[64], text[64];
        snprintf(record, sizeof(record), "{\"timeUnixNano\":\"%s\"}", times[i][0]);
        snprintf(text, sizeof(text), "<165>1 %s - - - - -\n", times[i][1]);
        expect(new, record, text);
    }
}

static void a_record_without_a_time_has_that_of_its_observation(void **state)
{
    static const char record[] = "{\"observedTimeUnixNano\":\"1065910455003000000\"}";
    const struct syslog_lines new = {.protocol = SYSLOG_RFC5424},
                              old = {.protocol = SYSLOG_RFC3164};
    (void)state;
    expect(new, record, "<165>1 2003-10-11T22:14:15.003Z - - - - -\n");
    expect(old, record, "<165>Oct 11 22:14:15 - \n");
}

static void no_field_of_the_header_ends_another(void **state)
{
    static const char record[] = RECORD(
        SU_TIME, TEXT("hostname", "my host") "," TEXT("appname", "a\\nb \u00e9") "," TEXT(
                     "proc_id", "") "," TEXT("msg_id", "\\t\\u007f") "," TEXT("message", "a b"));
    const struct syslog_lines new = {.protocol = SYSLOG_RFC5424},
                              old = {.protocol = SYSLOG_RFC3164};
    (void)state;
    expect(new, record, "<165>1 2003-10-11T22:14:15.003Z my_host a_b_\u00e9 - __ - a b\n");
    expect(old, record, "<165>Oct 11 22:14:15 my_host a_b_\u00e9: a b\n");
}

static void a_priority_or_version_that_is_none_is_the_default(void **state)
{
    static const char *const cases[][3] = {
        {NUMBER("priority", "0"), NUMBER("version", "2"), "<0>2"},
        {NUMBER("priority", "191"), NUMBER("version", "999"), "<191>999"},
        {TEXT("priority", "034"), TEXT("version", "1"), "<34>1"},
        {NUMBER("priority", "192"), NUMBER("version", "0"), "<165>1"},
        {NUMBER("priority", "-1"), NUMBER("version", "1000"), "<165>1"},
        {TEXT("priority", "99999999999999999999"), TEXT("version", "1 x"), "<165>1"},
        {TEXT("priority", "high"), TEXT("version", ""), "<165>1"},
    };
    const struct syslog_lines new = {.protocol = SYSLOG_RFC5424};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char record[256], text[64];
        snprintf(record, sizeof(record), "{\"attributes\":[%s,%s]}", cases[i][0], cases[i][1]);
        snprintf(text, sizeof(text), "%s - - - - - -\n", cases[i][2]);
        expect(new, record, text);
    }
}

static void a_line_break_ends_no_message(void **state)
{
    static const char record[] =
        RECORD("\"flags\":0", TEXT("message", "a\\n\\n<0>1 b\\n") "," MAP(
                                  "structured_data", MAP("a@1", TEXT("x", "c\\nd"))));
    static const char one[] = "{\"attributes\":[" TEXT("message", "\\na") "]}";
    const struct syslog_lines lines = {.protocol = SYSLOG_RFC5424, .ends_at_breaks = true},
                              whole = {.protocol = SYSLOG_RFC5424},
                              old = {.protocol = SYSLOG_RFC3164, .ends_at_breaks = true};
    (void)state;
    expect(lines, record, "<165>1 - - - - - [a@1 x=\"c#012d\"] a#012#012<0>1 b#012\n");
    expect(whole, record, "<165>1 - - - - - [a@1 x=\"c\nd\"] a\n\n<0>1 b\n\n");
    expect(old, one, "<165>Jan 01 00:00:00 - #012a\n");
}

static void structured_data_is_escaped(void **state)
{
    const struct syslog_lines new = {.protocol = SYSLOG_RFC5424};
    (void)state;
    expect(
        new,
        RECORD(SU_TIME, MAP("structured_data",
                            MAP("a@1", TEXT("x", "1") "," TEXT("y z", "q\\\"b]c\\\\") "," NUMBER(
                                           "n", "3")) "," MAP("b@1", "") "," TEXT("c", "no map"))),
        "<165>1 2003-10-11T22:14:15.003Z - - - - [a@1 x=\"1\" y_z=\"q\\\"b\\]c\\\\\"][b@1]\n");
    expect(new, RECORD(SU_TIME, TEXT("structured_data", "[no map]")),
           "<165>1 2003-10-11T22:14:15.003Z - - - - -\n");
}

static void lengths_count_the_line_break(void **state)
{
    const struct syslog_lines counted = {.protocol = SYSLOG_RFC5424, .counts_octets = true};
    (void)state;
    expect(counted, RECORD(SU_TIME, TEXT("message", "a\\nb")) ",{}",
           "46 <165>1 2003-10-11T22:14:15.003Z - - - - - a\nb\n"
           "19 <165>1 - - - - - -\n");
}

static void what_is_longer_than_a_datagram_is_refused_alone(void **state)
{
    struct syslog_lines lines = {.protocol = SYSLOG_RFC3164, .line_bytes_max = 27};
    (void)state;
    write(&lines, "{}," RECORD(SU_TIME, TEXT("message", "ninebytes")) "," RECORD(
                      SU_TIME, TEXT("message", "threebt")));
    assert_int_equal(lines.count, 1);
    assert_int_equal(lines.refused_count, 2);
    assert_int_equal(lines.refused[0].first, 1);
    assert_int_equal(lines.refused[0].count, 1);
    assert_int_equal(lines.refused[0].status, HF_INVALID);
    assert_int_equal(lines.refused[1].first, 2);
    expect_text(&lines, "<165>Jan 01 00:00:00 - \n");
    assert_int_equal(lines.ends[0], lines.bytes.size);
    syslog_lines_release(&lines);
}

static void many_messages_end_where_they_end(void **state)
{
    struct syslog_lines lines = {.protocol = SYSLOG_RFC3164};
    static char records[4096];
    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        memcpy(records + 3 * i, "{},", 3);
    }
    records[2999] = '\0';
    write(&lines, records);
    assert_int_equal(lines.count, 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(lines.ends[i], (i + 1) * lines.ends[0]);
    }
    write(&lines, "{}");
    assert_int_equal(lines.count, 1);
    syslog_lines_release(&lines);
}

static void bodies_that_are_not_sent_are_counted(void **state)
{
    struct syslog_lines lines = {.protocol = SYSLOG_RFC5424};
    (void)state;
    write(&lines, "{\"body\":{\"stringValue\":\"a\"}},{},"
                  "{\"body\":{\"stringValue\":\"a\"},\"attributes\":[" TEXT("message", "b") "]}");
    assert_int_equal(lines.textless, 1);
    write(&lines, "{}");
    assert_int_equal(lines.textless, 0);
    syslog_lines_release(&lines);
}

static void malformed_bytes_are_corrupt(void **state)
{
    const uint8_t raw[] = {0x0a, 9, 0x12};
    struct syslog_lines lines = {.protocol = SYSLOG_RFC5424};
    (void)state;
    assert_int_equal(syslog_lines_write(&lines, hf_slice_of(raw, sizeof(raw))), HF_CORRUPT);
    syslog_lines_release(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_without_attributes_has_the_defaults),
        cmocka_unit_test(attributes_are_the_fields),
        cmocka_unit_test(fractions_have_six_digits_at_most),
        cmocka_unit_test(a_record_without_a_time_has_that_of_its_observation),
        cmocka_unit_test(no_field_of_the_header_ends_another),
        cmocka_unit_test(a_priority_or_version_that_is_none_is_the_default),
        cmocka_unit_test(a_line_break_ends_no_message),
        cmocka_unit_test(structured_data_is_escaped),
        cmocka_unit_test(lengths_count_the_line_break),
        cmocka_unit_test(what_is_longer_than_a_datagram_is_refused_alone),
        cmocka_unit_test(many_messages_end_where_they_end),
        cmocka_unit_test(bodies_that_are_not_sent_are_counted),
        cmocka_unit_test(malformed_bytes_are_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
