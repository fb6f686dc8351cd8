/* Text that is not UTF-8 becomes text that is; nothing else of a request changes. */
#include "pdata/repair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "pdata/document.h"
#include "pdata/scan.h"
#include "pdata/utf8.h"
#include "pdata/wire.h"
#include "tests/support/bodies.c"

#define R "\xef\xbf\xbd" /* U+FFFD */

static void one_mark_stands_for_each_maximal_part(void **state)
{
    /* The cases of table 3-8 to 3-11 of the Unicode standard, and what browsers do of others. */
    static const struct {
        const char *text, *repaired;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"caf\xc3\xa9", "caf\xc3\xa9"},
        {"\xff", R},
        {"a\xff\xfe"
         "b",
         "a" R R "b"},
        {"\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", R R R R R R R R "A"},
        {"\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", R R R R R R R R "A"},
        {"\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", R R R R R "A" R R "B"},
        {"\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", R R R R "A"},
        {"a\xf1\x80\x80\xe1\x80\xc2"
         "b\x80"
         "c\x80\xbf"
         "d",
         "a" R R R "b" R "c" R R "d"},
        {"\xe2\x82", R},
        {"\xe2\x82\xac\xe2\x82", "\xe2\x82\xac" R},
        {"\xf0\x9f\x90", R},
        {"\xc3", R},
        {"twelve bytes\xc3(", "twelve bytes" R "("},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_bytes out = {0};
        assert_int_equal(hf_repair_text(hf_slice_text(cases[i].text), &out), HF_OK);
        assert_int_equal(out.size, strlen(cases[i].repaired));
        if (out.size > 0) {
            assert_memory_equal(out.data, cases[i].repaired, out.size);
        }
        assert_true(hf_utf8_is_valid(hf_slice_of(out.data, out.size)));
        hf_bytes_release(&out);
    }
}

/* Damages the texts of a good request: what was "inner", "GET", ... */
static unsigned damage(struct hf_bytes *raw)
{
    static const char *const texts[] = {"inner", "checkout", "my.library", "http.duration", "INFO"};
    unsigned count = 0;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        uint8_t *at = raw->data;
        size_t size = strlen(texts[i]);
        while ((at = memmem(at, (size_t)(raw->data + raw->size - at), texts[i], size)) != NULL) {
            at[1] = 0xff;
            at += size;
            count++;
        }
    }
    return count;
}

static void repairs_every_string_of_a_request(void **state)
{
    unsigned damaged = 0;
    (void)state;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        for (uint64_t seed = 1; seed < 100; seed++) {
            struct hf_bytes raw = {0}, out = {0};
            struct hf_scan before, after;
            uint64_t count = 99;
            bodies_make(signal, seed, 8, &raw);
            assert_int_equal(hf_scan(signal, hf_slice_of(raw.data, raw.size), &before), HF_OK);
            /* "/api/v1/checkout" holds "checkout": both stand in one string. */
            unsigned broken = damage(&raw);
            struct hf_slice bad = hf_slice_of(raw.data, raw.size);
            assert_int_equal(hf_scan(signal, bad, &after), broken > 0 ? HF_INVALID : HF_OK);
            assert_int_equal(hf_repair(signal, bad, &out, &count), HF_OK);
            assert_int_equal(count, broken);
            damaged += broken;
            if (broken == 0) {
                assert_int_equal(out.size, 0);
            } else {
                assert_int_equal(hf_scan(signal, hf_slice_of(out.data, out.size), &after), HF_OK);
                assert_int_equal(after.items, before.items);
                assert_int_equal(after.resources, before.resources);
                assert_null(memmem(out.data, out.size, "checkout", 8));
            }
            hf_bytes_release(&raw);
            hf_bytes_release(&out);
        }
    }
    assert_true(damaged > 300);
}

static void refuses_what_is_more_than_text(void **state)
{
    static const struct {
        const char *raw;
        size_t size;
    } cases[] = {
        {"\x0a\x05\x0a", 3},                 /* cut short */
        {"\x0a\x03\x1a\x01\xff\xff", 6},     /* bad text, and something after it */
        {"\x0a\x05\x1a\x01\xff\x0d\x00", 7}, /* wrong wire type beside bad text */
        {"\x0b", 1},                         /* a group */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_bytes out = {0};
        uint64_t count = 99;
        assert_int_equal(hf_bytes_append(&out, hf_slice_text("before")), HF_OK);
        assert_int_equal(
            hf_repair(HF_TRACES, hf_slice_of(cases[i].raw, cases[i].size), &out, &count),
            HF_INVALID);
        assert_int_equal(count, 99);
        assert_int_equal(out.size, 6);
        hf_bytes_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_mark_stands_for_each_maximal_part),
        cmocka_unit_test(repairs_every_string_of_a_request),
        cmocka_unit_test(refuses_what_is_more_than_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
