/* One socket an endpoint, for one server at a time; what is wrong is said in a sentence with what
 * to do. */
#include "pipeline/listeners.h"

#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h> /* needs the three before it */

/*
 * Stands before libc's: "both.test" has an address of each family, the newer one first, as the
 * resolver sorts what most machines know of localhost.
 */
int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                struct addrinfo **ret_found)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (host == NULL || strcmp(host, "both.test") != 0) {
        return real(host, port, hints, ret_found);
    }
    int failed = real("::1", port, hints, ret_found);
    return failed != 0 ? failed : real("127.0.0.1", port, hints, &(*ret_found)->ai_next);
}

static int port_of(int fd)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

static struct hf_listeners *make(void)
{
    struct hf_listeners *listeners = NULL;
    assert_int_equal(hf_listeners_new(&listeners), HF_OK);
    hf_listeners_begin_round(listeners);
    return listeners;
}

static void a_socket_for_datagrams_has_its_own_name_and_outlives_a_round(void **state)
{
    char error[512] = "", endpoint[64], datagrams[80], got[8];
    int stream = -1, first = -1, second = -1;
    struct hf_listeners *listeners = make();
    (void)state;
    /* The port of a stream with that number may be another program's: then the next one. */
    for (int tries = 0; stream < 0; tries++) {
        assert_true(tries < 100);
        hf_listeners_begin_round(listeners);
        assert_int_equal(hf_listeners_get(listeners, "udp://127.0.0.1:0", &first, error), HF_OK);
        snprintf(endpoint, sizeof(endpoint), "127.0.0.1:%d", port_of(first));
        snprintf(datagrams, sizeof(datagrams), "udp://%s", endpoint);
        close(first);
        hf_listeners_begin_round(listeners);
        hf_listeners_end_round(listeners);
        first = -1;
        if (hf_listeners_get(listeners, endpoint, &stream, error) == HF_OK &&
            hf_listeners_get(listeners, datagrams, &first, error) != HF_OK) {
            close(stream);
            stream = -1;
        }
    }

    struct sockaddr_in to;
    socklen_t size = sizeof(to);
    int sender = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(getsockname(first, (struct sockaddr *)&to, &size), 0);
    assert_int_equal(sendto(sender, "x", 1, 0, (struct sockaddr *)&to, size), 1);
    close(first);
    hf_listeners_begin_round(listeners);
    assert_int_equal(hf_listeners_get(listeners, datagrams, &second, error), HF_OK);
    hf_listeners_end_round(listeners);
    assert_int_equal(recv(second, got, sizeof(got), 0), 1); /* sent to the round before */
    close(sender);
    close(second);
    close(stream);
    hf_listeners_free(listeners);
}

static void gives_an_endpoint_once_a_round(void **state)
{
    char error[512] = "";
    int first = -1;
    int second = -1;
    (void)state;
    struct hf_listeners *listeners = make();
    assert_int_equal(hf_listeners_get(listeners, "127.0.0.1:0", &first, error), HF_OK);
    assert_int_equal(hf_listeners_get(listeners, "127.0.0.1:0", &second, error), HF_INVALID);
    assert_non_null(strstr(error, "another part of this configuration listens there"));
    hf_listeners_begin_round(listeners);
    assert_int_equal(hf_listeners_get(listeners, "127.0.0.1:0", &second, error), HF_OK);
    assert_int_equal(port_of(first), port_of(second));
    assert_int_not_equal(first, second);
    close(first);
    close(second);
    hf_listeners_free(listeners);
}

static void keeps_a_socket_over_rounds_only_while_it_is_asked_for(void **state)
{
    char error[512] = "";
    int first = -1;
    int second = -1;
    (void)state;
    struct hf_listeners *listeners = make();
    assert_int_equal(hf_listeners_get(listeners, "localhost:0", &first, error), HF_OK);
    int port = port_of(first);
    close(first);
    hf_listeners_begin_round(listeners);
    assert_int_equal(hf_listeners_get(listeners, "localhost:0", &second, error), HF_OK);
    hf_listeners_end_round(listeners);
    assert_int_equal(port_of(second), port);
    close(second);
    hf_listeners_begin_round(listeners);
    hf_listeners_end_round(listeners);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    assert_int_not_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
    hf_listeners_free(listeners);
}

