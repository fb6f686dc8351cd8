/* Client against server over real sockets: what goes in comes out, and every way for it not to. */
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

static void on_state(void *user, bool connected, const char *what)
{
    struct side *side = user;
    atomic_fetch_add(connected ? &side->ups : &side->downs, 1);
    snprintf(side->last_state, sizeof(side->last_state), "%s", what);
    if (side->wanted_ups != 0 && atomic_load(&side->ups) == side->wanted_ups) {
        hf_loop_stop(side->loop);
    }
}

static void on_done(struct hf_grpc_request *request, const struct hf_grpc_result *result)
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

static struct side *side_new(const struct hf_grpc_client_options *options)
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

static void side_free(struct side *side)
{
    hf_grpc_client_free(side->client);
    hf_loop_free(side->loop);
    free(side);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

static void ask_begin(struct side *side, struct ask *ask)
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
static void side_run(struct side *side)
{
    if (side->pending > 0) {
        hf_loop_run(side->loop);
    }
    assert_int_equal(side->pending, 0);
}

static void ask_now(struct side *side, struct ask *ask)
{
    ask_begin(side, ask);
    side_run(side);
    assert_int_equal(ask->done, 1);
}

static uint8_t *pattern(size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 251 + i / 65521);
    }
    return bytes;
}

static void expect_echo(const struct ask *ask, const uint8_t *bytes, size_t size)
{
    assert_string_equal(ask->message, "");
    assert_int_equal(ask->code, 0);
    assert_int_equal(ask->size, size);
    assert_memory_equal(ask->response, bytes, size);
}

/* Cut into pieces of odd sizes, empty ones among them. */
static size_t cut(const uint8_t *bytes, size_t size, struct hf_slice *pieces, size_t most)
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

static void echo_all_sizes(const struct hf_grpc_client_options *options)
{
    static const size_t sizes[] = {0, 1, 4, 5, 16374, 16375, 16384, 65535, 100000, 524288, 4500000};
    uint8_t *bytes = pattern(4500000);
    struct hf_grpc_client_options roomy = *options;
    roomy.response_bytes_max = 5000000;
    struct side *side = side_new(&roomy);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct hf_slice pieces[300];
        struct ask ask = {.request = {.path = "/t.S/Echo", .pieces = pieces}};
        ask.request.piece_count = cut(bytes, sizes[i], pieces, 300);
        ask_now(side, &ask);
        expect_echo(&ask, bytes, sizes[i]);
        free(ask.response);
    }
    side_free(side);
    free(bytes);
}

static void echoes_messages_of_all_sizes_over_tcp(void **state)
{
    (void)state;
    struct rig *rig = rig_new(false);
    rig_start(rig);
    echo_all_sizes(&(struct hf_grpc_client_options){.target = rig->target});
    assert_int_equal(atomic_load(&rig->errors), 0);
    rig_free(rig);
}

static void echoes_messages_of_all_sizes_over_a_socket_path(void **state)
{
    (void)state;
    struct rig *rig = rig_new(true);
    rig_start(rig);
    echo_all_sizes(&(struct hf_grpc_client_options){.target = rig->target});
    rig_free(rig);
}

static void echoes_through_the_smallest_windows_and_flushes(void **state)
{
    (void)state;
    struct rig *rig = rig_new(false);
    rig->options.stream_window = 65535;
    rig->options.connection_window = 65535;
    rig->options.read_buffer_bytes = 4096;
    rig_start(rig);
    echo_all_sizes(&(struct hf_grpc_client_options){.target = rig->target, .flush_bytes = 1});
    rig_free(rig);
}

static void takes_no_answer_over_its_limit(void **state)
{
    (void)state;
    struct rig *rig = rig_new(false);
    rig_start(rig);
    struct side *side = side_new(
        &(struct hf_grpc_client_options){.target = rig->target, .response_bytes_max = 1000});
    uint8_t *bytes = pattern(1001);
    for (size_t size = 1000; size < 1002; size++) {
        struct hf_slice piece = hf_slice_of(bytes, size);
        struct ask ask = {.request = {.path = "/t.S/Echo", .pieces = &piece, .piece_count = 1}};
        ask_now(side, &ask);
        assert_int_equal(ask.code, size == 1000 ? 0 : 8);
        free(ask.response);
    }
    free(bytes);
    side_free(side);
    rig_free(rig);
}

