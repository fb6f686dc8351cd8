/* The texts of one request, each once. */
#include "components/exporters/prometheusremotewrite/prw_symbols.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h> /* needs those before it */

#include "pdata/wire_find.h"

static uint32_t find(struct prw_symbols *symbols, const char *text)
{
    uint32_t number = UINT32_MAX;
    assert_int_equal(prw_symbols_find(symbols, hf_slice_text(text), &number), HF_OK);
    return number;
}

static void each_text_has_one_number(void **state)
{
    struct prw_symbols symbols = {0};
    char text[32];
    (void)state;
    for (int round = 0; round < 2; round++) {
        assert_int_equal(prw_symbols_begin(&symbols), HF_OK);
        assert_int_equal(find(&symbols, ""), 0);
        for (uint32_t i = 0; i < 5000; i++) { /* the tables grow */
            snprintf(text, sizeof(text), "name %u", i);
            assert_int_equal(find(&symbols, text), i + 1);
        }
        for (uint32_t i = 0; i < 5000; i++) {
            snprintf(text, sizeof(text), "name %u", i);
            assert_int_equal(find(&symbols, text), i + 1);
        }
        assert_int_equal(symbols.count, 5001);
    }
    prw_symbols_release(&symbols);
}

static void they_are_written_in_their_order_the_empty_one_first(void **state)
{
    struct prw_symbols symbols = {0};
    struct hf_bytes out = {0};
    struct hf_wire_writer writer = {.out = &out};
    struct hf_slice text;
    (void)state;
    assert_int_equal(prw_symbols_begin(&symbols), HF_OK);
    find(&symbols, "b");
    find(&symbols, "a");
    prw_symbols_write(&symbols, 4, &writer);
    assert_int_equal(hf_wire_status(&writer), HF_OK);
    struct hf_wire wire = hf_wire_of(hf_slice_of(out.data, out.size));
    assert_true(hf_wire_each(&wire, 4, &text));
    assert_int_equal(text.size, 0);
    assert_true(hf_wire_each(&wire, 4, &text) && hf_slice_is(text, "b"));
    assert_true(hf_wire_each(&wire, 4, &text) && hf_slice_is(text, "a"));
    assert_false(hf_wire_each(&wire, 4, &text));
    hf_bytes_release(&out);
    prw_symbols_release(&symbols);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_text_has_one_number),
        cmocka_unit_test(they_are_written_in_their_order_the_empty_one_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
