/*
 * A client and a server that talk while memory is short: each call ends, with its answer or with a
 * word; when there is memory again, the next call succeeds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h> /* needs those before it */

#include "grpc/client.h"
#include "tests/support/certificates.h"
#include "tests/unit/grpc/rig.h"
#include "util/compress/compress.h"

#include "failing.h"

#define SECOND_NS UINT64_C(1000000000)
#define BODY_BYTES 70000
#define CODES 17

static struct certificates certificates;
static uint8_t body[BODY_BYTES];

struct call {
    struct hf_grpc_request request;
    struct hf_slice piece;
    struct hf_loop *loop;
    int *left;
    int code;
    bool is_echo;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

static void on_done(struct hf_grpc_request *request, const struct hf_grpc_result *result)
{
    struct call *call = HF_CONTAINER(request, struct call, request);
    assert_int_equal(call->code, -1); /* once */
    assert_in_range(result->code, 0, CODES - 1);
    call->code = result->code;
    call->is_echo =
        result->response.size == BODY_BYTES && memcmp(result->response.data, body, BODY_BYTES) == 0;
    if (--*call->left == 0) {
        hf_loop_stop(call->loop);
    }
}

static const struct {
    const char *path;
    enum hf_coding coding;
    int code;
} rows[] = {{"/t.S/Echo", HF_IDENTITY, 0},
            {"/t.S/Echo", HF_GZIP, 0},
            {"/t.S/Echo", HF_ZSTD, 0},
            {"/t.S/Fail", HF_IDENTITY, 8}};
#define CALLS (sizeof(rows) / sizeof(rows[0]))

static struct hf_bytes bodies[CALLS]; /* the body in each row's coding */

/* Calls all at once and waits; returns whether all were answered rightly. */
static bool call_all(struct hf_grpc_client *client, struct hf_loop *loop, uint64_t patience_ns)
{
    const struct hf_header headers[] = {
        {hf_slice_text("x-code"), hf_slice_text("8")},
        {hf_slice_text("x-text"), hf_slice_text("not \xc3\xa4gain")},
    };
    struct call calls[CALLS];
    int left = CALLS;
    bool is_whole = true;
    for (size_t i = 0; i < CALLS; i++) {
        calls[i] = (struct call){.piece = hf_slice_of(bodies[i].data, bodies[i].size),
                                 .loop = loop,
                                 .left = &left,
                                 .code = -1,
                                 .request = {.path = rows[i].path,
                                             .piece_count = 1,
                                             .coding = rows[i].coding,
                                             .headers = headers,
                                             .header_count = 2,
                                             .deadline_ns = now_ns() + patience_ns,
                                             .done = on_done}};
        calls[i].request.pieces = &calls[i].piece;
        hf_grpc_client_call(client, &calls[i].request);
    }
    hf_loop_run(loop);
    for (size_t i = 0; i < CALLS; i++) {
        bool is_right = calls[i].code == rows[i].code && (calls[i].code != 0 || calls[i].is_echo);
        assert_true(is_right || calls[i].code != 0); /* what is answered is answered rightly */
        is_whole = is_whole && is_right;
    }
    return is_whole;
}

/* Memory is short for both, or for the client alone when it has the server's `tls`. */
static bool exchange(struct hf_tls *server_tls, struct hf_tls *client_tls)
{
    struct rig *rig = rig_new(false);
    struct hf_loop *loop = NULL;
    struct hf_grpc_client *client = NULL;
    char error[512] = "";
    bool is_whole = false;
    rig->options.tls = server_tls;
    rig_start(rig);
    assert_int_equal(hf_loop_new(&loop), HF_OK);
    const struct hf_grpc_client_options options = {
        .loop = loop, .target = rig->target, .tls = client_tls, .user_agent = "alloc"};
    alloc_begin();
    enum hf_status status = hf_grpc_client_new(&options, &client, error);
    if (status == HF_OK) {
        is_whole = call_all(client, loop, 2 * SECOND_NS);
        alloc_end();
        while (!call_all(client, loop, 20 * SECOND_NS)) {
            (void)usleep(2000); /* a broken connection may still have taken them */
        }
        hf_grpc_client_free(client);
    }
    alloc_end();
    assert_true(status == HF_OK || status == HF_NOMEM || status == HF_IO);
    hf_loop_free(loop);
    rig_free(rig);
    return is_whole;
}

static bool clear_text(void)
{
    return exchange(NULL, NULL);
}

static bool encrypted(void)
{
    const struct hf_tls_config server_config = {.cert_file = certificates.cert_file,
                                                .key_file = certificates.key_file};
    const struct hf_tls_config client_config = {.ca_file = certificates.ca_file};
    struct hf_tls *server = NULL, *client = NULL;
    char error[512] = "";
    assert_int_equal(hf_tls_new_server(&server_config, "h2", &server, error), HF_OK);
    assert_int_equal(hf_tls_new_client(&client_config, "h2", &client, error), HF_OK);
    bool is_whole = exchange(server, client);
    hf_tls_free(server);
    hf_tls_free(client);
    return is_whole;
}

/* A server that does not come to be leaves nothing behind. */
static bool server_start(void)
{
    struct rig *rig = rig_new(true);
    char error[512] = "";
    alloc_begin();
    enum hf_status status = hf_grpc_server_new(&rig->options, &rig->server, error);
    alloc_end();
    assert_true(status == HF_OK || status == HF_NOMEM);
    rig_free(rig);
    return status == HF_OK;
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
