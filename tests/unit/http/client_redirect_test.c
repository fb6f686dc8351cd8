/* client_redirect: where a request is led, what goes along, and where it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <holdfast/component.h>
#include <holdfast/ref.h>

#include "http/client.h"
#include "util/loop.h"
#include "util/time/clock.h"

#define SEEN_MAX 8

/*
 * A server whose answers are told by the path: "/CODE/REST" is redirected to `location` with REST
 * behind it, all else gets 200. It remembers the requests.
 */
struct peer {
    int listen_fd;
    unsigned port;
    pthread_t thread;
    char location[200];
    char seen[SEEN_MAX][2048];
    size_t seen_count;
};

/* One request with a body of 4 bytes. False: the connection is over. */
static bool read_request(int fd, char *text, size_t room)
{
    size_t size = 0;
    while (size + 1 < room) {
        ssize_t got = recv(fd, text + size, room - 1 - size, 0);
        if (got <= 0) {
            return false;
        }
        size += (size_t)got;
        text[size] = '\0';
        const char *end = strstr(text, "\r\n\r\n");
        if (end != NULL && strlen(end) >= 8) {
            return true;
        }
    }
    return false;
}

static void answer(const struct peer *peer, int fd, const char *request)
{
    char text[600];
    int code = 0;
    char rest[100] = "";
    if (sscanf(request, "POST /%3d/%99[^ ]", &code, rest) >= 1 && code >= 300) {
        snprintf(text, sizeof(text),
                 "HTTP/1.1 %d Led On\r\nLocation: %s%s\r\nContent-Length: 0\r\n\r\n", code,
                 peer->location, rest);
    } else {
        snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
    (void)send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void *serve(void *user)
{
    struct peer *peer = user;
    int fd;
    while ((fd = accept(peer->listen_fd, NULL, NULL)) >= 0) {
        char text[2048];
        if (read_request(fd, text, sizeof(text))) {
            assert_true(peer->seen_count < SEEN_MAX);
            memcpy(peer->seen[peer->seen_count++], text, sizeof(text));
            answer(peer, fd, text);
        }
        close(fd);
    }
    return NULL;
}

static void start_peer(struct peer *peer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    *peer = (struct peer){.listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_int_equal(bind(peer->listen_fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(peer->listen_fd, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(listen(peer->listen_fd, 8), 0);
    peer->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&peer->thread, NULL, serve, peer), 0);
}

static void stop_peer(struct peer *peer)
{
    shutdown(peer->listen_fd, SHUT_RDWR);
    pthread_join(peer->thread, NULL);
    close(peer->listen_fd);
}

struct asking {
    struct hf_http_call call;
    struct hf_loop *loop;
    enum hf_status status;
    int code;
    char location[300], why[200], error[300], led_to[300];
    bool led_elsewhere;
};

static void on_done(struct hf_http_call *call, const struct hf_http_result *result)
{
    struct asking *asking = HF_CONTAINER(call, struct asking, call);
    asking->status = result->status;
    asking->code = result->code;
    snprintf(asking->location, sizeof(asking->location), "%s",
             result->location != NULL ? result->location : "");
    snprintf(asking->why, sizeof(asking->why), "%s",
             result->not_followed != NULL ? result->not_followed : "");
    snprintf(asking->error, sizeof(asking->error), "%s",
             result->error != NULL ? result->error : "");
    hf_loop_stop(asking->loop);
}

static void on_redirect(void *user, const char *to, bool is_elsewhere)
{
    struct asking *asking = user;
    snprintf(asking->led_to, sizeof(asking->led_to), "%s", to);
    asking->led_elsewhere = is_elsewhere;
}

/* A request with credentials to that path of the peer. */
static void ask(const struct peer *peer, const char *path, uint64_t deadline_ns,
                struct asking *asking)
{
    static const struct hf_header headers[] = {
        {{(const uint8_t *)"authorization", 13}, {(const uint8_t *)"Bearer x", 8}},
        {{(const uint8_t *)"x-api-key", 9}, {(const uint8_t *)"secret", 6}},
        {{(const uint8_t *)"cookie", 6}, {(const uint8_t *)"a=b", 3}},
        {{(const uint8_t *)"user-agent", 10}, {(const uint8_t *)"Own/1", 5}},
    };
    const struct hf_slice pieces[] = {hf_slice_text("bo"), hf_slice_text("dy")};
    char url[200], error[HF_ERROR_MAX];
    snprintf(url, sizeof(url), "http://user:pw@127.0.0.1:%u%s", peer->port, path);
    *asking = (struct asking){.call = {.method = "POST",
                                       .url = url,
                                       .content_type = "text/mine",
                                       .pieces = pieces,
                                       .piece_count = 2,
                                       .headers = headers,
                                       .header_count = 4,
                                       .deadline_ns = deadline_ns,
                                       .done = on_done}};
    struct hf_http_client *client;
    assert_int_equal(hf_loop_new(&asking->loop), HF_OK);
    const struct hf_http_client_options options = {
        .loop = asking->loop, .on_redirect = on_redirect, .user = asking};
    assert_int_equal(hf_http_client_new(&options, &client, error), HF_OK);
    hf_http_client_call(client, &asking->call);
    hf_loop_run(asking->loop);
    hf_http_client_free(client);
    hf_loop_free(asking->loop);
}

static void follows_307_and_308_with_all_to_the_same_host(void **state)
{
    (void)state;
    static const char *const paths[] = {"/307/there", "/308/there"};
    for (size_t i = 0; i < 2; i++) {
        struct peer peer;
        struct asking asking;
        start_peer(&peer);
        snprintf(peer.location, sizeof(peer.location), "/");
        ask(&peer, paths[i], 0, &asking);
        stop_peer(&peer);
        assert_int_equal(asking.status, HF_OK);
        assert_int_equal(asking.code, 200);
        assert_string_equal(asking.location, "");
        assert_non_null(strstr(asking.led_to, "/there"));
        assert_null(strstr(asking.led_to, "pw"));
        assert_false(asking.led_elsewhere);
        assert_int_equal(peer.seen_count, 2);
        const char *second = peer.seen[1];
        assert_non_null(strstr(second, "POST /there HTTP/1.1\r\n"));
        assert_non_null(strstr(second, "authorization: Bearer x\r\n"));
        assert_non_null(strstr(second, "x-api-key: secret\r\n"));
        assert_non_null(strstr(second, "cookie: a=b\r\n"));
        assert_non_null(strstr(second, "Content-Type: text/mine\r\n"));
        assert_non_null(strstr(second, "Content-Length: 4\r\n"));
        assert_non_null(strstr(second, "\r\n\r\nbody"));
    }
}

static void sends_no_credentials_to_another_host(void **state)
{
    (void)state;
    struct peer peer, other;
    struct asking asking;
    start_peer(&peer);
    start_peer(&other);
    snprintf(peer.location, sizeof(peer.location), "http://127.0.0.1:%u/", other.port);
    /* From there back again: what was lost on the way stays lost. */
    snprintf(other.location, sizeof(other.location), "http://127.0.0.1:%u/", peer.port);
    ask(&peer, "/307/307/back", 0, &asking);
    stop_peer(&peer);
    stop_peer(&other);
    assert_int_equal(asking.code, 200);
    assert_true(asking.led_elsewhere);
    assert_int_equal(other.seen_count, 1);
    assert_int_equal(peer.seen_count, 2);
    const char *const stripped[] = {other.seen[0], peer.seen[1]};
    for (size_t i = 0; i < 2; i++) {
        assert_null(strcasestr(stripped[i], "authorization"));
        assert_null(strstr(stripped[i], "secret"));
        assert_null(strstr(stripped[i], "cookie"));
        assert_non_null(strstr(stripped[i], "Content-Type: text/mine\r\n"));
        assert_non_null(strstr(stripped[i], "user-agent: Own/1\r\n"));
        assert_non_null(strstr(stripped[i], "\r\n\r\nbody"));
    }
}

static void gives_up_after_five(void **state)
{
    (void)state;
    struct peer peer;
    struct asking asking;
    start_peer(&peer);
    snprintf(peer.location, sizeof(peer.location), "/308/");
    ask(&peer, "/308/round", 0, &asking);
    stop_peer(&peer);
    assert_int_equal(asking.status, HF_OK);
    assert_int_equal(asking.code, 308);
    assert_non_null(strstr(asking.why, "five redirects"));
    assert_int_equal(peer.seen_count, 6);
}

static void follows_no_others(void **state)
{
    (void)state;
    static const struct {
        const char *path, *location, *says;
        int code;
    } rows[] = {
        {"/301/x", "/", "only 307 and 308", 301},
        {"/302/x", "/", "only 307 and 308", 302},
        {"/303/x", "/", "only 307 and 308", 303},
        {"/307/x", "ftp://127.0.0.1/", "no URL of http", 307},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct peer peer;
        struct asking asking;
        start_peer(&peer);
        snprintf(peer.location, sizeof(peer.location), "%s", rows[i].location);
        ask(&peer, rows[i].path, 0, &asking);
        stop_peer(&peer);
        assert_int_equal(asking.status, HF_OK);
        assert_int_equal(asking.code, rows[i].code);
        assert_non_null(strstr(asking.why, rows[i].says));
        assert_true(asking.location[0] != '\0');
        assert_null(strstr(asking.location, "pw"));
        assert_int_equal(peer.seen_count, 1);
    }
}

static void a_place_where_no_server_listens_is_a_passing_fault(void **state)
{
    (void)state;
    struct peer peer;
    struct asking asking;
    start_peer(&peer);
    snprintf(peer.location, sizeof(peer.location), "http://127.0.0.1:1/");
    ask(&peer, "/307/x", hf_clock_monotonic_ns() + 20 * HF_NS_PER_S, &asking);
    stop_peer(&peer);
    assert_int_equal(asking.status, HF_AGAIN);
    assert_true(asking.error[0] != '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_307_and_308_with_all_to_the_same_host),
        cmocka_unit_test(sends_no_credentials_to_another_host),
        cmocka_unit_test(gives_up_after_five),
        cmocka_unit_test(follows_no_others),
        cmocka_unit_test(a_place_where_no_server_listens_is_a_passing_fault),
    };
    return cmocka_run_group_tests_name("client_redirect", tests, NULL, NULL);
}