struct tls_pair {
    struct certificates set;
    struct hf_tls *server, *client;
};

static void tls_pair_new(struct tls_pair *pair)
{
    char error[512] = "";
    certificates_new(&pair->set);
    const struct hf_tls_config server = {.cert_file = pair->set.cert_file,
                                         .key_file = pair->set.key_file};
    const struct hf_tls_config client = {.ca_file = pair->set.ca_file};
    assert_int_equal(hf_tls_new_server(&server, "h2", &pair->server, error), HF_OK);
    assert_int_equal(hf_tls_new_client(&client, "h2", &pair->client, error), HF_OK);
}

static void tls_pair_release(struct tls_pair *pair)
{
    hf_tls_free(pair->server);
    hf_tls_free(pair->client);
    certificates_remove(&pair->set);
}

static void echoes_messages_of_all_sizes_over_tls(void **state)
{
    (void)state;
    struct tls_pair pair;
    tls_pair_new(&pair);
    struct rig *rig = rig_new(false);
    rig->options.tls = pair.server;
    rig_start(rig);
    echo_all_sizes(&(struct hf_grpc_client_options){.target = rig->target, .tls = pair.client});
    rig_free(rig);
    tls_pair_release(&pair);
}

static void fails_fast_with_the_reason_when_the_certificate_is_not_trusted(void **state)
{
    (void)state;
    struct tls_pair pair, other;
    tls_pair_new(&pair);
    tls_pair_new(&other);
    struct rig *rig = rig_new(false);
    rig->options.tls = pair.server;
    rig_start(rig);
    struct side *side =
        side_new(&(struct hf_grpc_client_options){.target = rig->target, .tls = other.client});
    struct ask ask = {.request = {.path = "/t.S/Echo"}};
    ask_now(side, &ask);
    assert_int_equal(ask.code, 14);
    assert_non_null(strstr(ask.message, "certificate"));
    free(ask.response);
    side_free(side);
    rig_free(rig);
    tls_pair_release(&pair);
    tls_pair_release(&other);
}

static void carries_many_calls_at_once(void **state)
{
    (void)state;
    enum { CALLS = 300 };
    struct rig *rig = rig_new(false);
    rig->options.streams_max = 20; /* the rest has to wait for its turn */
    rig_start(rig);
    struct side *side = side_new(&(struct hf_grpc_client_options){.target = rig->target});
    uint8_t *bytes = pattern(CALLS * 700);
    struct ask *asks = calloc(CALLS, sizeof(*asks));
    struct hf_slice *pieces = calloc(CALLS, sizeof(*pieces));
    assert_true(asks != NULL && pieces != NULL);
    for (size_t i = 0; i < CALLS; i++) {
        pieces[i] = hf_slice_of(bytes + i, i * 700);
        asks[i].request =
            (struct hf_grpc_request){.path = "/t.S/Echo", .pieces = &pieces[i], .piece_count = 1};
        ask_begin(side, &asks[i]);
    }
    side_run(side);
    for (size_t i = 0; i < CALLS; i++) {
        expect_echo(&asks[i], bytes + i, i * 700);
        free(asks[i].response);
    }
    assert_int_equal(atomic_load(&side->ups), 1);
    side_free(side);
    free(asks);
    free(pieces);
    free(bytes);
    rig_free(rig);
}

static void sends_compressed_messages_as_they_are(void **state)
{
    (void)state;
    static const enum hf_coding codings[] = {HF_GZIP, HF_ZSTD, HF_SNAPPY_FRAMED, HF_DEFLATE};
    struct rig *rig = rig_new(false);
    rig_start(rig);
    struct side *side = side_new(&(struct hf_grpc_client_options){.target = rig->target});
    uint8_t *bytes = pattern(300000);
    struct hf_slice plain = hf_slice_of(bytes, 300000);
    for (size_t i = 0; i < 4; i++) {
        struct hf_bytes coded = {0};
        assert_int_equal(hf_encode(codings[i], 0, &plain, 1, &coded), HF_OK);
        struct hf_slice piece = hf_slice_of(coded.data, coded.size);
        struct ask ask = {
            .request = {
                .path = "/t.S/Echo", .pieces = &piece, .piece_count = 1, .coding = codings[i]}};
        ask_now(side, &ask);
        expect_echo(&ask, bytes, plain.size);
        free(ask.response);
        /* And the same cut short. */
        piece.size /= 2;
        struct ask bad = {.request = ask.request};
        bad.request.timer = (struct hf_timer){0};
        ask_now(side, &bad);
        assert_int_equal(bad.code, 13);
        free(bad.response);
        hf_bytes_release(&coded);
    }
    side_free(side);
    free(bytes);
    rig_free(rig);
}

