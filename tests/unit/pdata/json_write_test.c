/* JSON text, token by token. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h> /* needs those before it */

#include "pdata/any_make.h"
#include "pdata/json_value.h"
#include "pdata/json_write.h"
#include "util/arena.h"
#include "json/json.h"

static void assert_text(struct hf_bytes *out, const char *wanted)
{
    if (out->size != strlen(wanted) || memcmp(out->data, wanted, out->size) != 0) {
        fail_msg("got %.*s, wanted %s", (int)out->size, out->data, wanted);
    }
    out->size = 0;
}

static void commas_stand_between_values_only(void **state)
{
    (void)state;
    struct hf_bytes out = {0};
    struct hf_json_writer writer = {.out = &out};
    hf_json_write_open(&writer, '{');
    HF_JSON_WRITE_KEY(&writer, "a");
    hf_json_write_open(&writer, '[');
    hf_json_write_u64(&writer, UINT64_MAX);
    hf_json_write_i64(&writer, -1);
    hf_json_write_open(&writer, '{');
    hf_json_write_close(&writer, '}');
    hf_json_write_bool(&writer, true);
    hf_json_write_null(&writer);
    hf_json_write_close(&writer, ']');
    HF_JSON_WRITE_KEY(&writer, "b");
    hf_json_write_hex(&writer, hf_slice_of("\x00\xff", 2));
    hf_json_write_key(&writer, hf_slice_text("c\"d"));
    hf_json_write_base64(&writer, hf_slice_text("abcd"));
    hf_json_write_close(&writer, '}');
    assert_int_equal(hf_json_write_status(&writer), HF_OK);
    assert_text(&out, "{\"a\":[18446744073709551615,-1,{},true,null],\"b\":\"00ff\","
                      "\"c\\\"d\":\"YWJjZA==\"}");
    hf_bytes_release(&out);
}

static void text_is_escaped_where_json_wants_it(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } rows[] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"\"", "\"\\\"\""},
        {"a\\b\n\r\t\b\f\x01z", "\"a\\\\b\\n\\r\\t\\b\\f\\u0001z\""},
        {"longer than a word \x1f and more", "\"longer than a word \\u001f and more\""},
        {"\xc3\xa9", "\"\xc3\xa9\""},
    };
    struct hf_bytes out = {0};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_json_writer writer = {.out = &out};
        hf_json_write_text(&writer, hf_slice_text(rows[i].text));
        assert_text(&out, rows[i].wanted);
    }
    hf_bytes_release(&out);
}

static void markup_is_escaped_when_asked_for(void **state)
{
    (void)state;
    struct hf_bytes out = {0};
    struct hf_json_writer writer = {.out = &out, .html = true};
    hf_json_write_open(&writer, '{');
    hf_json_write_key(&writer, hf_slice_text("a<"));
    hf_json_write_text(&writer, hf_slice_text("more than one block of bytes <b>&\"</b>"));
    hf_json_write_close(&writer, '}');
    assert_text(&out, "{\"a\\u003c\":\"more than one block of bytes "
                      "\\u003cb\\u003e\\u0026\\\"\\u003c/b\\u003e\"}");
    hf_bytes_release(&out);
}

/* Blocks of 16 and 8 bytes and what is left over: no byte may be missed anywhere. */
static void every_byte_is_looked_at_in_texts_of_any_size(void **state)
{
    (void)state;
    static const uint8_t odd[] = {'"', '\\', 0, 0x1f, '<', '>', '&'};
    uint8_t text[50];
    for (size_t size = 0; size <= sizeof(text); size++) {
        memset(text, 0x7f, sizeof(text));
        assert_int_equal(hf_json_plain_run(hf_slice_of(text, size)), size);
        assert_int_equal(hf_json_plain_html_run(hf_slice_of(text, size)), size);
        for (size_t at = 0; at < size; at++) {
            for (size_t i = 0; i < sizeof(odd); i++) {
                text[at] = odd[i];
                size_t run = i < 4 ? at : size;
                assert_int_equal(hf_json_plain_run(hf_slice_of(text, size)), run);
                assert_int_equal(hf_json_plain_html_run(hf_slice_of(text, size)), at);
            }
            text[at] = 0xff;
        }
    }
}

