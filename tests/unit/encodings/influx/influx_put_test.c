/* Lines as they are written: what is escaped, and that what reads them finds the same. */
#include "encodings/influx/influx_put.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <math.h>
#include <string.h>

#include <cmocka.h>

#include "encodings/influx/influx_line.h"

static void what_is_special_is_escaped(void **state)
{
    struct hf_bytes out = {0};
    struct hf_influx_writer writer = {.out = &out, .unit_ns = 1000};
    (void)state;
    hf_influx_begin(&writer, hf_slice_text("#m x,y=z\n"));
    hf_influx_put_tag(&writer, hf_slice_text("a b"), hf_slice_text("c,d=e\\"));
    hf_influx_put_tag(&writer, hf_slice_text("no"), HF_EMPTY_SLICE);
    hf_influx_put_tag(&writer, HF_EMPTY_SLICE, hf_slice_text("no"));
    hf_influx_put_tag(&writer, hf_slice_text("no"), hf_slice_text("\\"));
    hf_influx_put_text(&writer, hf_slice_text("t"), hf_slice_text("a \"b\"\\\n"));
    hf_influx_put_double(&writer, hf_slice_text("d"), -0.25);
    hf_influx_put_double(&writer, hf_slice_text("e"), 1e300);
    hf_influx_put_double(&writer, hf_slice_text("no"), (double)NAN);
    hf_influx_put_int(&writer, hf_slice_text("i"), -3);
    hf_influx_put_uint(&writer, hf_slice_text("u"), UINT64_MAX);
    writer.no_unsigned = true;
    hf_influx_put_uint(&writer, hf_slice_text("v"), UINT64_MAX);
    assert_true(hf_influx_end(&writer, 7999));
    assert_int_equal(hf_bytes_append(&out, hf_slice_of("", 1)), HF_OK);
    assert_string_equal(
        (const char *)out.data,
        "\\#m\\ x\\,y=z\\n,a\\ b=c\\,d\\=e t=\"a \\\"b\\\"\\\\\n\",d=-0.25,e=1e+300,"
        "i=-3i,u=18446744073709551615u,v=9223372036854775807i 7\n");
    hf_bytes_release(&out);
}

static void a_line_without_fields_is_none(void **state)
{
    struct hf_bytes out = {0};
    struct hf_influx_writer writer = {.out = &out, .unit_ns = 1};
    (void)state;
    hf_influx_begin(&writer, hf_slice_text("m"));
    hf_influx_put_tag(&writer, hf_slice_text("a"), hf_slice_text("b"));
    assert_false(hf_influx_end(&writer, 1));
    assert_int_equal(out.size, 0);
    assert_int_equal(writer.line_count, 0);
    hf_bytes_release(&out);
}

static void what_is_written_reads_as_the_same(void **state)
{
    static struct hf_influx_line line;
    struct hf_arena arena = {.limit = 1 << 16};
    struct hf_bytes out = {0};
    struct hf_influx_writer writer = {.out = &out, .unit_ns = 1};
    struct hf_slice rest, text;
    size_t number = 0;
    (void)state;
    hf_influx_begin(&writer, hf_slice_text("m, x"));
    hf_influx_put_tag(&writer, hf_slice_text("a=b"), hf_slice_text("\"c\\d e"));
    hf_influx_put_text(&writer, hf_slice_text("t\\"), hf_slice_text("\\\"\n x=\""));
    hf_influx_put_double(&writer, hf_slice_text("d"), 0.1);
    assert_true(hf_influx_end(&writer, 7));
    rest = hf_slice_of(out.data, out.size);
    assert_true(hf_influx_next_line(&rest, &text, &number));
    assert_null(hf_influx_read_line(text, &arena, &line));
    assert_true(hf_slice_is(line.measurement, "m, x"));
    assert_true(hf_slice_is(line.tags[0].key, "a=b"));
    assert_true(hf_slice_is(line.tags[0].value, "\"c\\d e"));
    assert_true(hf_slice_is(line.fields[0].key, "t"));
    assert_true(hf_slice_is(line.fields[0].text, "\\\"\n x=\""));
    assert_true(line.fields[1].number == 0.1);
    assert_int_equal(line.time, 7);
    assert_false(hf_influx_next_line(&rest, &text, &number));
    hf_arena_release(&arena);
    hf_bytes_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_special_is_escaped),
        cmocka_unit_test(a_line_without_fields_is_none),
        cmocka_unit_test(what_is_written_reads_as_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