static struct hf_header header(const char *name, const void *value, size_t size)
{
    return (struct hf_header){hf_slice_text(name), hf_slice_of(value, size)};
}

static void tells_the_error_as_the_server_put_it(void **state)
{
    (void)state;
    const struct {
        const char *code, *text;
        uint64_t delay_ns;
    } rows[] = {
        {"14", "the queue is full", 1500000000},
        {"3", "100 % wr\xc3\xb6ng", 0},
        {"8", "", 0},
        {"16", "tilde ~", 1},
        {"17", "a code of the future", 0},
        {"14", "x", UINT64_C(86400) * 1000000000 + 7},
    };
    struct rig *rig = rig_new(false);
    rig_start(rig);
    struct side *side = side_new(&(struct hf_grpc_client_options){.target = rig->target});
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct hf_header headers[] = {
            header("x-code", rows[i].code, strlen(rows[i].code)),
            header("x-text", rows[i].text, strlen(rows[i].text)),
            header("x-delay-bin", &rows[i].delay_ns, 8),
        };
        struct ask ask = {.request = {.path = "/t.S/Fail", .headers = headers, .header_count = 3}};
        ask_now(side, &ask);
        assert_int_equal(ask.code, strtol(rows[i].code, NULL, 10));
        assert_string_equal(ask.message, rows[i].text);
        assert_int_equal(ask.has_retry_info, rows[i].delay_ns != 0);
        assert_int_equal(ask.retry_delay_ns, rows[i].delay_ns);
        assert_int_equal(ask.size, 0);
        free(ask.response);
    }
    side_free(side);
    rig_free(rig);
}

