/* Client against server over real sockets: what goes in comes out, and every way for it not to. */
#include "client_fixture.h"

static void expect_echo(const struct ask *ask, const uint8_t *bytes, size_t size)
{
    assert_string_equal(ask->message, "");
    assert_int_equal(ask->code, 0);
    assert_int_equal(ask->size, size);
    assert_memory_equal(ask->response, bytes, size);
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
    };
    return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
