/* Answers of a server: their headers, those of other origins, and bodies that are made while they
 * are sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/server.h"

#include "server_fixture.h"

static void answers_head_without_a_body(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    start(&fixture, (struct hf_http_server_options){0});
    int fd = dial(&fixture);
    say(fd, "HEAD /h HTTP/1.1\r\nHost: x\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\n");
    char text[4096];
    /* Were there a body, the next answer would not begin where this one ends. */
    for (size_t used = 0; used + 1 < sizeof(text); used++) {
        assert_int_equal(recv(fd, text + used, 1, 0), 1);
        text[used + 1] = '\0';
        if (used > 3 && strcmp(text + used - 3, "\r\n\r\n") == 0) {
            break;
        }
    }
    assert_says(text, "HTTP/1.1 200");
    hear(fd, text, sizeof(text));
    assert_int_equal(strncmp(text, "HTTP/1.1 200", 12), 0);
    assert_says(text, "GET /next");
    close(fd);
    end(&fixture);
}

/* Reads to the end of the connection; returns how many bytes are `x`. */
static size_t count_streamed(int fd, char end[8])
{
    char text[65536];
    size_t count = 0;
    for (;;) {
        ssize_t size = recv(fd, text, sizeof(text), 0);
        if (size <= 0) {
            return count;
        }
        for (ssize_t i = 0; i < size; i++) {
            count += text[i] == 'x';
            memmove(end, end + 1, 7);
            end[7] = text[i];
        }
    }
}

static void a_body_is_made_while_it_is_sent(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        bool is_whole;
    } cases[] = {{"/stream", true}, {"/stream/fails", false}};
    for (int i = 0; i < 2; i++) {
        struct fixture fixture = {0};
        char ask[128], end_bytes[8] = "";
        start(&fixture, (struct hf_http_server_options){0});
        int fd = dial(&fixture);
        snprintf(ask, sizeof(ask), "GET %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
                 cases[i].path);
        say(fd, ask);
        size_t count = count_streamed(fd, end_bytes);
        assert_true(count >= 3 && count % 3 == 0);
        assert_int_equal(memcmp(end_bytes + 3, "0\r\n\r\n", 5) == 0, cases[i].is_whole);
        close(fd);
        pthread_mutex_lock(&fixture.lock);
        while (fixture.freed_streams == 0) {
            pthread_cond_wait(&fixture.changed, &fixture.lock);
        }
        pthread_mutex_unlock(&fixture.lock);
        end(&fixture);
    }
}

