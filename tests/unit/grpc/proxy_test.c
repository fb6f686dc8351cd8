/* Through an HTTP proxy by CONNECT: all bytes pass, and a refusal is told in the proxy's words. */
#include <grpc/client.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <poll.h>
#include <pthread.h>

#include <cmocka.h> /* needs those before it */

#include "rig.h"

struct proxy {
    int listener, upstream_port;
    const char *answer;
    char url[64];
    char asked[512];
    pthread_t thread;
};

static bool pass_on(int from, int to)
{
    char bytes[4096];
    ssize_t got = recv(from, bytes, sizeof(bytes), 0);
    return got > 0 && send(to, bytes, (size_t)got, MSG_NOSIGNAL) == got;
}

static void tunnel(const struct proxy *proxy, int client)
{
    int server = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)proxy->upstream_port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(server, (struct sockaddr *)&address, sizeof(address)), 0);
    struct pollfd ends[2] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
    bool open = true;
    while (open && poll(ends, 2, 20000) > 0) {
        open = (ends[0].revents == 0 || pass_on(client, server)) &&
               (ends[1].revents == 0 || pass_on(server, client));
    }
    close(server);
}

static void *proxy_main(void *argument)
{
    struct proxy *proxy = argument;
    int client = accept(proxy->listener, NULL, NULL);
    assert_true(client >= 0);
    size_t size = 0;
    while (strstr(proxy->asked, "\r\n\r\n") == NULL && size < sizeof(proxy->asked) - 1) {
        assert_int_equal(recv(client, proxy->asked + size++, 1, 0), 1);
    }
    assert_true(send(client, proxy->answer, strlen(proxy->answer), MSG_NOSIGNAL) > 0);
    if (strstr(proxy->answer, " 200 ") != NULL) {
        tunnel(proxy, client);
    }
    close(client);
    close(proxy->listener); /* one connection is enough for a test */
    return NULL;
}

static void proxy_start(struct proxy *proxy, const struct rig *rig, const char *answer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    memset(proxy, 0, sizeof(*proxy));
    proxy->answer = answer;
    proxy->upstream_port = rig->port;
    proxy->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(proxy->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(proxy->listener, 5), 0);
    assert_int_equal(getsockname(proxy->listener, (struct sockaddr *)&address, &size), 0);
    snprintf(proxy->url, sizeof(proxy->url), "http://me:secret@127.0.0.1:%u",
             ntohs(address.sin_port));
    assert_int_equal(pthread_create(&proxy->thread, NULL, proxy_main, proxy), 0);
}

struct outcome {
    struct hf_grpc_request request;
    struct hf_loop *loop;
    int code;
    size_t size;
    char message[512];
};

static void on_done(struct hf_grpc_request *request, const struct hf_grpc_result *result)
{
    struct outcome *outcome = HF_CONTAINER(request, struct outcome, request);
    outcome->code = result->code;
    outcome->size = result->response.size;
    snprintf(outcome->message, sizeof(outcome->message), "%s", result->message);
    hf_loop_stop(outcome->loop);
}

static void ask_through(const struct proxy *proxy, const struct rig *rig, struct hf_slice body,
                        struct outcome *ret_outcome)
{
    char error[512] = "";
    struct hf_grpc_client *client = NULL;
    memset(ret_outcome, 0, sizeof(*ret_outcome));
    assert_int_equal(hf_loop_new(&ret_outcome->loop), HF_OK);
    const struct hf_grpc_client_options options = {
        .loop = ret_outcome->loop, .target = rig->target, .proxy_url = proxy->url};
    assert_int_equal(hf_grpc_client_new(&options, &client, error), HF_OK);
    ret_outcome->request = (struct hf_grpc_request){
        .path = "/t.S/Echo", .pieces = &body, .piece_count = 1, .done = on_done};
    hf_grpc_client_call(client, &ret_outcome->request);
    hf_loop_run(ret_outcome->loop);
    hf_grpc_client_free(client);
    hf_loop_free(ret_outcome->loop);
}

static void passes_through_a_tunnel(void **state)
{
    (void)state;
    struct rig *rig = rig_new(false);
    rig_start(rig);
    struct proxy proxy;
    proxy_start(&proxy, rig, "HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n");
    uint8_t *bytes = calloc(1, 2000000);
    assert_non_null(bytes);
    struct outcome outcome;
    ask_through(&proxy, rig, hf_slice_of(bytes, 2000000), &outcome);
    pthread_join(proxy.thread, NULL);
    assert_int_equal(outcome.code, 0);
    assert_int_equal(outcome.size, 2000000);
    char expected[512];
    snprintf(expected, sizeof(expected),
             "CONNECT %s HTTP/1.1\r\nHost: %s\r\n"
             "Proxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n",
             rig->target, rig->target);
    assert_string_equal(proxy.asked, expected);
    free(bytes);
    rig_free(rig);
}

static void tells_why_the_proxy_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *says;
    } rows[] = {
        {"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "407 Proxy Authentication"},
        {"HTTP/1.1 2000 Odd\r\n\r\n", "refuses"},
        {"nonsense\r\n\r\n", "refuses: nonsense"},
        {"HTTP/1.1 200", "hung up"},
    };
    struct rig *rig = rig_new(false);
    rig_start(rig);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct proxy proxy;
        struct outcome outcome;
        proxy_start(&proxy, rig, rows[i].answer);
        ask_through(&proxy, rig, HF_EMPTY_SLICE, &outcome);
        pthread_join(proxy.thread, NULL);
        assert_int_equal(outcome.code, 14);
        if (strstr(outcome.message, rows[i].says) == NULL) {
            fail_msg("row %zu: %s", i, outcome.message);
        }
    }
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_through_a_tunnel),
        cmocka_unit_test(tells_why_the_proxy_refuses),
    };
    return cmocka_run_group_tests_name("proxy", tests, NULL, NULL);
}