static void keeps_a_socket_that_is_not_asked_for_when_told(void **state)
{
    char error[512] = "";
    int first = -1;
    int second = -1;
    (void)state;
    struct hf_listeners *listeners = make();
    assert_int_equal(hf_listeners_get(listeners, "127.0.0.1:0", &first, error), HF_OK);
    assert_false(hf_listeners_keep(listeners, "127.0.0.1:0"));
    assert_false(hf_listeners_keep(listeners, "127.0.0.1:1"));
    hf_listeners_begin_round(listeners);
    assert_true(hf_listeners_keep(listeners, "127.0.0.1:0"));
    hf_listeners_end_round(listeners);
    hf_listeners_begin_round(listeners);
    assert_int_equal(hf_listeners_get(listeners, "127.0.0.1:0", &second, error), HF_OK);
    assert_int_equal(port_of(first), port_of(second));
    close(first);
    close(second);
    hf_listeners_free(listeners);
}

static void says_who_has_the_port(void **state)
{
    char error[512] = "";
    char endpoint[64];
    int first = -1;
    int second = -1;
    (void)state;
    struct hf_listeners *listeners = make();
    struct hf_listeners *other = make();
    assert_int_equal(hf_listeners_get(listeners, "127.0.0.1:0", &first, error), HF_OK);
    snprintf(endpoint, sizeof(endpoint), "127.0.0.1:%d", port_of(first));
    assert_int_equal(hf_listeners_get(other, endpoint, &second, error), HF_IO);
    assert_non_null(strstr(error, endpoint));
    assert_non_null(strstr(error, "another process has this port"));
    close(first);
    hf_listeners_free(other);
    hf_listeners_free(listeners);
}

static void refuses_what_is_no_endpoint(void **state)
{
    static const char *const wrong[] = {
        "", "4317", "localhost:", "no.such.host.invalid:1", "unix://", "203.0.113.1:0"};
    (void)state;
    struct hf_listeners *listeners = make();
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char error[512] = "";
        int fd = -1;
        assert_int_not_equal(hf_listeners_get(listeners, wrong[i], &fd, error), HF_OK);
        assert_int_not_equal(error[0], '\0');
    }
    hf_listeners_free(listeners);
}

static void take_over(const char *scheme, int type)
{
    char error[512] = "";
    char directory[] = "/tmp/hf-listeners-XXXXXX";
    char endpoint[128];
    struct stat info;
    int first = -1;
    int second = -1;
    assert_non_null(mkdtemp(directory));
    snprintf(endpoint, sizeof(endpoint), "%s%s/s", scheme, directory);
    const char *path = endpoint + strlen(scheme);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path) + 1);
    int stale = socket(AF_UNIX, type, 0);
    assert_int_equal(bind(stale, (struct sockaddr *)&address, sizeof(address)), 0);
    close(stale);

    struct hf_listeners *listeners = make();
    struct hf_listeners *other = make();
    assert_int_equal(hf_listeners_get(listeners, endpoint, &first, error), HF_OK);
    assert_int_equal(hf_listeners_get(other, endpoint, &second, error), HF_IO);
    assert_non_null(strstr(error, "another process"));
    close(first);
    hf_listeners_free(other);
    assert_int_equal(stat(path, &info), 0);
    hf_listeners_free(listeners);
    assert_int_not_equal(stat(path, &info), 0);
    rmdir(directory);
}

static void takes_over_a_stale_unix_socket_and_leaves_a_live_one(void **state)
{
    static const char *const schemes[] = {"unix://", "unix:", ""};
    (void)state;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        take_over(schemes[i], SOCK_STREAM);
    }
    take_over("unixgram://", SOCK_DGRAM);
}