static void sends_the_headers_of_an_answer(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    char text[4096];
    start(&fixture, (struct hf_http_server_options){0});
    int fd = dial(&fixture);
    say(fd, "GET /headers HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(fd, text, sizeof(text));
    assert_says(text, "ETag: \"1\"\r\n");
    assert_says(text, "Set-Cookie: a=b\r\n");
    assert_says(text, "Set-Cookie: c=d\r\n");
    assert_silent_on(text, "X-None");
    close(fd);
    end(&fixture);
}

static void adds_headers_to_every_answer(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    const struct hf_string_pair pairs[] = {{"X-Frame-Options", "DENY"}, {"X-Two", "2"}};
    const struct hf_string_map common = {pairs, 2};
    start(&fixture,
          (struct hf_http_server_options){.response_headers = &common, .on_headers = on_headers});
    int fd = dial(&fixture);
    ask(fd, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n", "X-Frame-Options: DENY");
    ask(fd, "GET /refused HTTP/1.1\r\nHost: x\r\n\r\n", "X-Two: 2");
    close(fd);
    end(&fixture);
}

static void answers_preflights_itself(void **state)
{
    (void)state;
    static const struct {
        const char *origin, *method, *headers, *expected;
    } rows[] = {
        {"https://a.example", "POST", "content-type", "Allow-Origin: https://a.example\r\n"},
        {"https://A.EXAMPLE", "POST", "content-type", "Allow-Origin: https://A.EXAMPLE\r\n"},
        {"https://x.b.example", "POST", "content-type,x-key", "Allow-Headers: content-type,x-key"},
        {"https://x.b.example", "POST", "content-type", "Max-Age: 600"},
        {"https://x.b.example", "POST", "content-type", "Allow-Credentials: true"},
        {"https://x.b.example", "PUT", "content-type", NULL},
        {"https://x.b.example", "POST", "x-other", NULL},
        {"https://b.example.evil", "POST", "content-type", NULL},
    };
    const char *const origins[] = {"https://a.example", "https://*.b.example"};
    const char *const headers[] = {"X-Key"};
    const struct hf_cors_config cors = {
        .allowed_origins = {origins, 2}, .allowed_headers = {headers, 1}, .max_age_s = 600};
    struct fixture fixture = {0};
    start(&fixture, (struct hf_http_server_options){.cors = &cors, .on_headers = on_headers});
    int fd = dial(&fixture);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char request[500], text[4096];
        snprintf(request, sizeof(request),
                 "OPTIONS /refused HTTP/1.1\r\nHost: x\r\nOrigin: %s\r\n"
                 "Access-Control-Request-Method: %s\r\nAccess-Control-Request-Headers: %s\r\n\r\n",
                 rows[i].origin, rows[i].method, rows[i].headers);
        say(fd, request);
        hear(fd, text, sizeof(text));
        assert_says(text, "HTTP/1.1 204");
        if (rows[i].expected != NULL) {
            assert_says(text, rows[i].expected);
        } else {
            assert_silent_on(text, "Access-Control-Allow");
        }
    }
    close(fd);
    end(&fixture);
}

static void marks_answers_for_allowed_origins(void **state)
{
    (void)state;
    const char *const any[] = {"*"};
    const char *const exposed[] = {"X-A", "X-B"};
    const struct hf_cors_config cors = {.allowed_origins = {any, 1},
                                        .exposed_headers = {exposed, 2}};
    struct fixture fixture = {0};
    start(&fixture, (struct hf_http_server_options){.cors = &cors});
    int fd = dial(&fixture);
    const char *request = "GET /x HTTP/1.1\r\nHost: x\r\nOrigin: https://any.where\r\n\r\n";
    ask(fd, request, "Access-Control-Allow-Origin: *\r\n");
    ask(fd, request, "Access-Control-Expose-Headers: X-A, X-B\r\n");
    ask(fd, request, "Vary: Origin");
    char text[4096];
    say(fd, request);
    hear(fd, text, sizeof(text));
    assert_silent_on(text, "Allow-Credentials");
    ask(fd, "OPTIONS /x HTTP/1.1\r\nHost: x\r\n\r\n", "OPTIONS /x");
    close(fd);
    end(&fixture);
}

static void gives_credentials_only_to_origins_that_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *more, *origin;
        bool echoes;
    } rows[] = {
        {"*", NULL, "https://a.example", false},
        {"https://*", NULL, "https://a.example", false},
        {"http*", NULL, "http://a.example", false},
        {"*:8080", NULL, "http://a.example:8080", false},
        {"*", "https://a.example", "https://a.example", true},
        {"*", "https://a.example", "https://b.example", false},
        {"https://*.example", NULL, "https://a.example", true},
        {"*.example", NULL, "https://a.example", true},
        {"http://localhost:*", NULL, "http://localhost:3000", true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *const origins[] = {rows[i].pattern, rows[i].more};
        const struct hf_cors_config cors = {
            .allowed_origins = {origins, rows[i].more != NULL ? 2 : 1}};
        struct fixture fixture = {0};
        start(&fixture, (struct hf_http_server_options){.cors = &cors});
        int fd = dial(&fixture);
        char request[300], expected[300], text[4096];
        snprintf(request, sizeof(request), "GET /x HTTP/1.1\r\nHost: x\r\nOrigin: %s\r\n\r\n",
                 rows[i].origin);
        snprintf(expected, sizeof(expected), "Access-Control-Allow-Origin: %s\r\n",
                 rows[i].echoes ? rows[i].origin : "*");
        say(fd, request);
        hear(fd, text, sizeof(text));
        assert_says(text, expected);
        assert_int_equal(strstr(text, "Allow-Credentials: true") != NULL, rows[i].echoes);
        close(fd);
        end(&fixture);
    }
}

static void keeps_what_an_answer_says_of_itself(void **state)
{
    (void)state;
    struct hf_string_pair pairs[] = {{"content-type", "text/other"}, {"X-Two", "2"}};
    const struct hf_string_map common = {.items = pairs, .count = 2};
    struct fixture fixture = {0};
    start(&fixture, (struct hf_http_server_options){.response_headers = &common});
    int fd = dial(&fixture);
    char text[4096];
    say(fd, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(fd, text, sizeof(text));
    assert_says(text, "Content-Type: text/plain\r\n");
    assert_says(text, "X-Two: 2\r\n");
    assert_silent_on(text, "text/other");
    close(fd);
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_head_without_a_body),
        cmocka_unit_test(a_body_is_made_while_it_is_sent),
        cmocka_unit_test(sends_the_headers_of_an_answer),
        cmocka_unit_test(adds_headers_to_every_answer),
        cmocka_unit_test(answers_preflights_itself),
        cmocka_unit_test(marks_answers_for_allowed_origins),
        cmocka_unit_test(gives_credentials_only_to_origins_that_are_named),
        cmocka_unit_test(keeps_what_an_answer_says_of_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
