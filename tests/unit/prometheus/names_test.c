/* What OTLP's names become in Prometheus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "prometheus/names.h"
#include "prometheus/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void expect(struct hf_bytes *out, const char *expected)
{
    assert_int_equal(out->size, strlen(expected));
    assert_memory_equal(out->data, expected, out->size);
    out->size = 0;
}

static void names_get_their_unit_and_their_kind(void **state)
{
    (void)state;
    static const struct {
        const char *name, *unit;
        enum hf_prom_kind kind;
        const char *expected;
    } cases[] = {
        {"system.cpu.time", "s", HF_PROM_COUNTER, "system_cpu_time_seconds_total"},
        {"system.memory.usage", "By", HF_PROM_GAUGE, "system_memory_usage_bytes"},
        {"system.memory.utilization", "1", HF_PROM_GAUGE, "system_memory_utilization_ratio"},
        {"system.cpu.load_average.1m", "{thread}", HF_PROM_GAUGE, "system_cpu_load_average_1m"},
        {"http.server.request.duration", "s", HF_PROM_HISTOGRAM,
         "http_server_request_duration_seconds"},
        {"x", "m/s", HF_PROM_GAUGE, "x_meters_per_second"},
        {"x", "{request}/s", HF_PROM_GAUGE, "x_per_second"},
        {"x", "/s", HF_PROM_GAUGE, "x_per_second"},
        {"system.network.io", "By", HF_PROM_COUNTER, "system_network_io_bytes_total"},
        {"total.of.total", "", HF_PROM_COUNTER, "of_total"},
        {"disk.bytes", "By", HF_PROM_GAUGE, "disk_bytes"},
        {"__a..b__", "", HF_PROM_GAUGE, "a_b"},
        {"2x", "", HF_PROM_GAUGE, "_2x"},
        {"temp", "Cel", HF_PROM_GAUGE, "temp_celsius"},
        {"x", "foo bar", HF_PROM_GAUGE, "x_foo_bar"},
        {"x", "1", HF_PROM_COUNTER, "x_total"},
        {"gr\xc3\xb6\xc3\x9f"
         "e",
         "", HF_PROM_GAUGE, "gr_e"},
    };
    struct hf_bytes out = {0};
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct hf_prom_naming naming = {.suffixes = true};
        assert_int_equal(hf_prom_metric_name(&naming, hf_slice_text(cases[i].name),
                                             hf_slice_text(cases[i].unit), cases[i].kind, &out),
                         HF_OK);
        expect(&out, cases[i].expected);
    }
    hf_bytes_release(&out);
}

static void a_namespace_stands_before_the_name(void **state)
{
    (void)state;
    struct hf_bytes out = {0};
    const struct hf_prom_naming naming = {.name_space = "my-app"};
    assert_int_equal(hf_prom_metric_name(&naming, hf_slice_text("2x.time"), hf_slice_text("s"),
                                         HF_PROM_COUNTER, &out),
                     HF_OK);
    expect(&out, "my_app_2x_time");
    assert_int_equal(
        hf_prom_metric_name(&naming, hf_slice_text("..."), HF_EMPTY_SLICE, HF_PROM_GAUGE, &out),
        HF_INVALID);
    assert_int_equal(out.size, 0);
    hf_bytes_release(&out);
}

static void without_suffixes_underscores_stay(void **state)
{
    (void)state;
    static const struct {
        const char *name_space, *name;
        const char *expected; /* NULL: nothing is left */
    } cases[] = {
        {"", "a__b", "a__b"},
        {"", "_a_", "_a_"},
        {"", "..a..b..", "a_b"},
        {"", "a.__b", "a___b"},
        {"", "2x", "_2x"},
        {"", ".2x", "_2x"},
        {"", "___", "___"},
        {"", "gr\xc3\xb6\xc3\x9f:e", "gr_:e"},
        {"", "_.", NULL},
        {"", "...", NULL},
        {"", "", NULL},
        {"my..app", "2x", "my_app_2x"},
        {"_my__app", "a", "_my__app_a"},
    };
    struct hf_bytes out = {0};
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct hf_prom_naming naming = {.name_space = cases[i].name_space};
        assert_int_equal(hf_prom_metric_name(&naming, hf_slice_text(cases[i].name),
                                             hf_slice_text("s"), HF_PROM_COUNTER, &out),
                         cases[i].expected != NULL ? HF_OK : HF_INVALID);
        expect(&out, cases[i].expected != NULL ? cases[i].expected : "");
    }
    hf_bytes_release(&out);
}

