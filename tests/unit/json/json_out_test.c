#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json/json.h"
#include "json/json_out.h"

/* What `write` puts out, to be freed. */
static char *text_of(void (*write)(struct hf_json_out *json))
{
    char *text = NULL;
    size_t size = 0;
    struct hf_json_out json = {.out = open_memstream(&text, &size)};
    assert_non_null(json.out);
    write(&json);
    assert_int_equal(fclose(json.out), 0);
    return text;
}

static void nested(struct hf_json_out *json)
{
    hf_json_out_map(json, NULL);
    hf_json_out_map(json, "empty");
    hf_json_out_end_map(json);
    hf_json_out_list(json, "list");
    hf_json_out_number(json, NULL, UINT64_MAX);
    hf_json_out_integer(json, NULL, -1);
    hf_json_out_list(json, NULL);
    hf_json_out_end_list(json);
    hf_json_out_end_list(json);
    hf_json_out_bool(json, "no", false);
    hf_json_out_text(json, "none", NULL);
    hf_json_out_made(json, "made", hf_slice_text("{\"a\":1}"));
    hf_json_out_key(json, "written");
    fputs("[2]", json->out);
    hf_json_out_end_map(json);
}

static void puts_commas_where_they_belong(void **state)
{
    (void)state;
    char *text = text_of(nested);
    assert_string_equal(text, "{\"empty\":{},\"list\":[18446744073709551615,-1,[]],\"no\":false,"
                              "\"none\":null,\"made\":{\"a\":1},\"written\":[2]}");
    free(text);
}

static void numbers(struct hf_json_out *json)
{
    hf_json_out_list(json, NULL);
    hf_json_out_double(json, NULL, 0.25);
    hf_json_out_double(json, NULL, 1.0 / 0.0);
    hf_json_out_double(json, NULL, 12345678901234.0);
    hf_json_out_seconds(json, NULL, UINT64_C(1795967214280821800));
    hf_json_out_seconds(json, NULL, 5);
    hf_json_out_end_list(json);
}

static void writes_numbers_that_json_knows(void **state)
{
    (void)state;
    char *text = text_of(numbers);
    assert_string_equal(text, "[0.25,null,12345678901234,1795967214.280821800,0.000000005]");
    free(text);
}

static void strange(struct hf_json_out *json)
{
    hf_json_out_map(json, NULL);
    hf_json_out_text(json, "a\"b", "line\nend \x1b[31m \\ \xff");
    hf_json_out_end_map(json);
}

static void escapes_what_json_cannot_hold(void **state)
{
    (void)state;
    char error[HF_JSON_ERROR_MAX];
    const struct hf_json *value = NULL;
    char *text = text_of(strange);
    struct hf_arena arena = {.limit = 1 << 20};
    assert_int_equal(hf_json_read(hf_slice_text(text), &arena, &value, error), HF_OK);
    struct hf_slice back = hf_json_text_of(value, "a\"b");
    assert_true(hf_slice_is(back, "line\nend \x1b[31m \\ \xef\xbf\xbd"));
    hf_arena_release(&arena);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_commas_where_they_belong),
        cmocka_unit_test(writes_numbers_that_json_knows),
        cmocka_unit_test(escapes_what_json_cannot_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