static void doubles_look_like_floats(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *wanted;
    } rows[] = {{1, "1.0"},   {0, "0.0"},        {-0.0, "-0.0"}, {0.25, "0.25"},
                {-3, "-3.0"}, {1e300, "1e+300"}, {NAN, "null"},  {-INFINITY, "null"}};
    struct hf_bytes out = {0};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_json_writer writer = {.out = &out};
        hf_json_write_double(&writer, rows[i].value);
        assert_text(&out, rows[i].wanted);
    }
    hf_bytes_release(&out);
}

static void values_are_written_in_the_wanted_style(void **state)
{
    (void)state;
    struct hf_bytes out = {0};
    struct hf_arena arena = {.limit = 1 << 20};
    struct hf_any_maker maker = {.arena = &arena};
    struct hf_slice inner[] = {hf_any_make_string(&maker, hf_slice_text("x")),
                               hf_any_make_int(&maker, 7), HF_EMPTY_SLICE};
    const struct hf_any_pair pairs[] = {
        {hf_slice_text("l"), hf_any_make_list(&maker, inner, 3)},
        {hf_slice_text("b"), hf_any_make_bytes(&maker, hf_slice_of("\x01", 1))}};
    struct hf_slice map = hf_any_make_map(&maker, pairs, 2);
    assert_false(maker.failed);
    struct hf_json_writer writer = {.out = &out};
    hf_json_write_any(&writer, map, &(const struct hf_json_any_style){.bytes_as_hex = true});
    assert_text(&out, "{\"l\":[\"x\",7,null],\"b\":\"01\"}");
    writer = (struct hf_json_writer){.out = &out};
    hf_json_write_any(&writer, map, &(const struct hf_json_any_style){0});
    assert_text(&out, "{\"l\":[\"x\",7,null],\"b\":\"AQ==\"}");
    writer = (struct hf_json_writer){.out = &out};
    hf_json_write_any(&writer, map, &(const struct hf_json_any_style){.maps_as_text = true});
    assert_text(&out, "\"{\\\"b\\\":\\\"AQ==\\\",\\\"l\\\":[\\\"x\\\",7,null]}\"");
    hf_arena_release(&arena);
    hf_bytes_release(&out);
}

static void values_are_written_as_they_were_read(void **state)
{
    (void)state;
    const struct hf_json empty = {.kind = HF_JSON_MAP};
    const struct hf_json none = {.kind = HF_JSON_NULL, .next = &empty};
    const struct hf_json yes = {.kind = HF_JSON_BOOL, .boolean = true, .next = &none};
    const struct hf_json half = {.kind = HF_JSON_DOUBLE, .number = -2.5, .next = &yes};
    const struct hf_json one = {.kind = HF_JSON_INT, .integer = 1, .next = &half};
    const struct hf_json text = {
        .kind = HF_JSON_STRING, .key = hf_slice_text("b"), .text = hf_slice_text("c\"")};
    const struct hf_json list = {
        .kind = HF_JSON_LIST, .key = hf_slice_text("a \""), .first = &one, .next = &text};
    const struct hf_json map = {.kind = HF_JSON_MAP, .first = &list};
    struct hf_bytes out = {0};
    struct hf_json_writer writer = {.out = &out};
    hf_json_write_value(&writer, &map);
    assert_int_equal(hf_json_write_status(&writer), HF_OK);
    assert_text(&out, "{\"a \\\"\":[1,-2.5,true,null,{}],\"b\":\"c\\\"\"}");
    hf_bytes_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_stand_between_values_only),
        cmocka_unit_test(text_is_escaped_where_json_wants_it),
        cmocka_unit_test(markup_is_escaped_when_asked_for),
        cmocka_unit_test(every_byte_is_looked_at_in_texts_of_any_size),
        cmocka_unit_test(doubles_look_like_floats),
        cmocka_unit_test(values_are_written_in_the_wanted_style),
        cmocka_unit_test(values_are_written_as_they_were_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
