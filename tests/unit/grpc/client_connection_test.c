/* Connections of a client: made, lost, made again, and ended while calls are on their way. */
#include "client_fixture.h"

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
