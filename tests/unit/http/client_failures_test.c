/* What a client says of a request that comes to nothing. */
#include "client_fixture.h"

static void hears_the_refusal_of_a_body(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    start(&fixture, 100000, (struct hf_http_client_options){0});
    static uint8_t bytes[400000];
    struct hf_slice piece = hf_slice_of(bytes, sizeof(bytes));
    struct reply reply = {.call = {.method = "POST",
                                   .url = url_of(&fixture, "/", url),
                                   .pieces = &piece,
                                   .piece_count = 1}};
    begin(&fixture, &reply);
    await(&fixture);
    assert_int_equal(reply.status, HF_OK);
    assert_int_equal(reply.code, 413);
    end(&fixture);
}

static void says_again_when_no_server_listens(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    start(&fixture, 0, (struct hf_http_client_options){0});
    struct sockaddr_in closed;
    int fd = bound_socket(&closed); /* bound, not listening */
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/", ntohs(closed.sin_port));
    struct reply reply = {.call = {.method = "POST", .url = url}};
    begin(&fixture, &reply);
    await(&fixture);
    assert_int_equal(reply.status, HF_AGAIN);
    assert_true(reply.error[0] != '\0');
    close(fd);
    end(&fixture);
}

static void ends_at_the_deadline(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    start(&fixture, 0, (struct hf_http_client_options){0});
    struct sockaddr_in silent;
    int fd = bound_socket(&silent);
    assert_int_equal(listen(fd, 4), 0); /* no connection is accepted */
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/", ntohs(silent.sin_port));
    uint64_t now_ns = hf_clock_monotonic_ns();
    struct reply soon = {
        .call = {.method = "POST", .url = url, .deadline_ns = now_ns + 50 * HF_NS_PER_MS}};
    struct reply passed = {.call = {.method = "POST", .url = url, .deadline_ns = now_ns - 1}};
    begin(&fixture, &soon);
    begin(&fixture, &passed);
    await(&fixture);
    assert_int_equal(soon.status, HF_DEADLINE);
    assert_int_equal(passed.status, HF_DEADLINE);
    close(fd);
    end(&fixture);
}

struct breaker {
    int listen_fd;
    const char *answer;
    size_t size;
};

/* Accepts one connection after another; reads what comes first, says its answer, closes. */
static void *break_off(void *user)
{
    struct breaker *breaker = user;
    int fd;
    while ((fd = accept(breaker->listen_fd, NULL, NULL)) >= 0) {
        char seen[4096];
        ssize_t got = recv(fd, seen, sizeof(seen), 0);
        if (got > 0) {
            (void)send(fd, breaker->answer, breaker->size, MSG_NOSIGNAL);
        }
        close(fd);
    }
    return NULL;
}

static void start_breaker(struct breaker *breaker, char ret_url[100], pthread_t *ret_thread)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    breaker->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(breaker->listen_fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(breaker->listen_fd, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(listen(breaker->listen_fd, 4), 0);
    assert_int_equal(pthread_create(ret_thread, NULL, break_off, breaker), 0);
    snprintf(ret_url, 100, "http://127.0.0.1:%u/", ntohs(address.sin_port));
}

static void stop_breaker(struct breaker *breaker, pthread_t thread)
{
    shutdown(breaker->listen_fd, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(breaker->listen_fd);
}

static void says_again_when_an_answer_breaks_off(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum hf_status status;
    } rows[] = {
        {"", HF_AGAIN},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", HF_AGAIN},
        {"gibberish\r\n\r\n", HF_AGAIN},
        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", HF_OK},
        {"HTTP/1.1 400 Bad\r\nContent-Length: 10\r\n\r\nabc", HF_OK},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture fixture;
        char url[100];
        start(&fixture, 0, (struct hf_http_client_options){0});
        struct breaker breaker = {.answer = rows[i].answer, .size = strlen(rows[i].answer)};
        pthread_t thread;
        start_breaker(&breaker, url, &thread);
        /* Twice: the second finds the kept connection dead. */
        for (int round = 0; round < 2; round++) {
            struct hf_slice piece = hf_slice_text("body");
            struct reply reply = {
                .call = {.method = "POST", .url = url, .pieces = &piece, .piece_count = 1}};
            begin(&fixture, &reply);
            await(&fixture);
            assert_int_equal(reply.status, rows[i].status);
        }
        stop_breaker(&breaker, thread);
        end(&fixture);
    }
}

/* What the one who noticed says, of each protocol that may answer here. */
static void says_what_a_server_of_another_protocol_speaks(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        size_t size;
        const char *says;
    } rows[] = {
        {"\0\0\6\4\0\0\0\0\0\0\3\0\0\0\x64", 15, "speaks HTTP/2 (gRPC)"},
        {"\x15\x03\x03\0\2\2\x46", 7, "speaks TLS on this port"},
        {"", 0, "may want TLS"},
        {"gibberish", 9, "is not HTTP/1.1"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture fixture;
        start(&fixture, 0, (struct hf_http_client_options){0});
        struct breaker breaker = {.answer = rows[i].answer, .size = rows[i].size};
        char url[100];
        pthread_t thread;
        start_breaker(&breaker, url, &thread);
        struct reply reply = {.call = {.method = "POST", .url = url}};
        begin(&fixture, &reply);
        await(&fixture);
        assert_int_equal(reply.status, HF_AGAIN);
        assert_says(reply.error, rows[i].says);
        stop_breaker(&breaker, thread);
        end(&fixture);
    }
}

static void says_that_a_server_speaks_no_tls(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    const struct hf_tls_config tls = {.insecure_skip_verify = true};
    start(&fixture, 0, (struct hf_http_client_options){.tls = &tls});
    snprintf(url, sizeof(url), "https://127.0.0.1:%u/", ntohs(fixture.address.sin_port));
    struct reply reply = {.call = {.method = "POST", .url = url}};
    begin(&fixture, &reply);
    await(&fixture);
    assert_int_equal(reply.status, HF_AGAIN);
    assert_says(reply.error, "does not speak TLS on this port: set http://");
    end(&fixture);
}

static void ends_what_is_left_when_it_is_freed(void **state)
{
    (void)state;
    struct fixture fixture;
    char url[100];
    start(&fixture, 0, (struct hf_http_client_options){0});
    struct sockaddr_in silent;
    int fd = bound_socket(&silent);
    assert_int_equal(listen(fd, 4), 0);
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/", ntohs(silent.sin_port));
    struct reply running = {.call = {.method = "POST", .url = url}};
    struct reply failed = {.call = {.method = "POST", .url = url, .deadline_ns = 1}};
    begin(&fixture, &running);
    begin(&fixture, &failed);
    hf_http_client_free(fixture.client);
    fixture.client = NULL;
    assert_int_equal(running.status, HF_CLOSED);
    assert_int_equal(failed.status, HF_CLOSED);
    close(fd);
    end(&fixture);
}

int main(void)
{
    /* What the machine's environment says is not what is tested. */
    unsetenv("http_proxy");
    unsetenv("HTTP_PROXY");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    unsetenv("no_proxy");
    unsetenv("NO_PROXY");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hears_the_refusal_of_a_body),
        cmocka_unit_test(says_again_when_no_server_listens),
        cmocka_unit_test(ends_at_the_deadline),
        cmocka_unit_test(says_again_when_an_answer_breaks_off),
        cmocka_unit_test(says_what_a_server_of_another_protocol_speaks),
        cmocka_unit_test(says_that_a_server_speaks_no_tls),
        cmocka_unit_test(ends_what_is_left_when_it_is_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
