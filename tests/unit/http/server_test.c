#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
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

static void survives_a_peer_that_leaves_before_its_answer(void **state)
{
    (void)state;
    struct fixture fixture = {.holds = true};
    start(&fixture, (struct hf_http_server_options){0});
    for (size_t i = 0; i < 5; i++) {
        int fd = dial(&fixture);
        say(fd, "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
        await_held(&fixture, i + 1);
        const struct linger reset = {.l_onoff = 1, .l_linger = 0};
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
        close(fd);
        answer_text(fixture.held[i], 200, "to nobody");
    }
    /* And one that leaves in the middle of its body. */
    int fd = dial(&fixture);
    say(fd, "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe");
    close(fd);
    fd = dial(&fixture);
    ask(fd, "GET /now HTTP/1.1\r\nHost: x\r\n\r\n", "GET /now");
    close(fd);
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

static void *answer_in_a_while(void *user)
{
    struct fixture *fixture = user;
    const struct timespec while_ns = {.tv_nsec = 50000000};
    nanosleep(&while_ns, NULL);
    answer_text(fixture->held[0], 200, "in time");
    return NULL;
}

static void stops_after_the_requests_in_progress(void **state)
{
    (void)state;
    struct fixture fixture = {.holds = true};
    start(&fixture, (struct hf_http_server_options){0});
    int fd = dial(&fixture), idle = dial(&fixture);
    ask(idle, "GET /now HTTP/1.1\r\nHost: x\r\n\r\n", "GET /now");
    say(fd, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    await_held(&fixture, 1);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, answer_in_a_while, &fixture), 0);
    hf_http_server_stop(fixture.server, UINT64_C(10000000000));
    char text[4096];
    hear(fd, text, sizeof(text));
    assert_says(text, "in time");
    assert_says(text, "Connection: close");
    assert_string_equal(hear(idle, text, sizeof(text)), "");
    pthread_join(thread, NULL);
    close(fd);
    close(idle);
    end(&fixture);
}

static void cuts_what_is_left_after_the_grace(void **state)
{
    (void)state;
    struct fixture fixture = {.holds = true};
    start(&fixture, (struct hf_http_server_options){.buffered_bytes_max = 16});
    int held = dial(&fixture), waiting = dial(&fixture), halfway = dial(&fixture);
    say(held, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\nhello, hello");
    await_held(&fixture, 1);
    say(waiting, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nhellohel");
    say(halfway, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nhe");
    hf_http_server_stop(fixture.server, 20000000);
    char text[4096];
    assert_string_equal(hear(held, text, sizeof(text)), "");
    assert_string_equal(hear(waiting, text, sizeof(text)), "");
    assert_string_equal(hear(halfway, text, sizeof(text)), "");
    struct hf_http_request *late = fixture.held[0];
    end(&fixture);
    answer_text(late, 200, "nobody listens");
    close(held);
    close(waiting);
    close(halfway);
}

static void leaves_the_listening_socket_to_its_other_holders(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int kept = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(kept, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(kept, 8), 0);
    assert_int_equal(getsockname(kept, (struct sockaddr *)&address, &size), 0);
    struct hf_http_server_options options = {
        .listen_fd = dup(kept), .on_request = on_request, .user = &fixture};
    pthread_mutex_init(&fixture.lock, NULL);
    pthread_cond_init(&fixture.changed, NULL);
    char error[512];
    fixture.address = address;
    assert_int_equal(hf_http_server_new(&options, &fixture.server, error), HF_OK);
    int fd = dial(&fixture);
    ask(fd, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n", "GET /x");
    end(&fixture);
    int later = dial(&fixture);
    struct pollfd ready = {.fd = kept, .events = POLLIN};
    assert_int_equal(poll(&ready, 1, WAIT_MS), 1);
    int accepted = accept(kept, NULL, NULL);
    assert_true(accepted >= 0);
    close(accepted);
    close(later);
    close(fd);
    close(kept);
}

static void keeps_the_limit_of_connections(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    start(&fixture, (struct hf_http_server_options){.connections_max = 2});
    int fds[3];
    for (size_t i = 0; i < 2; i++) {
        fds[i] = dial(&fixture);
        ask(fds[i], "GET /x HTTP/1.1\r\nHost: x\r\n\r\n", "GET /x");
    }
    /* The one that has been idle for longest goes for the third. */
    fds[2] = dial(&fixture);
    ask(fds[2], "GET /third HTTP/1.1\r\nHost: x\r\n\r\n", "GET /third");
    char text[4096];
    assert_string_equal(hear(fds[0], text, sizeof(text)), "");
    ask(fds[1], "GET /second HTTP/1.1\r\nHost: x\r\n\r\n", "GET /second");
    for (size_t i = 0; i < 3; i++) {
        close(fds[i]);
    }
    end(&fixture);
}

static void closes_connections_that_have_said_nothing(void **state)
{
    (void)state;
    /* Of the only peer, so both limits do the same. */
    const struct hf_http_server_options limits[] = {{.connections_max = 2},
                                                    {.connections_per_peer_max = 2}};
    for (size_t i = 0; i < 2; i++) {
        struct fixture fixture = {0};
        char text[4096];
        int fds[4];
        start(&fixture, limits[i]);
        fds[0] = dial(&fixture);
        fds[1] = dial(&fixture);
        fds[2] = dial(&fixture);
        assert_string_equal(hear(fds[0], text, sizeof(text)), "");
        ask(fds[1], "GET /second HTTP/1.1\r\nHost: x\r\n\r\n", "GET /second");
        ask(fds[2], "GET /third HTTP/1.1\r\nHost: x\r\n\r\n", "GET /third");
        /* One that is idle after a request goes for one that says nothing. */
        fds[3] = dial(&fixture);
        assert_string_equal(hear(fds[1], text, sizeof(text)), "");
        ask(fds[3], "GET /fourth HTTP/1.1\r\nHost: x\r\n\r\n", "GET /fourth");
        for (size_t k = 0; k < 4; k++) {
            close(fds[k]);
        }
        end(&fixture);
    }
}

static void counts_each_connection_out_once(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    char text[4096];
    start(&fixture, (struct hf_http_server_options){.connections_max = 4});
    for (int i = 0; i < 12; i++) {
        close(dial(&fixture));
        int fd = dial(&fixture);
        say(fd, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"); /* is turned away */
        assert_true(recv(fd, text, sizeof(text), 0) > 0);
        close(fd);
        fd = dial(&fixture);
        ask(fd, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n", "GET /x");
        close(fd);
    }
    end(&fixture);
}

static void closes_no_connection_that_is_busy(void **state)
{
    (void)state;
    /* Of the only peer, so both limits do the same. */
    const struct hf_http_server_options limits[] = {{.connections_max = 2},
                                                    {.connections_per_peer_max = 2}};
    for (size_t i = 0; i < 2; i++) {
        struct fixture fixture = {.holds = true};
        start(&fixture, limits[i]);
        int fds[3];
        char text[4096];
        for (size_t k = 0; k < 2; k++) {
            fds[k] = dial(&fixture);
            say(fds[k], "GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
            await_held(&fixture, k + 1);
        }
        fds[2] = dial(&fixture);
        assert_string_equal(hear(fds[2], text, sizeof(text)), "");
        for (size_t k = 0; k < 2; k++) {
            answer_text(fixture.held[k], 200, "late but there");
            assert_says(hear(fds[k], text, sizeof(text)), "late but there");
        }
        for (size_t k = 0; k < 3; k++) {
            close(fds[k]);
        }
        end(&fixture);
    }
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

static void on_error(void *user, const char *peer, const char *what)
{
    char *said = user;
    assert_non_null(peer);
    snprintf(said, 300, "%s", what);
}

static void turns_other_protocols_away_with_a_word(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *answer, *says;
    } rows[] = {
        {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11, "HTTP/1.1 400 ", "speaks TLS"},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24, "This port is for HTTP/1.1",
         "speaks HTTP/2 (gRPC)"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char said[300] = "", text[600] = "";
        struct fixture fixture = {0};
        struct hf_http_server_options options = {.on_error = on_error};
        start_for(&fixture, options, said);
        int fd = dial(&fixture);
        assert_int_equal(send(fd, rows[i].bytes, rows[i].size, MSG_NOSIGNAL), rows[i].size);
        size_t got = 0;
        for (ssize_t more; (more = recv(fd, text + got, sizeof(text) - got, 0)) > 0;) {
            got += (size_t)more;
        }
        assert_non_null(memmem(text, got, rows[i].answer, strlen(rows[i].answer)));
        close(fd);
        end(&fixture);
        assert_says(said, rows[i].says);
    }
}

static void serves_unix_sockets(void **state)
{
    (void)state;
    struct fixture fixture = {.holds = true};
    char directory[] = "/tmp/hf-http-XXXXXX";
    assert_non_null(mkdtemp(directory));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", directory);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 4), 0);
    pthread_mutex_init(&fixture.lock, NULL);
    pthread_cond_init(&fixture.changed, NULL);
    struct hf_http_server_options options = {
        .listen_fd = fd, .on_request = on_request, .user = &fixture};
    char error[512], text[4096];
    assert_int_equal(hf_http_server_new(&options, &fixture.server, error), HF_OK);
    int peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(peer, (struct sockaddr *)&address, sizeof(address)), 0);
    say(peer, "POST /u HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok");
    await_held(&fixture, 1);
    answer_text(fixture.held[0], 200, hf_http_peer(fixture.held[0]));
    assert_says(hear(peer, text, sizeof(text)), "\r\n\r\nunix");
    close(peer);
    end(&fixture);
    unlink(address.sun_path);
    rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_the_handler_the_whole_request),
        cmocka_unit_test(answers_head_without_a_body),
        cmocka_unit_test(a_body_is_made_while_it_is_sent),
        cmocka_unit_test(sends_the_headers_of_an_answer),
        cmocka_unit_test(serves_requests_of_one_connection_in_order),
        cmocka_unit_test(decodes_bodies),
        cmocka_unit_test(tells_the_handler_what_is_wrong_with_a_body),
        cmocka_unit_test(refuses_a_chunked_body_at_the_limit),
        cmocka_unit_test(answers_before_the_body_when_asked_to_go_on),
        cmocka_unit_test(refuses_on_the_headers_and_keeps_the_connection),
        cmocka_unit_test(takes_answers_later_and_from_other_threads),
        cmocka_unit_test(survives_a_peer_that_leaves_before_its_answer),
        cmocka_unit_test(lends_bodies_beyond_the_request),
        cmocka_unit_test(lets_bodies_wait_for_memory),
        cmocka_unit_test(tells_chunked_bodies_to_come_back_when_memory_is_short),
        cmocka_unit_test(stops_after_the_requests_in_progress),
        cmocka_unit_test(cuts_what_is_left_after_the_grace),
        cmocka_unit_test(leaves_the_listening_socket_to_its_other_holders),
        cmocka_unit_test(keeps_the_limit_of_connections),
        cmocka_unit_test(closes_connections_that_have_said_nothing),
        cmocka_unit_test(counts_each_connection_out_once),
        cmocka_unit_test(closes_no_connection_that_is_busy),
        cmocka_unit_test(adds_headers_to_every_answer),
        cmocka_unit_test(answers_preflights_itself),
        cmocka_unit_test(marks_answers_for_allowed_origins),
        cmocka_unit_test(gives_credentials_only_to_origins_that_are_named),
        cmocka_unit_test(trims_the_values_of_headers),
        cmocka_unit_test(keeps_what_an_answer_says_of_itself),
        cmocka_unit_test(turns_other_protocols_away_with_a_word),
        cmocka_unit_test(serves_unix_sockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
