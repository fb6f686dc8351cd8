/* A client on a loop of the test, and what it asks. */
#pragma once

#include <grpc/client.h>

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h> /* needs those before it */

#include <tests/support/certificates.h>
#include <util/compress/compress.h>

#include "rig.h"

#define SECOND_NS UINT64_C(1000000000)

struct side {
    struct hf_loop *loop;
    struct hf_grpc_client *client;
    struct hf_grpc_client_options options;
    int pending;
    atomic_int ups, downs;
    int wanted_ups; /* 0, or the loop is stopped when there were so many */
    char last_state[512];
};

struct ask {
    struct hf_grpc_request request;
    struct side *side;
    int done, code;
    char message[1024];
    bool has_retry_info;
    uint64_t retry_delay_ns;
    uint8_t *response;
    size_t size;
};

static inline void on_state(void *user, bool connected, const char *what)
{
    struct side *side = user;
    atomic_fetch_add(connected ? &side->ups : &side->downs, 1);
    snprintf(side->last_state, sizeof(side->last_state), "%s", what);
    if (side->wanted_ups != 0 && atomic_load(&side->ups) == side->wanted_ups) {
        hf_loop_stop(side->loop);
    }
}

static inline void on_done(struct hf_grpc_request *request, const struct hf_grpc_result *result)
{
    struct ask *ask = HF_CONTAINER(request, struct ask, request);
    ask->done++;
    ask->code = result->code;
    snprintf(ask->message, sizeof(ask->message), "%s", result->message);
    ask->has_retry_info = result->has_retry_info;
    ask->retry_delay_ns = result->retry_delay_ns;
    free(ask->response);
    ask->response = malloc(result->response.size + 1);
    assert_non_null(ask->response);
    if (result->response.size != 0) {
        memcpy(ask->response, result->response.data, result->response.size);
    }
    ask->size = result->response.size;
    if (--ask->side->pending == 0) {
        hf_loop_stop(ask->side->loop);
    }
}

static inline struct side *side_new(const struct hf_grpc_client_options *options)
{
    struct side *side = calloc(1, sizeof(*side));
    assert_non_null(side);
    assert_int_equal(hf_loop_new(&side->loop), HF_OK);
    side->options = *options;
    side->options.loop = side->loop;
    side->options.on_state = on_state;
    side->options.user = side;
    char error[512] = "";
    enum hf_status status = hf_grpc_client_new(&side->options, &side->client, error);
    assert_string_equal(error, "");
    assert_int_equal(status, HF_OK);
    return side;
}

static inline void side_free(struct side *side)
{
    hf_grpc_client_free(side->client);
    hf_loop_free(side->loop);
    free(side);
}

static inline uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

static inline void ask_begin(struct side *side, struct ask *ask)
{
    ask->side = side;
    ask->request.done = on_done;
    if (ask->request.deadline_ns == 0) {
        ask->request.deadline_ns = now_ns() + 30 * SECOND_NS;
    }
    side->pending++;
    hf_grpc_client_call(side->client, &ask->request);
    assert_true(ask->done == 0);
}

/* Until every call that was begun has ended. */
static inline void side_run(struct side *side)
{
    if (side->pending > 0) {
        hf_loop_run(side->loop);
    }
    assert_int_equal(side->pending, 0);
}

static inline void ask_now(struct side *side, struct ask *ask)
{
    ask_begin(side, ask);
    side_run(side);
    assert_int_equal(ask->done, 1);
}

static inline uint8_t *pattern(size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 251 + i / 65521);
    }
    return bytes;
}

/* Cut into pieces of odd sizes, empty ones among them. */
static inline size_t cut(const uint8_t *bytes, size_t size, struct hf_slice *pieces, size_t most)
{
    static const size_t sizes[] = {1, 0, 17, 4096, 3, 70000, 0, 16384, 100001};
    size_t count = 0;
    for (size_t at = 0; at < size; count++) {
        size_t piece = count + 1 == most ? size - at : sizes[count % 9];
        piece = piece < size - at ? piece : size - at;
        pieces[count] = hf_slice_of(bytes + at, piece);
        at += piece;
    }
    return count;
}
