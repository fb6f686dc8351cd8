/*
 * An HTTP client and a server that talk while memory is short: each call ends, with its answer or
 * without one; when there is memory again, the next call succeeds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h> /* needs the first three before it */

#include "http/client.h"
#include "http/server.h"
#include "tests/support/certificates.h"
#include "util/compress/compress.h"
#include "util/loop.h"
#include "util/time/clock.h"

#include "failing.h"

#define BODY_BYTES 70000

static const struct {
    const char *coding_name;
    enum hf_coding coding;
} rows[] = {{NULL, HF_IDENTITY}, {"gzip", HF_GZIP}, {"zstd", HF_ZSTD}};
#define CALLS (sizeof(rows) / sizeof(rows[0]))

static struct certificates certificates;
static uint8_t body[BODY_BYTES];
static struct hf_bytes bodies[CALLS]; /* the body in each row's coding */

struct call {
    struct hf_http_call call;
    struct hf_slice piece;
    struct hf_loop *loop;
    int *left;
    bool is_done, is_echo, is_refused;
};

/* Says 200 to the right body alone. */
static void on_request(void *user, struct hf_http_request *request, enum hf_status fault)
{
    const struct hf_http_body *got = hf_http_request_body(request);
    bool is_right = fault == HF_OK && got->raw.size == BODY_BYTES &&
                    memcmp(got->raw.data, body, BODY_BYTES) == 0;
    const struct hf_http_answer answer = {.status = is_right ? 200 : 503,
                                          .content_type = "text/plain",
                                          .body = hf_slice_text("as it was sent")};
    (void)user;
    hf_http_answer(request, &answer);
}

static void on_done(struct hf_http_call *http_call, const struct hf_http_result *result)
{
    struct call *call = HF_CONTAINER(http_call, struct call, call);
    assert_false(call->is_done);
    call->is_done = true;
    call->is_refused = result->status == HF_OK && result->code != 200;
    call->is_echo = result->status == HF_OK && result->code == 200 &&
                    hf_slice_is(result->body, "as it was sent");
    if (--*call->left == 0) {
        hf_loop_stop(call->loop);
    }
}

/* Calls all at once and waits; returns whether all were answered rightly. */
static bool call_all(struct hf_http_client *client, struct hf_loop *loop, const char *url,
                     uint64_t patience_ns)
{
    struct call calls[CALLS];
    int left = CALLS;
    bool is_whole = true;
    for (size_t i = 0; i < CALLS; i++) {
        calls[i] = (struct call){.piece = hf_slice_of(bodies[i].data, bodies[i].size),
                                 .loop = loop,
                                 .left = &left,
                                 .call = {.method = "POST",
                                          .url = url,
                                          .content_type = "application/x-protobuf",
                                          .content_encoding = rows[i].coding_name,
                                          .piece_count = 1,
                                          .deadline_ns = hf_clock_monotonic_ns() + patience_ns,
                                          .done = on_done}};
        calls[i].call.pieces = &calls[i].piece;
        hf_http_client_call(client, &calls[i].call);
    }
    hf_loop_run(loop);
    for (size_t i = 0; i < CALLS; i++) {
        is_whole = is_whole && calls[i].is_echo;
    }
    return is_whole;
}

static int listen_somewhere(char *url, size_t size, bool is_encrypted)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    snprintf(url, size, "%s://localhost:%u/", is_encrypted ? "https" : "http",
             ntohs(address.sin_port));
    return fd;
}

static struct hf_http_server *start(const struct hf_tls_config *tls, char *url, size_t size)
{
    char error[512] = "";
    struct hf_http_server *server = NULL;
    const struct hf_http_server_options options = {.listen_fd =
                                                       listen_somewhere(url, size, tls != NULL),
                                                   .tls = tls,
                                                   .on_request = on_request};
    enum hf_status status = hf_http_server_new(&options, &server, error);
    assert_true(status == HF_OK ? server != NULL : server == NULL);
    return server;
}

static bool exchange(bool is_encrypted)
{
    const struct hf_tls_config server_tls = {.cert_file = certificates.cert_file,
                                             .key_file = certificates.key_file};
    const struct hf_tls_config client_tls = {.ca_file = certificates.ca_file};
    char url[100], error[512] = "";
    struct hf_loop *loop = NULL;
    struct hf_http_client *client = NULL;
    bool is_whole = false;
    struct hf_http_server *server = start(is_encrypted ? &server_tls : NULL, url, sizeof(url));
    assert_non_null(server);
    assert_int_equal(hf_loop_new(&loop), HF_OK);
    const struct hf_http_client_options options = {
        .loop = loop, .tls = is_encrypted ? &client_tls : NULL, .user_agent = "alloc"};
    alloc_begin();
    enum hf_status status = hf_http_client_new(&options, &client, error);
    if (status == HF_OK) {
        is_whole = call_all(client, loop, url, 2 * HF_NS_PER_S);
        alloc_end();
        while (!call_all(client, loop, url, 20 * HF_NS_PER_S)) {
            (void)usleep(2000); /* a broken connection may still have taken them */
        }
        hf_http_client_free(client);
    }
    alloc_end();
    hf_loop_free(loop);
    hf_http_server_free(server);
    return is_whole;
}

static bool clear_text(void)
{
    return exchange(false);
}

static bool encrypted(void)
{
    return exchange(true);
}

/* A server that does not come to be leaves nothing behind, the socket neither. */
static bool server_start(void)
{
    const struct hf_tls_config tls = {.cert_file = certificates.cert_file,
                                      .key_file = certificates.key_file,
                                      .client_ca_file = certificates.ca_file};
    char url[100];
    alloc_begin();
    struct hf_http_server *server = start(&tls, url, sizeof(url));
    alloc_end();
    bool is_whole = server != NULL;
    hf_http_server_free(server);
    return is_whole;
}

int main(int argc, char **argv)
{
    static const struct alloc_scenario scenarios[] = {
        {"server_start", server_start, false},
        {"clear_text", clear_text, false},
        {"encrypted", encrypted, true},
        {0},
    };
    const struct hf_slice plain = hf_slice_of(body, BODY_BYTES);
    for (size_t i = 0; i < BODY_BYTES; i++) {
        body[i] = (uint8_t)(i * 7 + i / 251);
    }
    for (size_t i = 0; i < CALLS; i++) {
        assert_int_equal(hf_encode(rows[i].coding, 0, &plain, 1, &bodies[i]), HF_OK);
    }
    certificates_new(&certificates);
    int status = alloc_main(argc, argv, scenarios);
    certificates_remove(&certificates);
    for (size_t i = 0; i < CALLS; i++) {
        hf_bytes_release(&bodies[i]);
    }
    return status;
}
