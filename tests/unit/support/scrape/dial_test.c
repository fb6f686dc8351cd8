#include "support/scrape/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <holdfast/component.h>

#include "util/time/clock.h"

static struct hf_patience patience(uint64_t ms, int stop_fd)
{
    return (struct hf_patience){hf_clock_monotonic_ns() + ms * HF_NS_PER_MS, stop_fd};
}

/* A listening socket on the loopback interface, and where it is. */
static int listen_here(struct hf_grpc_target *ret_target)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_target = (struct hf_grpc_target){.is_unix = false};
    snprintf(ret_target->host, sizeof(ret_target->host), "127.0.0.1");
    snprintf(ret_target->port, sizeof(ret_target->port), "%u", ntohs(address.sin_port));
    return fd;
}

static void connects_to_literals_and_names_of_a_family(void **state)
{
    struct hf_grpc_target target;
    char error[HF_ERROR_MAX] = "";
    struct hf_patience waits = patience(10000, -1);
    int listener = listen_here(&target);
    (void)state;
    int fd = hf_dial(&target, AF_UNSPEC, &waits, error);
    assert_true(fd >= 0);
    close(fd);
    snprintf(target.host, sizeof(target.host), "localhost");
    fd = hf_dial(&target, AF_INET, &waits, error);
    assert_true(fd >= 0);
    close(fd);
    snprintf(target.host, sizeof(target.host), "127.0.0.1");
    assert_int_equal(hf_dial(&target, AF_INET6, &waits, error), -1);
    assert_non_null(strstr(error, "no address of that family"));
    close(listener);
    assert_int_equal(hf_dial(&target, AF_UNSPEC, &waits, error), -1);
    assert_non_null(strstr(error, "Connection refused"));
}

static void names_that_lead_nowhere_are_told(void **state)
{
    struct hf_grpc_target target = {.host = "name.invalid", .port = "1"};
    char error[HF_ERROR_MAX] = "";
    struct hf_patience waits = patience(30000, -1);
    (void)state;
    assert_int_equal(hf_dial(&target, AF_UNSPEC, &waits, error), -1);
    assert_true(error[0] != '\0');
}

static void waits_no_longer_than_the_time_or_until_the_stop(void **state)
{
    int ends[2];
    int stop = hf_stop_fd_open();
    (void)state;
    assert_true(stop >= 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    struct hf_patience waits = patience(5, stop);
    assert_int_equal(hf_wait_for(ends[0], POLLIN, &waits), HF_DEADLINE);
    assert_int_equal(hf_wait_for(ends[0], POLLOUT, &waits), HF_DEADLINE); /* it is over */
    waits = patience(60000, stop);
    assert_int_equal(hf_wait_for(ends[0], POLLOUT, &waits), HF_OK);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(hf_wait_for(ends[0], POLLIN, &waits), HF_OK);
    hf_stop_fd_trip(stop);
    hf_stop_fd_trip(stop);
    assert_int_equal(hf_wait_for(ends[0], POLLIN, &waits), HF_CLOSED);
    close(ends[0]);
    close(ends[1]);
    close(stop);
}

static void a_stop_ends_a_lookup(void **state)
{
    struct hf_grpc_target target = {.host = "name.invalid", .port = "1"};
    struct hf_dial_addresses *found = malloc(sizeof(*found));
    char error[HF_ERROR_MAX] = "";
    int stop = hf_stop_fd_open();
    struct hf_patience waits = patience(60000, stop);
    (void)state;
    hf_stop_fd_trip(stop);
    enum hf_status status = hf_dial_find(&target, &waits, found, error);
    assert_true(status == HF_CLOSED || status == HF_NOT_FOUND); /* whichever comes first */
    close(stop);
    free(found);
}

struct seen {
    char address[256];
    unsigned calls;
    enum hf_status answer;
};

static enum hf_status see(void *user, const char *address, char *reterr)
{
    struct seen *seen = user;
    seen->calls++;
    snprintf(seen->address, sizeof(seen->address), "%s", address);
    snprintf(reterr, HF_ERROR_MAX, "seen");
    return seen->answer;
}

static void others_connect_to_each_address(void **state)
{
    struct hf_grpc_target target = {.host = "localhost", .port = "1"};
    struct hf_patience waits = patience(10000, -1);
    char error[HF_ERROR_MAX] = "";
    struct seen seen = {.answer = HF_OK};
    (void)state;
    assert_int_equal(hf_dial_each(&target, AF_INET, &waits, see, &seen, error), HF_OK);
    assert_string_equal(seen.address, "127.0.0.1");
    assert_int_equal(seen.calls, 1);
    seen.answer = HF_AGAIN;
    snprintf(target.host, sizeof(target.host), "::1");
    assert_int_equal(hf_dial_each(&target, AF_UNSPEC, &waits, see, &seen, error), HF_AGAIN);
    assert_string_equal(seen.address, "::1");
    assert_string_equal(error, "seen");
    seen.calls = 0;
    assert_int_equal(hf_dial_each(&target, AF_INET, &waits, see, &seen, error), HF_AGAIN);
    assert_int_equal(seen.calls, 0);
    assert_string_equal(error, "the name has no address of that family");
    target = (struct hf_grpc_target){.host = "/run/a.sock", .is_unix = true};
    assert_int_equal(hf_dial_each(&target, AF_UNIX, &waits, see, &seen, error), HF_AGAIN);
    assert_string_equal(seen.address, "/run/a.sock");
}

static void a_timeout_only_shortens(void **state)
{
    struct hf_patience waits = patience(10000, 7);
    (void)state;
    assert_true(hf_dial_patience(&waits, 0).until_ns == waits.until_ns);
    assert_true(hf_dial_patience(&waits, 60 * HF_NS_PER_S).until_ns == waits.until_ns);
    assert_true(hf_dial_patience(&waits, HF_NS_PER_S).until_ns < waits.until_ns);
    assert_int_equal(hf_dial_patience(&waits, HF_NS_PER_S).stop_fd, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connects_to_literals_and_names_of_a_family),
        cmocka_unit_test(names_that_lead_nowhere_are_told),
        cmocka_unit_test(waits_no_longer_than_the_time_or_until_the_stop),
        cmocka_unit_test(a_stop_ends_a_lookup),
        cmocka_unit_test(others_connect_to_each_address),
        cmocka_unit_test(a_timeout_only_shortens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