static void is_refused_what_the_server_does_not_take(void **state)
{
    (void)state;
    struct rig *rig = rig_new(false);
    rig->options.message_bytes_max = 100000;
    rig_start(rig);
    struct side *side = side_new(&(struct hf_grpc_client_options){.target = rig->target});
    uint8_t *bytes = calloc(1, 8000000);
    assert_non_null(bytes);
    struct hf_slice big = hf_slice_of(bytes, 8000000), small = hf_slice_of(bytes, 10);
    struct hf_bytes bomb = {0};
    assert_int_equal(hf_encode(HF_GZIP, 0, &big, 1, &bomb), HF_OK);
    struct hf_slice bomb_piece = hf_slice_of(bomb.data, bomb.size);
    const struct hf_header nobody = header("authorization", "nobody", 6);
    const struct {
        struct hf_grpc_request request;
        int code;
        const char *says;
    } rows[] = {
        {{.path = "/t.S/Echo", .pieces = &big, .piece_count = 1},
         8,
         "grpc: received message larger than max (8000000 vs. 100000)"},
        {{.path = "/t.S/Echo", .pieces = &bomb_piece, .piece_count = 1, .coding = HF_GZIP},
         8,
         "grpc: received message after decompression larger than max (100001 vs. 100000)"},
        {{.path = "/t.S/None", .pieces = &small, .piece_count = 1},
         12,
         "unknown method None for service t.S"},
        {{.path = "/u.S/Echo", .pieces = &small, .piece_count = 1}, 12, "unknown service u.S"},
        {{.path = "/t.S/Echo",
          .pieces = &big,
          .piece_count = 1,
          .headers = &nobody,
          .header_count = 1},
         16,
         "who are you?"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ask ask = {.request = rows[i].request};
        ask_now(side, &ask);
        assert_string_equal(ask.message, rows[i].says);
        assert_int_equal(ask.code, rows[i].code);
        free(ask.response);
    }
    /* And the connection is as good as before. */
    struct ask ask = {.request = {.path = "/t.S/Echo", .pieces = &small, .piece_count = 1}};
    ask_now(side, &ask);
    expect_echo(&ask, bytes, 10);
    assert_int_equal(atomic_load(&side->ups), 1);
    free(ask.response);
    hf_bytes_release(&bomb);
    free(bytes);
    side_free(side);
    rig_free(rig);
}

static void ends_at_the_deadline_and_leaves_the_connection_alone(void **state)
{
    (void)state;
    struct rig *rig = rig_new(false);
    rig_start(rig);
    struct side *side = side_new(&(struct hf_grpc_client_options){.target = rig->target});
    struct ask held = {.request = {.path = "/t.S/Hold", .deadline_ns = now_ns() + 50000000}};
    ask_now(side, &held);
    assert_int_equal(held.code, 4);
    rig_let_go(rig); /* its stream is gone, or it was never taken: nobody hears it */
    struct ask late = {.request = {.path = "/t.S/Echo", .deadline_ns = 1}};
    ask_now(side, &late);
    assert_int_equal(late.code, 4);
    struct ask ask = {.request = {.path = "/t.S/Echo"}};
    ask_now(side, &ask);
    assert_int_equal(ask.code, 0);
    assert_int_equal(atomic_load(&side->ups), 1);
    free(held.response);
    free(late.response);
    free(ask.response);
    side_free(side);
    rig_free(rig);
}

struct canceller {
    struct hf_timer timer;
    struct ask *ask;
};

static void cancel_now(struct hf_timer *timer, uint64_t now)
{
    struct canceller *canceller = HF_CONTAINER(timer, struct canceller, timer);
    (void)now;
    hf_grpc_client_cancel(canceller->ask->side->client, &canceller->ask->request);
    assert_int_equal(canceller->ask->done, 1);
}

static void cancels_a_call_in_the_middle_of_its_body(void **state)
{
    (void)state;
    struct rig *rig = rig_new(false);
    rig_start(rig);
    struct side *side = side_new(&(struct hf_grpc_client_options){.target = rig->target});
    /* More than sockets and windows take at once, so that pieces of it are pending. The body is
     * freed as soon as `done` was called: the sanitizer sees whether it is still pointed at. */
    size_t size = 7000000;
    for (uint64_t delay_ns = 0; delay_ns < 20; delay_ns++) {
        uint8_t *bytes = pattern(size);
        struct hf_slice piece = hf_slice_of(bytes, size);
        struct ask ask = {.request = {.path = "/t.S/Hold", .pieces = &piece, .piece_count = 1}};
        struct canceller canceller = {.timer.fire = cancel_now, .ask = &ask};
        assert_int_equal(
            hf_loop_timer_set(side->loop, &canceller.timer, now_ns() + delay_ns * 700000), HF_OK);
        ask_now(side, &ask);
        free(bytes);
        assert_int_equal(ask.code, 1);
        free(ask.response);
        rig_let_go(rig);
    }
    struct ask after = {.request = {.path = "/t.S/Echo"}};
    ask_now(side, &after);
    assert_int_equal(after.code, 0);
    free(after.response);
    side_free(side);
    rig_free(rig);
}

static void fails_fast_when_nobody_listens(void **state)
{
    (void)state;
    struct rig *rig = rig_new(false);
    char target[128];
    snprintf(target, sizeof(target), "%s", rig->target);
    rig_start(rig);
    rig_free(rig); /* the port is free again */
    struct side *side = side_new(&(struct hf_grpc_client_options){.target = target});
    for (int i = 0; i < 3; i++) {
        uint64_t begun_ns = now_ns();
        struct ask ask = {.request = {.path = "/t.S/Echo"}};
        ask_now(side, &ask);
        assert_int_equal(ask.code, 14);
        assert_non_null(strstr(ask.message, "refused"));
        assert_true(now_ns() - begun_ns < 10 * SECOND_NS);
        free(ask.response);
    }
    assert_true(atomic_load(&side->downs) >= 1);
    side_free(side);
}

static void connects_again_when_the_server_comes_back(void **state)
{
    (void)state;
    struct rig *rig = rig_new(false);
    rig_start(rig);
    struct side *side = side_new(&(struct hf_grpc_client_options){.target = rig->target});
    struct ask ask = {.request = {.path = "/t.S/Echo"}};
    ask_now(side, &ask);
    assert_int_equal(ask.code, 0);
    free(ask.response);
    uint16_t port = rig->port;
    rig_free(rig);
    rig = rig_new(false);
    close(rig->options.listen_fd);
    rig->options.listen_fd = rig_listen_tcp(rig, port);
    rig_start(rig);
    struct ask again;
    do {
        again = (struct ask){.request = {.path = "/t.S/Echo"}};
        ask_now(side, &again);
        free(again.response);
    } while (again.code == 14);
    assert_int_equal(again.code, 0);
    assert_true(atomic_load(&side->ups) >= 2);
    side_free(side);
    rig_free(rig);
}

static void resolves_names(void **state)
{
    (void)state;
    struct rig *rig = rig_new(false);
    rig_start(rig);
    char target[64];
    for (int round_robin = 0; round_robin < 2; round_robin++) {
        snprintf(target, sizeof(target), "dns:///localhost:%u", rig->port);
        struct side *side = side_new(
            &(struct hf_grpc_client_options){.target = target, .round_robin = round_robin == 1});
        struct ask ask = {.request = {.path = "/t.S/Echo"}};
        ask_now(side, &ask);
        assert_int_equal(ask.code, 0);
        free(ask.response);
        side_free(side);
    }
    struct side *side =
        side_new(&(struct hf_grpc_client_options){.target = "no-such-host.invalid:1"});
    struct ask ask = {.request = {.path = "/t.S/Echo"}};
    ask_now(side, &ask);
    assert_int_equal(ask.code, 14);
    assert_non_null(strstr(ask.message, "no-such-host.invalid"));
    free(ask.response);
    side_free(side);
    /* Freed while the look-up is under way. */
    side_free(side_new(&(struct hf_grpc_client_options){.target = "no-such-host.invalid:1"}));
    rig_free(rig);
}

struct stopper {
    struct rig *rig;
    pthread_t thread;
    uint64_t took_ns;
};

static void *stop_gracefully(void *argument)
{
    struct stopper *stopper = argument;
    uint64_t begun_ns = now_ns();
    rig_stop(stopper->rig, 20 * SECOND_NS);
    stopper->took_ns = now_ns() - begun_ns;
    return NULL;
}

static void *stop_at_once(void *argument)
{
    rig_stop(((struct stopper *)argument)->rig, 0);
    return NULL;
}

static void *let_go_when_held(void *argument)
{
    struct rig *rig = argument;
    rig_await_held(rig, 3);
    struct stopper stopper = {.rig = rig};
    assert_int_equal(pthread_create(&stopper.thread, NULL, stop_gracefully, &stopper), 0);
    rig_let_go(rig);
    pthread_join(stopper.thread, NULL);
    assert_true(stopper.took_ns < 15 * SECOND_NS);
    return NULL;
}

static void a_stopping_server_answers_what_it_has_taken(void **state)
{
    (void)state;
    struct rig *rig = rig_new(false);
    rig_start(rig);
    struct side *side = side_new(&(struct hf_grpc_client_options){.target = rig->target});
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, let_go_when_held, rig), 0);
    struct ask asks[3];
    for (int i = 0; i < 3; i++) {
        asks[i] = (struct ask){.request = {.path = "/t.S/Hold"}};
        ask_begin(side, &asks[i]);
    }
    side_run(side);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(asks[i].code, 0);
        free(asks[i].response);
    }
    side_free(side);
    pthread_join(thread, NULL);
    rig_free(rig);
}

