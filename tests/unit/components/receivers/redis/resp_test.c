#include "components/receivers/redis/resp.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void commands_are_lists_of_words(void **state)
{
    static const char *const words[] = {"AUTH", "", "pass word"};
    static const char expected[] = "*3\r\n$4\r\nAUTH\r\n$0\r\n\r\n$9\r\npass word\r\n";
    struct hf_bytes bytes = {0};
    (void)state;
    assert_int_equal(redis_command_write(words, 3, &bytes), HF_OK);
    assert_int_equal(bytes.size, sizeof(expected) - 1);
    assert_memory_equal(bytes.data, expected, bytes.size);
    hf_bytes_release(&bytes);
}

static void replies_are_read_when_they_are_whole(void **state)
{
    static const struct {
        const char *bytes;
        enum hf_status status;
        bool is_error;
        const char *text;
    } cases[] = {
        {"", HF_AGAIN, false, NULL},
        {"+", HF_AGAIN, false, NULL},
        {"+OK\r", HF_AGAIN, false, NULL},
        {"+OK\r\n", HF_OK, false, "OK"},
        {"+\r\n", HF_OK, false, ""},
        {":12\r\nmore", HF_OK, false, "12"},
        {"-ERR no\r\n", HF_OK, true, "ERR no"},
        {"$5\r\nhello", HF_AGAIN, false, NULL},
        {"$5\r\nhello\r\n", HF_OK, false, "hello"},
        {"$0\r\n\r\n", HF_OK, false, ""},
        {"$5\r\nhello!\r\n", HF_INVALID, false, NULL},
        {"$-1\r\n", HF_INVALID, false, NULL},
        {"$x\r\n", HF_INVALID, false, NULL},
        {"$\r\n", HF_INVALID, false, NULL},
        {"$16777216\r\n", HF_AGAIN, false, NULL},
        {"$16777217\r\n", HF_TOO_LARGE, false, NULL},
        {"$99999999999999999999\r\n", HF_INVALID, false, NULL},
        {"*1\r\n$1\r\na\r\n", HF_INVALID, false, NULL},
        {"HTTP/1.1 400 Bad Request\r\n", HF_INVALID, false, NULL},
        {"H", HF_INVALID, false, NULL},
        {"\n", HF_INVALID, false, NULL},
        {"+OK\n", HF_INVALID, false, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct redis_reply reply;
        struct hf_slice bytes = hf_slice_text(cases[i].bytes);
        assert_int_equal(redis_reply_read(bytes, &reply), cases[i].status);
        if (cases[i].status == HF_OK) {
            assert_int_equal(reply.is_error, cases[i].is_error);
            assert_true(hf_slice_is(reply.text, cases[i].text));
            assert_true(reply.size <= bytes.size);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_lists_of_words),
        cmocka_unit_test(replies_are_read_when_they_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
