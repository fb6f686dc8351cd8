/* OTLP/JSON out: bytes as other writers send them, and the one line they become. */
#include "pdata/json.h"

#include "pdata/json_value.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs those before it */

/* Bytes of known size, without the literal's NUL. */
#define WIRE(literal) literal, sizeof(literal) - 1

/* One record in its list, scope and resource; all lengths stay below 128. */
static struct hf_slice wrap_record(uint8_t *room, const char *record, size_t size)
{
    static const uint8_t tags[] = {0x0a, 0x12, 0x12};
    for (size_t i = 0; i < 3; i++) {
        room[2 * i] = tags[i];
        room[2 * i + 1] = (uint8_t)(size + 2 * (2 - i));
    }
    memcpy(room + 6, record, size);
    return hf_slice_of(room, size + 6);
}

static void check_record(const char *record, size_t size, const char *want)
{
    static const char head[] = "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[";
    static const char tail[] = "]}]}]}";
    uint8_t room[256];
    struct hf_bytes out = {0};
    enum hf_status status = hf_json_from_proto(HF_LOGS, wrap_record(room, record, size), &out);
    if (want == NULL) {
        assert_int_equal(status, HF_INVALID);
        assert_int_equal(out.size, 0);
    } else {
        assert_int_equal(status, HF_OK);
        size_t inner = out.size - strlen(head) - strlen(tail);
        assert_int_equal(inner, strlen(want));
        assert_memory_equal(out.data, head, strlen(head));
        assert_memory_equal(out.data + strlen(head), want, inner);
        assert_memory_equal(out.data + strlen(head) + inner, tail, strlen(tail));
    }
    hf_bytes_release(&out);
}

struct row {
    const char *record;
    size_t size;
    const char *want;
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check_record(rows[i].record, rows[i].size, rows[i].want);
    }
}

#define CHECK_ROWS(rows) check_rows((rows), sizeof(rows) / sizeof((rows)[0]))

static void writes_every_kind_of_value(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {WIRE(""), "{}"},
        {WIRE("\x09\x00\x00\x64\xa7\xb3\xb6\xe0\x0d"),
         "{\"timeUnixNano\":\"1000000000000000000\"}"},
        {WIRE("\x10\x09\x1a\x04INFO"), "{\"severityNumber\":9,\"severityText\":\"INFO\"}"},
        {WIRE("\x2a\x00"), "{\"body\":{}}"},
        {WIRE("\x2a\x02\x0a\x00"), "{\"body\":{\"stringValue\":\"\"}}"},
        {WIRE("\x2a\x02\x10\x00"), "{\"body\":{\"boolValue\":false}}"},
        {WIRE("\x2a\x0b\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
         "{\"body\":{\"intValue\":\"-1\"}}"},
        {WIRE("\x2a\x09\x21\x9a\x99\x99\x99\x99\x99\xb9\x3f"), "{\"body\":{\"doubleValue\":0.1}}"},
        {WIRE("\x2a\x05\x3a\x03\x00\xff\xbf"), "{\"body\":{\"bytesValue\":\"AP+/\"}}"},
        {WIRE("\x2a\x08\x2a\x06\x0a\x00\x0a\x02\x10\x01"),
         "{\"body\":{\"arrayValue\":{\"values\":[{},{\"boolValue\":true}]}}}"},
        {WIRE("\x45\x01\x00\x00\x00\x52\x08\x00\x01\x02\x03\x04\x05\xaa\xff"),
         "{\"flags\":1,\"spanId\":\"000102030405aaff\"}"},
    };
    CHECK_ROWS(rows);
}

static void escapes_what_a_string_cannot_hold(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {WIRE("\x1a\x0b"
              "a\"\\/\b\f\n\r\t\x00\x1f"),
         "{\"severityText\":\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\"}"},
        {WIRE("\x1a\x0e"
              "0123456789abc\""),
         "{\"severityText\":\"0123456789abc\\\"\"}"},
        {WIRE("\x1a\x06"
              "a\xc3\xa9"
              "b\x7f"
              "c"),
         "{\"severityText\":\"a\xc3\xa9"
         "b\x7f"
         "c\"}"},
        /* Not UTF-8: still JSON. */
        {WIRE("\x1a\x05"
              "a\xff\xc3\xa9\xc3"),
         "{\"severityText\":\"a\\ufffd\xc3\xa9\\ufffd\"}"},
    };
    CHECK_ROWS(rows);
}

