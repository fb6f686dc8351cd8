/* Commands of Redis keep their keys and lose their values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "components/processors/redaction/redis_command.h"

static const struct {
    const char *text, *masked; /* NULL: refused */
} cases[] = {
    {"SET k v", "SET k ?"},
    {"set k  v EX 5", "set k ? EX 5"},
    {"GET k", "GET k"},
    {"AUTH u p", "AUTH ?"},
    {"LPUSH k a b", "LPUSH k ?"},
    {"HSET k f 1 g 2", "HSET k f ? g ?"},
    {"MSET a 1 b 2", "MSET a ? b ?"},
    {"GEOADD k 1 2 m", "GEOADD k 1 2 ?"},
    {"CONFIG SET p v", "CONFIG SET p ?"},
    {"CONFIG GET p", "CONFIG GET p"},
    {"BITFIELD k SET u8 0 5", "BITFIELD k SET u8 0 ?"},
    {"ZADD k NX 1 m", "ZADD k NX 1 ?"},
    {"SET a \"b\nc\"\nSET d e", "SET a ?\nSET d ?"},
    {"", ""},
    {" \n ", ""},
    {"SET", "SET"},
    {"SET k \"open", "SET k ?"},
    {"SET k \\", "SET k ?"},
};

static void masks_commands(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_bytes out = {0};
        enum hf_status status = hf_redis_mask(hf_slice_text(cases[i].text), &out);
        assert_int_equal(status, cases[i].masked != NULL ? HF_OK : HF_INVALID);
        struct hf_slice made = hf_slice_of(out.data, out.size);
        if (cases[i].masked != NULL && !hf_slice_is(made, cases[i].masked)) {
            fail_msg("%s: %.*s", cases[i].text, (int)made.size, (const char *)made.data);
        }
        hf_bytes_release(&out);
    }
}

static void masks_what_is_beyond_the_limit(void **state)
{
    struct hf_bytes text = {0}, out = {0};
    (void)state;
    for (size_t i = 0; i < 2 * HF_REDIS_WORDS_MAX; i++) {
        assert_int_equal(hf_bytes_append(&text, hf_slice_text("secret ")), HF_OK);
    }
    assert_int_equal(hf_redis_mask(hf_slice_of(text.data, text.size), &out), HF_OK);
    assert_int_equal(out.size, (HF_REDIS_WORDS_MAX - 1) * sizeof("secret") + 1);
    assert_int_equal(out.data[out.size - 1], '?');
    hf_bytes_release(&text);
    hf_bytes_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_commands),
        cmocka_unit_test(masks_what_is_beyond_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