/* Runs until a second call has come back: the first is then on its way. */
static void ask_nudge(struct side *side)
{
    struct ask nudge = {.request = {.path = "/t.S/Echo"}};
    side->pending = 0;
    ask_now(side, &nudge);
    assert_int_equal(nudge.code, 0);
    free(nudge.response);
    side->pending = 1;
}

static void *answer_late(void *argument)
{
    struct rig *rig = argument;
    /* The connections are cut when the stop has given up on them; only then the answer comes. */
    rig_await_held(rig, 1);
    while (atomic_load(&rig->cut) == 0) {
        sched_yield();
    }
    rig_let_go(rig);
    return NULL;
}

static void a_stop_without_grace_cuts_and_late_answers_do_no_harm(void **state)
{
    (void)state;
    struct rig *rig = rig_new(false);
    rig_start(rig);
    struct side *side = side_new(&(struct hf_grpc_client_options){.target = rig->target});
    struct ask ask = {.request = {.path = "/t.S/Hold"}};
    ask_begin(side, &ask);
    ask_nudge(side);
    rig_await_held(rig, 1);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, answer_late, rig), 0);
    struct stopper stopper = {.rig = rig};
    assert_int_equal(pthread_create(&stopper.thread, NULL, stop_at_once, &stopper), 0);
    side_run(side); /* the cut is what ends the call */
    assert_int_equal(ask.code, 14);
    atomic_store(&rig->cut, 1);
    pthread_join(stopper.thread, NULL);
    pthread_join(thread, NULL);
    free(ask.response);
    side_free(side);
    rig_free(rig);
}

