/* One request at a time, waited for. What an answer brings is tested end to end. */
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h> /* needs those before it */

#include "http/fetch.h"

/* A socket on loopback that answers nothing; with `listens` it takes connections all the same. */
static int open_port(bool listens, char *url, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listens ? listen(fd, 4) : 0, 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    snprintf(url, size, "http://127.0.0.1:%d/", ntohs(address.sin_port));
    return fd;
}

static struct hf_http_fetcher *make_fetcher(void)
{
    char error[512];
    struct hf_http_fetcher *fetcher = NULL;
    assert_int_equal(
        hf_http_fetcher_new(&(const struct hf_http_client_options){0}, &fetcher, error), HF_OK);
    return fetcher;
}

static void says_why_there_is_no_answer(void **state)
{
    (void)state;
    char url[64];
    int fd = open_port(false, url, sizeof(url));
    struct hf_http_fetcher *fetcher = make_fetcher();
    struct hf_http_fetched fetched = {0};
    const struct hf_http_fetch fetch = {
        .method = "GET", .url = url, .timeout_ns = UINT64_C(20000000000)};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(hf_http_fetch(fetcher, &fetch, &fetched), HF_AGAIN);
        assert_true(fetched.why[0] != '\0');
    }
    hf_bytes_release(&fetched.body);
    hf_http_fetcher_free(fetcher);
    close(fd);
}

static void has_a_deadline(void **state)
{
    (void)state;
    char url[64];
    int fd = open_port(true, url, sizeof(url));
    struct hf_http_fetcher *fetcher = make_fetcher();
    struct hf_http_fetched fetched = {0};
    const struct hf_http_fetch fetch = {.method = "GET", .url = url, .timeout_ns = 50000000};
    assert_int_equal(hf_http_fetch(fetcher, &fetch, &fetched), HF_DEADLINE);
    hf_http_fetcher_free(fetcher);
    close(fd);
}

static void *stop_it(void *user)
{
    hf_http_fetcher_stop(user);
    return NULL;
}

static void a_stop_ends_what_is_under_way_and_what_comes(void **state)
{
    (void)state;
    char url[64];
    pthread_t thread;
    int fd = open_port(true, url, sizeof(url));
    struct hf_http_fetcher *fetcher = make_fetcher();
    struct hf_http_fetched fetched = {0};
    const struct hf_http_fetch fetch = {
        .method = "GET", .url = url, .timeout_ns = UINT64_C(3600000000000)};
    assert_int_equal(pthread_create(&thread, NULL, stop_it, fetcher), 0);
    assert_int_equal(hf_http_fetch(fetcher, &fetch, &fetched), HF_CLOSED);
    pthread_join(thread, NULL);
    assert_int_equal(hf_http_fetch(fetcher, &fetch, &fetched), HF_CLOSED);
    hf_http_fetcher_free(fetcher);
    hf_http_fetcher_free(NULL);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_why_there_is_no_answer),
        cmocka_unit_test(has_a_deadline),
        cmocka_unit_test(a_stop_ends_what_is_under_way_and_what_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