static void gathers_what_the_wire_scatters(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* Elements of one list with another field between. */
        {WIRE("\x32\x03\x0a\x01"
              "a"
              "\x10\x09"
              "\x32\x03\x0a\x01"
              "b"),
         "{\"severityNumber\":9,\"attributes\":[{\"key\":\"a\"},{\"key\":\"b\"}]}"},
        /* The last of a single value, and the last member of a choice. */
        {WIRE("\x10\x01\x10\x02"), "{\"severityNumber\":2}"},
        {WIRE("\x10\x01\x10\x00"), "{}"},
        {WIRE("\x2a\x05\x0a\x01"
              "a"
              "\x10\x01"),
         "{\"body\":{\"boolValue\":true}}"},
        {WIRE("\x2a\x05\x10\x01\x0a\x01"
              "a"),
         "{\"body\":{\"stringValue\":\"a\"}}"},
        /* A message in two parts is one. */
        {WIRE("\x2a\x04\x2a\x02\x0a\x00"
              "\x2a\x04\x2a\x02\x0a\x00"),
         "{\"body\":{\"arrayValue\":{\"values\":[{},{}]}}}"},
        /* Unknown fields, among them one of a number that lies within the table. */
        {WIRE("\x20\x07\x7a\x01x\xf8\x3f\x01\x10\x09"), "{\"severityNumber\":9}"},
    };
    CHECK_ROWS(rows);
}

static void refuses_what_no_scan_has_passed(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {WIRE("\x10"), NULL},
        {WIRE("\x12\x01\x01"), NULL}, /* severity number as bytes */
        {WIRE("\x1a\x05"
              "abc"),
         NULL},
        {WIRE("\x18\x05"), NULL}, /* text as a number */
        {WIRE("\x0b\x0c"), NULL}, /* a group */
        {WIRE("\x2a\x02\x2a\x05"), NULL},
    };
    CHECK_ROWS(rows);
}

static void prints_the_shortest_double_that_reads_back(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {0, "0"},
        {-0.0, "-0.0"},
        {1, "1"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {0.30000000000000004, "0.30000000000000004"},
        {100, "100"},
        {123456.789, "123456.789"},
        {9007199254740991.0, "9007199254740991"},
        {1e21, "1e+21"},
        {1e-7, "1e-07"},
        {0.00001, "0.00001"},
        {5e-324, "4.94065645841247e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char room[HF_JSON_DIGITS_MAX + 1];
        size_t size = hf_json_print_double(rows[i].value, room);
        room[size] = 0;
        assert_string_equal(room, rows[i].text);
    }
}

/* Bit patterns in fixed steps through all of the range, and decimals in the usual one. */
static void every_double_reads_back(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 200000; i++) {
        uint64_t bits = i * UINT64_C(0x9e3779b97f4a7c15);
        double value;
        double again = 0;
        char room[HF_JSON_DIGITS_MAX];
        if (i % 2 == 0) {
            memcpy(&value, &bits, sizeof(value));
        } else {
            value = (double)(bits >> 40) / 1000;
        }
        if (value - value != 0) {
            continue; /* not finite */
        }
        size_t size = hf_json_print_double(value, room);
        assert_true(hf_json_read_double(hf_slice_of(room, size), false, &again));
        assert_memory_equal(&value, &again, sizeof(value));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_every_kind_of_value),
        cmocka_unit_test(escapes_what_a_string_cannot_hold),
        cmocka_unit_test(gathers_what_the_wire_scatters),
        cmocka_unit_test(refuses_what_no_scan_has_passed),
        cmocka_unit_test(prints_the_shortest_double_that_reads_back),
        cmocka_unit_test(every_double_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