static void names_in_utf8_keep_their_characters(void **state)
{
    (void)state;
    static const struct {
        const char *name, *unit;
        enum hf_prom_kind kind;
        const char *suffixed, *plain;
    } cases[] = {
        {"system.cpu.time", "s", HF_PROM_COUNTER, "n.s_system.cpu.time_seconds_total",
         "n.s_system.cpu.time"},
        {"disk.bytes", "By", HF_PROM_GAUGE, "n.s_disk.bytes", "n.s_disk.bytes"},
        {"of.total", "", HF_PROM_COUNTER, "n.s_of_total", "n.s_of.total"},
        {"used.ratio", "1", HF_PROM_GAUGE, "n.s_used_ratio", "n.s_used.ratio"},
        {"io.per_second.total", "By/s", HF_PROM_COUNTER, "n.s_io_bytes_per_second_total",
         "n.s_io.per_second.total"},
        {"x", "{request}/s", HF_PROM_GAUGE, "n.s_x_per_second", "n.s_x"},
        {"x", "{request}", HF_PROM_GAUGE, "n.s_x", "n.s_x"},
        {"x", "foo bar", HF_PROM_GAUGE, "n.s_x_foo bar", "n.s_x"},
        {"gr\xc3\xb6\xc3\x9f"
         "e",
         "m", HF_PROM_GAUGE,
         "n.s_gr\xc3\xb6\xc3\x9f"
         "e_meters",
         "n.s_gr\xc3\xb6\xc3\x9f"
         "e"},
    };
    struct hf_bytes out = {0};
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (int suffixes = 0; suffixes < 2; suffixes++) {
            const struct hf_prom_naming naming = {
                .name_space = "n.s", .suffixes = suffixes != 0, .is_utf8 = true};
            assert_int_equal(hf_prom_metric_name(&naming, hf_slice_text(cases[i].name),
                                                 hf_slice_text(cases[i].unit), cases[i].kind, &out),
                             HF_OK);
            expect(&out, suffixes != 0 ? cases[i].suffixed : cases[i].plain);
        }
    }
    const struct hf_prom_naming naming = {.suffixes = true, .is_utf8 = true};
    assert_int_equal(
        hf_prom_metric_name(&naming, hf_slice_text("total"), HF_EMPTY_SLICE, HF_PROM_COUNTER, &out),
        HF_OK);
    expect(&out, "total_total");
    assert_int_equal(
        hf_prom_metric_name(&naming, HF_EMPTY_SLICE, HF_EMPTY_SLICE, HF_PROM_COUNTER, &out),
        HF_INVALID);
    hf_bytes_release(&out);
}

static void labels_have_letters_digits_and_underscores(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"http.method", "http_method"},
        {"a..b", "a__b"},
        {"1st", "key_1st"},
        {"_x", "key_x"},
        {"__x", "__x"},
        {".x", "key_x"},
    };
    struct hf_bytes out = {0};
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(hf_prom_label_name(hf_slice_text(cases[i][0]), &out), HF_OK);
        expect(&out, cases[i][1]);
    }
    hf_bytes_release(&out);
}

static void numbers_have_the_fewest_digits(void **state)
{
    (void)state;
    static const struct {
        double number;
        bool pointed;
        const char *expected;
    } cases[] = {
        {0, false, "0"},
        {1, true, "1.0"},
        {0.1, false, "0.1"},
        {999999, false, "999999"},
        {1e6, false, "1e+06"},
        {1234567, false, "1.234567e+06"},
        {1e-4, false, "0.0001"},
        {1e-5, false, "1e-05"},
        {100000, false, "100000"},
        {-2.5, false, "-2.5"},
        {1e300, true, "1e+300"},
        {0.005, true, "0.005"},
        {123.456, false, "123.456"},
        {1.0 / 3, false, "0.3333333333333333"},
        {0.30000000000000004, false, "0.30000000000000004"},
        {0.1 + 1e5, false, "100000.1"},
        {-0.0, false, "-0"},
        {100, true, "100.0"},
        {0.00012, false, "0.00012"},
        {999999.5, false, "999999.5"},
        {-1234567.25, false, "-1.23456725e+06"},
        {999999999999999, false, "9.99999999999999e+14"},
        {1e15, false, "1e+15"},
        {9007199254740992, false, "9.007199254740992e+15"},
        {123456.123456789, false, "123456.123456789"},
        {1.7976931348623157e308, false, "1.7976931348623157e+308"},
    };
    struct hf_bytes out = {0};
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(hf_prom_number(cases[i].number, cases[i].pointed, &out), HF_OK);
        expect(&out, cases[i].expected);
    }
    for (uint64_t i = 1; i < 5000; i++) { /* of many sizes, each is read back */
        double number =
            (double)(i * UINT64_C(0x9e3779b97f4a7c15) >> (i % 60)) / (double)(1 + i % 1000);
        assert_int_equal(hf_prom_number(number, false, &out), HF_OK);
        assert_int_equal(hf_bytes_append(&out, hf_slice_of("", 1)), HF_OK);
        assert_true(strtod((const char *)out.data, NULL) == number);
        out.size = 0;
    }
    assert_int_equal(hf_prom_number(__builtin_inf(), true, &out), HF_OK);
    expect(&out, "+Inf");
    assert_int_equal(hf_prom_number(__builtin_nan(""), false, &out), HF_OK);
    expect(&out, "NaN");
    hf_bytes_release(&out);
}

static void texts_are_escaped(void **state)
{
    (void)state;
    struct hf_bytes out = {0};
    assert_int_equal(hf_prom_escape(hf_slice_text("a\"b\\c\nd"), true, &out), HF_OK);
    expect(&out, "a\\\"b\\\\c\\nd");
    assert_int_equal(hf_prom_escape(hf_slice_text("\"\n"), false, &out), HF_OK);
    expect(&out, "\"\\n");
    hf_bytes_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_get_their_unit_and_their_kind),
        cmocka_unit_test(a_namespace_stands_before_the_name),
        cmocka_unit_test(without_suffixes_underscores_stay),
        cmocka_unit_test(names_in_utf8_keep_their_characters),
        cmocka_unit_test(labels_have_letters_digits_and_underscores),
        cmocka_unit_test(numbers_have_the_fewest_digits),
        cmocka_unit_test(texts_are_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
