#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/server.h"
#include "util/compress/compress.h"

#include "server_fixture.h"

static void shows_the_handler_the_whole_request(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    start(&fixture, (struct hf_http_server_options){0});
    int fd = dial(&fixture);
    ask(fd, "GET /a%20b?q=1&z HTTP/1.1\r\nHost: x\r\nX-Word: yes\r\nX-Many: 1\r\nx-many: 2\r\n\r\n",
        "GET /a b q=1 word=yes many=2 fault=ok coding=identity wire=0 raw=");
    ask(fd, "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
        "POST /p q=- word= many=0 fault=ok coding=identity wire=5 raw=hello");
    ask(fd,
        "PUT /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n5\r\ndefgh\r\n0\r\n\r\n",
        "wire=8 raw=abcdefgh");
    ask(fd, "DELETE /d HTTP/1.1\r\nHost: x\r\n\r\n", "DELETE /d");
    close(fd);
    end(&fixture);
}

static void serves_requests_of_one_connection_in_order(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    start(&fixture, (struct hf_http_server_options){.threads = 3});
    int fd = dial(&fixture);
    for (int i = 0; i < 50; i++) {
        char request[200], expected[50];
        snprintf(request, sizeof(request),
                 "POST /%d HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n%03d", i, i);
        snprintf(expected, sizeof(expected), "POST /%d q=- ", i);
        ask(fd, request, expected);
    }
    close(fd);
    end(&fixture);
}

static void post_coded(int fd, const char *coding, struct hf_slice body, const char *expected)
{
    char head[300], text[4096];
    snprintf(head, sizeof(head),
             "POST /x HTTP/1.1\r\nHost: x\r\nContent-Encoding: %s\r\nContent-Length: %zu\r\n\r\n",
             coding, body.size);
    say(fd, head);
    put(fd, body.data, body.size);
    assert_says(hear(fd, text, sizeof(text)), expected);
}

static void decodes_bodies(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum hf_coding coding;
        const char *seen;
    } rows[] = {{"gzip", HF_GZIP, "coding=gzip"},
                {"zstd", HF_ZSTD, "coding=zstd"},
                {"deflate", HF_DEFLATE, "coding=deflate"},
                {"zlib", HF_DEFLATE, "coding=deflate"},
                {"snappy", HF_SNAPPY_BLOCK, "coding=snappy"},
                {"snappy", HF_SNAPPY_FRAMED, "coding=snappy"},
                {"identity", HF_IDENTITY, "coding=identity"}};
    struct fixture fixture = {0};
    start(&fixture, (struct hf_http_server_options){0});
    int fd = dial(&fixture);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_slice text = hf_slice_text("plain words");
        struct hf_bytes coded = {0};
        assert_int_equal(hf_encode(rows[i].coding, 0, &text, 1, &coded), HF_OK);
        struct hf_slice body = hf_slice_of(coded.data, coded.size);
        post_coded(fd, rows[i].name, body, rows[i].seen);
        post_coded(fd, rows[i].name, body, "fault=ok");
        post_coded(fd, rows[i].name, body, "raw=plain words");
        hf_bytes_release(&coded);
    }
    close(fd);
    end(&fixture);
}

static void tells_the_handler_what_is_wrong_with_a_body(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    const char *const gzip_only[] = {"gzip"};
    const struct hf_string_list enabled = {gzip_only, 1};
    start(&fixture, (struct hf_http_server_options){.body_bytes_max = 1000,
                                                    .compression_algorithms = &enabled});
    int fd = dial(&fixture);
    static char zeros[5000];
    struct hf_slice bomb_text = hf_slice_of(zeros, sizeof(zeros));
    struct hf_bytes bomb = {0};
    assert_int_equal(hf_encode(HF_GZIP, 0, &bomb_text, 1, &bomb), HF_OK);
    post_coded(fd, "gzip", hf_slice_of(bomb.data, bomb.size), "fault=too large");
    post_coded(fd, "gzip", hf_slice_text("no gzip at all, and long enough"), "fault=invalid");
    post_coded(fd, "gzip", HF_EMPTY_SLICE, "fault=invalid");
    post_coded(fd, "br", hf_slice_text("abc"), "fault=unsupported");
    post_coded(fd, "zstd", hf_slice_text("abc"), "fault=unsupported");
    post_coded(fd, "identity", hf_slice_of(zeros, 1001), "fault=too large");
    post_coded(fd, "identity", hf_slice_of(zeros, 1000), "fault=ok");
    hf_bytes_release(&bomb);
    close(fd);
    end(&fixture);
}

