/* Answers in the form that each version's clients read, whatever they sent. */
#include "tests/unit/components/receivers/asked.h"

extern const struct hf_component hf_receiver_influxdb;

#define V1 "POST /write?precision=s HTTP/1.1\r\n"
#define V2 "POST /api/v2/write HTTP/1.1\r\n"

static int ask_text(const char *head, const char *lines)
{
    return ask(head, lines, strlen(lines));
}

static void failures_are_told_in_the_members_of_each_version(void **state)
{
    static const struct {
        enum hf_status status;
        int code;
        const char *v1, *v2;
    } cases[] = {
        {HF_FULL, 503, "{\"error\":\"", "{\"code\":\"unavailable\",\"message\":\""},
        {HF_NOMEM, 503, "{\"error\":\"", "{\"code\":\"unavailable\",\"message\":\""},
        {HF_IO, 503, "{\"error\":\"", "{\"code\":\"unavailable\",\"message\":\""},
        {HF_OK, 204, "", ""},
    };
    struct intake intake;
    (void)state;
    open_intake(&intake, &hf_receiver_influxdb, (const char *const[][2]){{NULL, NULL}});
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd = ask_text(V1, "a v=1 1");
        (void)await_batch();
        answer(cases[i].status);
        assert_answer(fd, cases[i].code, cases[i].v1);
        fd = ask_text(V2, "a v=1 1");
        (void)await_batch();
        answer(cases[i].status);
        assert_answer(fd, cases[i].code, cases[i].v2);
    }
    close_intake(&intake);
}

static void a_text_that_was_sent_cannot_end_the_answers_own(void **state)
{
    struct intake intake;
    (void)state;
    open_intake(&intake, &hf_receiver_influxdb, (const char *const[][2]){{NULL, NULL}});
    int fd = ask_text(V1, "a v=1 1\n\"x\\\xc3\xa9 v=\n");
    assert_int_equal(await_batch()->items, 1);
    answer(HF_OK);
    struct asked asked = read_answer(fd);
    assert_int_equal(asked.code, 400);
    size_t size = strlen(asked.body);
    assert_int_equal(strncmp(asked.body, "{\"error\":\"partial write: ", 25), 0);
    assert_string_equal(asked.body + size - 2, "\"}");
    for (size_t i = 10; i < size - 2; i++) {
        char c = asked.body[i];
        assert_true(c >= ' ' && c < 0x7f && c != '"' && c != '\\');
    }
    close_intake(&intake);
}

static void what_is_no_write_is_refused(void **state)
{
    struct intake intake;
    (void)state;
    open_intake(&intake, &hf_receiver_influxdb, (const char *const[][2]){{NULL, NULL}});
    assert_answer(ask_text("POST /write?precision=y HTTP/1.1\r\n", "a v=1 1"), 400,
                  "{\"error\":\"precision is none of");
    assert_answer(ask_text("GET /api/v2/write HTTP/1.1\r\n", ""), 405, "only POST is supported");
    assert_answer(ask_text("POST /query HTTP/1.1\r\n", ""), 404, "path not found");
    assert_answer(ask_text("GET /ping HTTP/1.1\r\n", ""), 204, "");
    assert_answer(ask_text(V2 "Content-Encoding: br\r\n", "a v=1 1"), 415,
                  "{\"code\":\"unsupported media type\"");
    assert_answer(ask_text(V2, ""), 204, "");
    close_intake(&intake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_are_told_in_the_members_of_each_version),
        cmocka_unit_test(a_text_that_was_sent_cannot_end_the_answers_own),
        cmocka_unit_test(what_is_no_write_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
