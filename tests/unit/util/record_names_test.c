/* The header that names records: what is written is read as it was, and nothing else is read. */
#include "util/record_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#define ORIGIN "00112233445566778899aabbccddeeff"

static const uint8_t origin[HF_ORIGIN_BYTES] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                                0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};

static struct hf_slice write_parts(struct hf_record_names_writer *writer,
                                   const struct hf_record_part *parts, size_t count)
{
    hf_record_names_begin(writer, origin);
    for (size_t i = 0; i < count; i++) {
        hf_record_names_add(writer, &parts[i]);
    }
    return hf_record_names_end(writer);
}

static void assert_read(struct hf_slice value, const struct hf_record_part *parts, size_t count)
{
    struct hf_record_names names;
    struct hf_record_part part;
    assert_true(hf_record_names_open(value, &names));
    assert_memory_equal(names.origin, origin, sizeof(origin));
    for (size_t i = 0; i < count; i++) {
        assert_true(hf_record_names_next(&names, &part));
        assert_int_equal(part.sequence, parts[i].sequence);
        assert_int_equal(part.first, parts[i].first);
        assert_int_equal(part.count, parts[i].count);
        assert_int_equal(part.of, parts[i].of);
    }
    assert_false(hf_record_names_next(&names, &part));
    assert_false(names.is_bad);
}

static void is_read_as_it_was_written(void **state)
{
    static const struct {
        struct hf_record_part parts[6];
        size_t count;
        const char *text;
    } cases[] = {
        {{{0, 0, 1, 1}}, 1, ";0:1"},
        {{{7, 0, 3, 3}, {8, 0, 3, 3}, {9, 0, 4, 4}}, 3, ";7:3*2,4"},
        {{{7, 0, 3, 3}, {9, 0, 3, 3}}, 2, ";7:3;9:3"},
        {{{7, 2, 3, 9}, {8, 0, 1, 1}, {9, 0, 4, 5}}, 3, ";7+2:3/9;8:1;9+0:4/5"},
        {{{7, 0, 3, 9}, {7, 5, 4, 9}}, 2, ";7+0:3/9;7+5:4/9"},
        {{{UINT64_MAX - 1, 0, UINT32_MAX, UINT32_MAX}}, 1, ";18446744073709551614:4294967295"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_record_names_writer writer;
        char expected[128];
        struct hf_slice value = write_parts(&writer, cases[i].parts, cases[i].count);
        snprintf(expected, sizeof(expected), "1;" ORIGIN "%s", cases[i].text);
        assert_true(hf_slice_is(value, expected));
        assert_read(value, cases[i].parts, cases[i].count);
    }
}

/* Whether all parts of a text behind the origin are read. */
static bool is_good(const char *text)
{
    char value[256];
    struct hf_record_names names;
    struct hf_record_part part;
    snprintf(value, sizeof(value), "1;" ORIGIN "%s", text);
    if (!hf_record_names_open(hf_slice_text(value), &names)) {
        return false;
    }
    while (hf_record_names_next(&names, &part)) {
    }
    return !names.is_bad;
}

static void refuses_what_is_none(void **state)
{
    static const char *const bad[] = {
        "",
        ";",
        ";1",
        ";1:",
        ";1:0",
        ";1:1,",
        ";1:1*",
        ";1:1*0",
        ";1:1;",
        ";1:1;1:1",
        ";2:1;1:1",
        ";1:-1",
        ";1:1 ",
        ";1+0:1",
        ";1+0:1/1",
        ";1+1:2/2",
        ";1+4294967295:2/3",
        ";1+0:1/2,1",
        ";1+1:1/2,1",
        ";1:4294967296",
        ";1:1/2",
        ";18446744073709551615:1",
        ";18446744073709551614:1*2",
        ";1:1,1;2:1",
        ":1",
    };
    (void)state;
    assert_true(is_good(";1:1,1;3:1"));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (is_good(bad[i])) {
            fail_msg("%s was read", bad[i]);
        }
    }
}

static void says_when_a_header_has_no_room(void **state)
{
    struct hf_record_names_writer writer;
    (void)state;
    /* As many records as one likes of the same size, but not of all sizes. */
    hf_record_names_begin(&writer, origin);
    for (uint64_t i = 0; i < 100000; i++) {
        hf_record_names_add(&writer, &(struct hf_record_part){i, 0, 10, 10});
    }
    assert_true(hf_slice_is(hf_record_names_end(&writer), "1;" ORIGIN ";0:10*100000"));
    hf_record_names_begin(&writer, origin);
    for (uint32_t i = 1; i < 3000; i++) {
        hf_record_names_add(&writer, &(struct hf_record_part){i, 0, i, i});
    }
    assert_int_equal(hf_record_names_end(&writer).size, 0);
    for (uint64_t runs = HF_RECORD_NAMES_RUNS_MAX; runs <= HF_RECORD_NAMES_RUNS_MAX + 1; runs++) {
        hf_record_names_begin(&writer, origin);
        for (uint64_t i = 0; i < runs; i++) {
            hf_record_names_add(&writer, &(struct hf_record_part){2 * i, 0, 1, 1});
        }
        assert_int_equal(hf_record_names_end(&writer).size == 0, runs > HF_RECORD_NAMES_RUNS_MAX);
    }
    hf_record_names_begin(&writer, origin);
    assert_int_equal(hf_record_names_end(&writer).size, 0);
}

static void neighbours_touch(void **state)
{
    const struct hf_record_part parts[] = {{4, 0, 2, 5}, {4, 2, 3, 5}, {5, 0, 7, 7}, {6, 0, 1, 9}};
    (void)state;
    for (size_t i = 0; i + 1 < sizeof(parts) / sizeof(parts[0]); i++) {
        struct hf_record_range one = hf_record_range_of(&parts[i]);
        struct hf_record_range next = hf_record_range_of(&parts[i + 1]);
        assert_int_equal(hf_record_place_compare(one.to, next.from), 0);
        assert_int_equal(hf_record_place_compare(one.from, one.to), -1);
        assert_int_equal(hf_record_place_compare(next.to, one.to), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_read_as_it_was_written),
        cmocka_unit_test(refuses_what_is_none),
        cmocka_unit_test(says_when_a_header_has_no_room),
        cmocka_unit_test(neighbours_touch),
    };
    return cmocka_run_group_tests_name("record_names", tests, NULL, NULL);
}