static void refuses_a_chunked_body_at_the_limit(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    start(&fixture, (struct hf_http_server_options){.body_bytes_max = 100000});
    int fd = dial(&fixture);
    char chunk[1008];
    memcpy(chunk, "3e8\r\n", 5);
    memset(chunk + 5, 'z', 1000);
    memcpy(chunk + 1005, "\r\n", 3);
    for (int count = 100; count <= 101; count++) {
        char text[4096];
        say(fd, "POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int i = 0; i < count; i++) {
            put(fd, chunk, 1007);
        }
        say(fd, "0\r\n\r\n");
        hear(fd, text, sizeof(text));
        assert_says(text, count == 100 ? "fault=ok" : "fault=too large");
        assert_says(text, count == 100 ? "wire=100000" : "wire=0");
    }
    close(fd);
    end(&fixture);
}

static void answers_before_the_body_when_asked_to_go_on(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    start(&fixture,
          (struct hf_http_server_options){.body_bytes_max = 1000, .on_headers = on_headers});
    char text[4096];
    int fd = dial(&fixture);
    say(fd, "POST /x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_says(hear(fd, text, sizeof(text)), "HTTP/1.1 100");
    say(fd, "ab");
    assert_says(hear(fd, text, sizeof(text)), "raw=ab");
    say(fd, "POST /x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2000\r\n\r\n");
    assert_says(hear(fd, text, sizeof(text)), "HTTP/1.1 413");
    close(fd);
    fd = dial(&fixture);
    say(fd,
        "POST /refused HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
    assert_says(hear(fd, text, sizeof(text)), "HTTP/1.1 401");
    close(fd);
    end(&fixture);
}

static void refuses_on_the_headers_and_keeps_the_connection(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    start(&fixture, (struct hf_http_server_options){.on_headers = on_headers});
    int fd = dial(&fixture);
    for (int i = 0; i < 3; i++) {
        char text[4096];
        say(fd, "POST /refused HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
        hear(fd, text, sizeof(text));
        assert_says(text, "HTTP/1.1 401");
        assert_says(text, "who are you");
        ask(fd, "GET /fine HTTP/1.1\r\nHost: x\r\n\r\n", "GET /fine");
    }
    close(fd);
    end(&fixture);
}

static void takes_answers_later_and_from_other_threads(void **state)
{
    (void)state;
    struct fixture fixture = {.holds = true};
    start(&fixture, (struct hf_http_server_options){.threads = 2});
    int fds[4];
    for (size_t i = 0; i < 4; i++) {
        fds[i] = dial(&fixture);
        say(fds[i], "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    }
    await_held(&fixture, 4);
    int now = dial(&fixture);
    ask(now, "GET /now HTTP/1.1\r\nHost: x\r\n\r\n", "GET /now");
    close(now);
    for (size_t i = 4; i-- > 0;) {
        const struct hf_http_answer answer = {.status = 503, .retry_after_s = 7};
        hf_http_answer(fixture.held[i], &answer);
    }
    for (size_t i = 0; i < 4; i++) {
        char text[4096];
        hear(fds[i], text, sizeof(text));
        assert_says(text, "HTTP/1.1 503");
        assert_says(text, "Retry-After: 7");
        close(fds[i]);
    }
    end(&fixture);
}

static void lends_bodies_beyond_the_request(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    start(&fixture, (struct hf_http_server_options){0});
    fixture.keeps = true;
    int fd = dial(&fixture);
    ask(fd, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", "raw=hello");
    close(fd);
    end(&fixture);
    assert_int_equal(fixture.kept_bytes.size, 5);
    assert_memory_equal(fixture.kept_bytes.data, "hello", 5);
    hf_ref_drop(fixture.kept);
}

static void lets_bodies_wait_for_memory(void **state)
{
    (void)state;
    struct fixture fixture = {.holds = true};
    start(&fixture, (struct hf_http_server_options){.buffered_bytes_max = 2400, .threads = 2});
    char body[600];
    memset(body, 'b', sizeof(body));
    int first = dial(&fixture), second = dial(&fixture), third = dial(&fixture);
    int zeroth = dial(&fixture);
    const char *head = "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 600\r\n\r\n";
    say(first, head);
    put(first, body, sizeof(body));
    await_held(&fixture, 1);
    say(zeroth, head);
    put(zeroth, body, sizeof(body));
    await_held(&fixture, 2);
    say(second,
        "POST /x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 600\r\n\r\n");
    /* It is not told to go on while there is no room for it. */
    struct pollfd ready = {.fd = second, .events = POLLIN};
    assert_int_equal(poll(&ready, 1, 100), 0);
    ask(third, "GET /now HTTP/1.1\r\nHost: x\r\n\r\n", "GET /now");
    answer_text(fixture.held[0], 200, "first");
    char text[4096];
    assert_says(hear(first, text, sizeof(text)), "first");
    assert_says(hear(second, text, sizeof(text)), "HTTP/1.1 100");
    put(second, body, sizeof(body));
    await_held(&fixture, 3);
    answer_text(fixture.held[1], 200, "zeroth");
    answer_text(fixture.held[2], 200, "second");
    assert_says(hear(second, text, sizeof(text)), "second");
    close(zeroth);
    close(first);
    close(second);
    close(third);
    end(&fixture);
}

static void tells_chunked_bodies_to_come_back_when_memory_is_short(void **state)
{
    (void)state;
    struct fixture fixture = {.holds = true};
    start(&fixture, (struct hf_http_server_options){.buffered_bytes_max = 100000});
    int first = dial(&fixture), second = dial(&fixture);
    static char body[70000];
    memset(body, 'b', sizeof(body));
    say(first, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 40000\r\n\r\n");
    put(first, body, 40000);
    await_held(&fixture, 1);
    say(second, "POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n11170\r\n");
    put(second, body, 70000);
    say(second, "\r\n0\r\n\r\n");
    char text[4096];
    hear(second, text, sizeof(text));
    assert_says(text, "HTTP/1.1 503");
    assert_says(text, "Retry-After: 1");
    answer_text(fixture.held[0], 200, "first");
    assert_says(hear(first, text, sizeof(text)), "first");
    close(first);
    close(second);
    end(&fixture);
}

static void trims_the_values_of_headers(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    start(&fixture, (struct hf_http_server_options){0});
    int fd = dial(&fixture);
    ask(fd, "GET /x HTTP/1.1\r\nHost: x\r\nX-Word: \t a b \t \r\n\r\n", "word=a b many");
    ask(fd,
        "POST /x HTTP/1.1\r\nHost: x\r\nContent-Encoding: identity \t\r\nContent-Length: 2"
        "\r\n\r\nhi",
        "fault=ok coding=identity wire=2 raw=hi");
    close(fd);
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_the_handler_the_whole_request),
        cmocka_unit_test(serves_requests_of_one_connection_in_order),
        cmocka_unit_test(decodes_bodies),
        cmocka_unit_test(tells_the_handler_what_is_wrong_with_a_body),
        cmocka_unit_test(refuses_a_chunked_body_at_the_limit),
        cmocka_unit_test(answers_before_the_body_when_asked_to_go_on),
        cmocka_unit_test(refuses_on_the_headers_and_keeps_the_connection),
        cmocka_unit_test(takes_answers_later_and_from_other_threads),
        cmocka_unit_test(lends_bodies_beyond_the_request),
        cmocka_unit_test(lets_bodies_wait_for_memory),
        cmocka_unit_test(tells_chunked_bodies_to_come_back_when_memory_is_short),
        cmocka_unit_test(trims_the_values_of_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