static void freeing_the_client_cancels_what_is_under_way(void **state)
{
    (void)state;
    struct rig *rig = rig_new(false);
    rig_start(rig);
    struct side *side = side_new(&(struct hf_grpc_client_options){.target = rig->target});
    uint8_t *bytes = pattern(3000000);
    struct hf_slice piece = hf_slice_of(bytes, 3000000);
    struct ask waiting = {.request = {.path = "/t.S/Hold", .pieces = &piece, .piece_count = 1}};
    ask_begin(side, &waiting);
    ask_nudge(side);
    struct ask fresh = {.request = {.path = "/t.S/Hold", .pieces = &piece, .piece_count = 1}};
    ask_begin(side, &fresh);
    side->pending = 5;
    hf_grpc_client_free(side->client);
    assert_int_equal(waiting.done, 1);
    assert_int_equal(waiting.code, 1);
    assert_int_equal(fresh.done, 1);
    assert_int_equal(fresh.code, 1);
    free(bytes);
    hf_loop_free(side->loop);
    free(side);
    free(waiting.response);
    free(fresh.response);
    rig_free(rig);
}

static void loses_no_call_when_connections_age(void **state)
{
    (void)state;
    struct rig *rig = rig_new(false);
    rig->options.max_connection_age_ns = 20 * 1000000;
    rig_start(rig);
    struct side *side = side_new(&(struct hf_grpc_client_options){.target = rig->target});
    while (atomic_load(&side->ups) < 4) {
        struct ask ask = {.request = {.path = "/t.S/Echo"}};
        ask_now(side, &ask);
        free(ask.response);
        /* On a machine that is slow enough, a connection can age before it was of any use. */
        assert_true(ask.code == 0 || strstr(ask.message, "lost as soon") != NULL);
    }
    side_free(side);
    rig_free(rig);
}

static int listen_somewhere(char ret_target[64])
{
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 5), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    snprintf(ret_target, 64, "127.0.0.1:%u", ntohs(address.sin_port));
    return listener;
}

/* Accepts, greets with empty SETTINGS, and never says another word. */
static int greet(int listener)
{
    int fd = accept(listener, NULL, NULL);
    assert_true(fd >= 0);
    assert_int_equal(send(fd, "\0\0\0\4\0\0\0\0\0", 9, 0), 9);
    return fd;
}

static void notices_a_server_that_went_silent(void **state)
{
    (void)state;
    char target[64];
    int listener = listen_somewhere(target);
    struct side *side = side_new(&(struct hf_grpc_client_options){
        .target = target, .keepalive_time_ns = 20000000, .keepalive_timeout_ns = 20000000});
    int fd = greet(listener);
    struct ask ask = {.request = {.path = "/t.S/Echo"}};
    ask_now(side, &ask);
    assert_int_equal(ask.code, 14);
    assert_non_null(strstr(ask.message, "keepalive"));
    free(ask.response);
    side_free(side);
    close(fd);
    close(listener);
}

static void *greet_twice(void *argument)
{
    int *fds = argument;
    fds[1] = greet(fds[0]);
    fds[2] = greet(fds[0]);
    return NULL;
}