static void says_what_stands_at_a_socket_s_path(void **state)
{
    static const struct {
        const char *name, *says;
    } rows[] = {{"file", "a file that is no socket stands there"},
                {"directory", "a directory stands there"},
                {"link", "a symbolic link stands there"}};
    char directory[] = "/tmp/hf-listeners-XXXXXX";
    char endpoint[128], paths[3][64];
    (void)state;
    assert_non_null(mkdtemp(directory));
    for (size_t i = 0; i < 3; i++) {
        snprintf(paths[i], sizeof(paths[i]), "%s/%s", directory, rows[i].name);
    }
    fclose(fopen(paths[0], "w"));
    assert_int_equal(mkdir(paths[1], 0700), 0);
    assert_int_equal(symlink("/nonexistent/s", paths[2]), 0);
    struct hf_listeners *listeners = make();
    for (size_t i = 0; i < 3; i++) {
        char error[512] = "";
        struct stat info;
        int fd = -1;
        snprintf(endpoint, sizeof(endpoint), "unix://%s", paths[i]);
        assert_int_equal(hf_listeners_get(listeners, endpoint, &fd, error), HF_IO);
        assert_non_null(strstr(error, rows[i].says));
        assert_null(strstr(error, "another process"));
        assert_int_equal(lstat(paths[i], &info), 0); /* it is left where it is */
    }
    hf_listeners_free(listeners);
    unlink(paths[0]);
    rmdir(paths[1]);
    unlink(paths[2]);
    rmdir(directory);
}

static void listens_on_the_older_address_of_a_name_as_go_does(void **state)
{
    char error[512] = "", endpoint[64];
    int fd = -1, second = -1;
    (void)state;
    struct hf_listeners *listeners = make();
    assert_int_equal(hf_listeners_get(listeners, "both.test:0", &fd, error), HF_OK);
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(address.ss_family, AF_INET);
    /* Taken there, it does not turn to the other, where nobody looks for it. */
    snprintf(endpoint, sizeof(endpoint), "both.test:%d", port_of(fd));
    assert_int_equal(hf_listeners_get(listeners, endpoint, &second, error), HF_IO);
    assert_non_null(strstr(error, "another process has this port"));
    close(fd);
    hf_listeners_free(listeners);
}

/* One that lost its power or its network says no goodbye. */
static void looks_after_peers_that_are_gone_without_a_word(void **state)
{
    char error[512] = "";
    int listening = -1;
    (void)state;
    struct hf_listeners *listeners = make();
    assert_int_equal(hf_listeners_get(listeners, "127.0.0.1:0", &listening, error), HF_OK);
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&address, &size), 0);
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(peer, (struct sockaddr *)&address, sizeof(address)), 0);
    struct pollfd ready = {.fd = listening, .events = POLLIN};
    assert_int_equal(poll(&ready, 1, -1), 1);
    int accepted = accept(listening, NULL, NULL);
    int on = 0;
    int idle_s = 0;
    size = sizeof(on);
    assert_int_equal(getsockopt(accepted, SOL_SOCKET, SO_KEEPALIVE, &on, &size), 0);
    assert_int_equal(getsockopt(accepted, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, &size), 0);
    assert_int_equal(on, 1);
    assert_int_equal(idle_s, 15);
    close(accepted);
    close(peer);
    close(listening);
    hf_listeners_free(listeners);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_socket_for_datagrams_has_its_own_name_and_outlives_a_round),
        cmocka_unit_test(gives_an_endpoint_once_a_round),
        cmocka_unit_test(keeps_a_socket_over_rounds_only_while_it_is_asked_for),
        cmocka_unit_test(keeps_a_socket_that_is_not_asked_for_when_told),
        cmocka_unit_test(says_who_has_the_port),
        cmocka_unit_test(refuses_what_is_no_endpoint),
        cmocka_unit_test(takes_over_a_stale_unix_socket_and_leaves_a_live_one),
        cmocka_unit_test(says_what_stands_at_a_socket_s_path),
        cmocka_unit_test(listens_on_the_older_address_of_a_name_as_go_does),
        cmocka_unit_test(looks_after_peers_that_are_gone_without_a_word),
    };
    return cmocka_run_group_tests_name("listeners", tests, NULL, NULL);
}
