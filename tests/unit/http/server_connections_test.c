/* Connections of a server: how many, how long, and what is said to strangers. */
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

#include "server_fixture.h"

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
        answer_text(fixture.held[i], 200, "too late");
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
    answer_text(late, 200, "the peer is gone");
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
        cmocka_unit_test(survives_a_peer_that_leaves_before_its_answer),
        cmocka_unit_test(stops_after_the_requests_in_progress),
        cmocka_unit_test(cuts_what_is_left_after_the_grace),
        cmocka_unit_test(leaves_the_listening_socket_to_its_other_holders),
        cmocka_unit_test(keeps_the_limit_of_connections),
        cmocka_unit_test(closes_connections_that_have_said_nothing),
        cmocka_unit_test(counts_each_connection_out_once),
        cmocka_unit_test(closes_no_connection_that_is_busy),
        cmocka_unit_test(turns_other_protocols_away_with_a_word),
        cmocka_unit_test(serves_unix_sockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