static void replaces_a_connection_on_which_nothing_came_until_a_deadline(void **state)
{
    (void)state;
    char target[64];
    int fds[3] = {listen_somewhere(target), -1, -1};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, greet_twice, fds), 0);
    struct side *side = side_new(
        &(struct hf_grpc_client_options){.target = target, .keepalive_timeout_ns = 20000000});
    side->wanted_ups = 1;
    hf_loop_run(side->loop);
    struct ask first = {.request = {.path = "/t.S/Echo", .deadline_ns = now_ns() + 20000000}};
    ask_now(side, &first);
    assert_int_equal(first.code, 4);
    struct ask second = {.request = {.path = "/t.S/Echo"}};
    ask_begin(side, &second);
    side->wanted_ups = 2;
    while (atomic_load(&side->ups) < 2) {
        hf_loop_run(side->loop);
        assert_int_not_equal(second.code, 4); /* it has 30 seconds: the ping ends it long before */
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    side_free(side);
    free(first.response);
    free(second.response);
    for (int i = 0; i < 3; i++) {
        close(fds[i]);
    }
}

static void spreads_connections_over_the_loops(void **state)
{
    (void)state;
    enum { COUNT = 40 };
    struct rig *rig = rig_new(false);
    rig_start(rig);
    struct side *sides[COUNT];
    for (int i = 0; i < COUNT; i++) {
        sides[i] = side_new(&(struct hf_grpc_client_options){.target = rig->target});
    }
    for (int i = 0; i < COUNT; i++) {
        struct ask ask = {.request = {.path = "/t.S/Hold"}};
        ask_begin(sides[i], &ask);
        ask_nudge(sides[i]);
        rig_await_held(rig, i + 1);
        hf_grpc_client_cancel(sides[i]->client, &ask.request);
        free(ask.response);
    }
    int on_first = 0;
    for (int i = 0; i < COUNT; i++) {
        on_first += hf_grpc_call_loop(rig->held[i]) == rig->loops[0];
    }
    assert_true(on_first >= COUNT / 4 && on_first <= COUNT * 3 / 4);
    for (int i = 0; i < COUNT; i++) {
        side_free(sides[i]);
    }
    rig_free(rig);
}

static void refuses_targets_that_are_none(void **state)
{
    (void)state;
    static const char *const targets[] = {"", "host", "host:", ":1", "::1:4317", "http://h:1/x"};
    struct hf_loop *loop = NULL;
    assert_int_equal(hf_loop_new(&loop), HF_OK);
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        char error[512] = "";
        struct hf_grpc_client *client = NULL;
        const struct hf_grpc_client_options options = {.loop = loop, .target = targets[i]};
        assert_int_equal(hf_grpc_client_new(&options, &client, error), HF_INVALID);
        assert_non_null(strstr(error, "host:port"));
    }
    hf_grpc_client_free(NULL);
    hf_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echoes_messages_of_all_sizes_over_tcp),
        cmocka_unit_test(echoes_messages_of_all_sizes_over_a_socket_path),
        cmocka_unit_test(echoes_through_the_smallest_windows_and_flushes),
        cmocka_unit_test(echoes_messages_of_all_sizes_over_tls),
        cmocka_unit_test(fails_fast_with_the_reason_when_the_certificate_is_not_trusted),
        cmocka_unit_test(takes_no_answer_over_its_limit),
        cmocka_unit_test(carries_many_calls_at_once),
        cmocka_unit_test(sends_compressed_messages_as_they_are),
        cmocka_unit_test(tells_the_error_as_the_server_put_it),
        cmocka_unit_test(is_refused_what_the_server_does_not_take),
        cmocka_unit_test(ends_at_the_deadline_and_leaves_the_connection_alone),
        cmocka_unit_test(cancels_a_call_in_the_middle_of_its_body),
        cmocka_unit_test(fails_fast_when_nobody_listens),
        cmocka_unit_test(connects_again_when_the_server_comes_back),
        cmocka_unit_test(resolves_names),
        cmocka_unit_test(a_stopping_server_answers_what_it_has_taken),
        cmocka_unit_test(a_stop_without_grace_cuts_and_late_answers_do_no_harm),
        cmocka_unit_test(freeing_the_client_cancels_what_is_under_way),
        cmocka_unit_test(loses_no_call_when_connections_age),
        cmocka_unit_test(notices_a_server_that_went_silent),
        cmocka_unit_test(replaces_a_connection_on_which_nothing_came_until_a_deadline),
        cmocka_unit_test(spreads_connections_over_the_loops),
        cmocka_unit_test(refuses_targets_that_are_none),
    };
    return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
