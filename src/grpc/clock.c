/* What the clock says about the connections of a worker and their calls. */
#include "server_internal.h"

#define GREETING_NS (UINT64_C(20) * 1000000000)
#define STALL_NS (UINT64_C(60) * 1000000000)
#define ANSWER_NS (UINT64_C(20) * 1000000000)
#define DISCARD_NS (UINT64_C(1) * 1000000000)
#define NOTICE_NS (UINT64_C(1) * 1000000000)
/* Of each of them, while the server stops. */
#define STOPPING_NS (UINT64_C(200) * 1000000)
#define COUNT_NS (UINT64_C(30) * 1000000000)
#define CODE_DEADLINE_EXCEEDED 4
#define CODE_UNAVAILABLE 14

static void check_message(struct hf_grpc_call *call, uint64_t now_ns)
{
    const struct hf_grpc_server_options *options = &call->connection->worker->server->options;
    size_t received = hf_grpc_call_received(call);
    if (call->connection->arrived != 0 || hf_grpc_call_is_on_hold(call)) {
        /* What our own closed window holds back, or our own check, is not the client's fault. */
        call->pace.begun_ns += now_ns - call->pace.mark_ns;
    }
    bool late = hf_intake_pace_is_late(&call->pace, now_ns, received, options->message_time_ns,
                                       options->message_rate);
    hf_intake_pace_mark(&call->pace, now_ns, received);
    if (late || (call->has_timeout && now_ns >= call->deadline_ns)) {
        hf_grpc_call_refuse(call, 200,
                            &(struct hf_grpc_answer){.code = 4,
                                                     .error = late ? "the message came too slowly"
                                                                   : "context deadline exceeded"});
    }
}

/* It has no end of its own, and holds up no drain. */
static void check_conversation(struct hf_grpc_call *call, uint64_t now_ns)
{
    const struct connection *connection = call->connection;
    bool stalled = call->method->repeat_ns == 0 && connection->arrived == 0 &&
                   now_ns - call->progress_ns > STALL_NS;
    if (call->has_timeout && now_ns >= call->deadline_ns) {
        hf_grpc_conversation_end(call, CODE_DEADLINE_EXCEEDED);
    } else if (stalled || connection->drain != DRAIN_NOT) {
        hf_grpc_conversation_end(call, CODE_UNAVAILABLE);
    }
}

/* Between two messages of a stream, which ends when the server drains. */
static void check_between(struct hf_grpc_call *call, uint64_t now_ns)
{
    hf_intake_pace_begin(&call->pace, now_ns);
    if (call->has_timeout && now_ns >= call->deadline_ns) {
        hf_grpc_call_refuse(call, 200,
                            &(struct hf_grpc_answer){.code = CODE_DEADLINE_EXCEEDED,
                                                     .error = "context deadline exceeded"});
    } else if (call->connection->drain != DRAIN_NOT) {
        hf_grpc_call_submit(call, &(struct hf_grpc_answer){.code = CODE_UNAVAILABLE,
                                                           .error = "the server is draining"});
    }
}

static void check_calls(struct connection *connection, uint64_t now_ns)
{
    for (struct hf_grpc_call *call = connection->calls, *next; call != NULL; call = next) {
        next = call->next;
        uint64_t since_ns = now_ns - call->progress_ns;
        if (call->state == CALL_HEADERS && connection->arrived == 0 && since_ns > STALL_NS) {
            hf_grpc_connection_break(connection, NGHTTP2_ENHANCE_YOUR_CALM,
                                     "headers not finished in 60 s");
        } else if (call->state == CALL_BODY && call->conversation != NULL) {
            check_conversation(call, now_ns);
        } else if (hf_grpc_call_is_between(call) && !hf_grpc_call_is_on_hold(call)) {
            check_between(call, now_ns);
        } else if (call->state == CALL_BODY) {
            check_message(call, now_ns);
        } else if (call->state == CALL_ANSWERED && !call->given_up && since_ns > ANSWER_NS) {
            hf_grpc_server_report(connection, "an answer was not taken for 20 s");
            hf_grpc_call_give_up(call);
        }
    }
}

/* A stop has no time for those who do not listen; it counts from its own beginning. */
static bool is_over(const struct connection *connection, uint64_t since_ns, uint64_t usual_ns)
{
    const struct grpc_worker *worker = connection->worker;
    uint64_t now_ns = hf_loop_now_ns(worker->loop);
    if (!worker->stopping) {
        return now_ns - since_ns > usual_ns;
    }
    return now_ns - (since_ns > worker->stop_begun_ns ? since_ns : worker->stop_begun_ns) >
           STOPPING_NS;
}

/* Why it must end now, or NULL. */
static const char *overdue(const struct connection *connection, uint64_t now_ns)
{
    const struct hf_grpc_server_options *options = &connection->worker->server->options;
    if (!(connection->handshake_done && connection->settings_received) &&
        is_over(connection, connection->opened_ns, GREETING_NS)) {
        return "no HTTP/2 preface in 20 s";
    }
    if (connection->want_write && now_ns - connection->written_ns > STALL_NS) {
        return "took nothing for 60 s";
    }
    if (connection->ping_sent && now_ns - connection->ping_ns > options->keepalive_timeout_ns) {
        return "no answer to a keepalive ping";
    }
    return NULL;
}

static void keep_alive(struct connection *connection, uint64_t now_ns)
{
    const struct hf_grpc_server_options *options = &connection->worker->server->options;
    if (!connection->ping_sent && connection->settings_received &&
        now_ns - connection->received_ns > options->keepalive_time_ns) {
        connection->ping_sent = true;
        connection->ping_ns = now_ns;
        nghttp2_submit_ping(connection->session, NGHTTP2_FLAG_NONE, NULL);
        hf_grpc_connection_dirty(connection);
    }
}

static void retire(struct connection *connection, uint64_t now_ns)
{
    const struct hf_grpc_server_options *options = &connection->worker->server->options;
    uint64_t grace_ns = options->max_connection_age_grace_ns;
    if (connection->drain == DRAIN_NOT && connection->settings_received) {
        if (options->max_connection_idle_ns != 0 && connection->call_count == 0 &&
            now_ns - connection->idle_since_ns > options->max_connection_idle_ns) {
            hf_grpc_connection_drain(connection, 0);
        } else if (connection->age_limit_ns != 0 && now_ns > connection->age_limit_ns) {
            hf_grpc_connection_drain(connection, grace_ns != 0 ? now_ns + grace_ns : 0);
        }
    } else if (connection->drain == DRAIN_NOTICED &&
               is_over(connection, connection->drain_ns, NOTICE_NS)) {
        hf_grpc_connection_drain(connection, connection->drain_end_ns);
    }
}

static void check(struct connection *connection, uint64_t now_ns)
{
    const char *why = overdue(connection, now_ns);
    bool ended =
        (connection->discarding && is_over(connection, connection->discard_since_ns, DISCARD_NS)) ||
        (connection->drain_end_ns != 0 && now_ns > connection->drain_end_ns);
    if (why != NULL || ended) {
        if (why != NULL && !connection->worker->stopping) {
            hf_grpc_server_report(connection, why);
        }
        hf_grpc_connection_kill(connection);
        return;
    }
    if (connection->discarding || connection->broken) {
        hf_grpc_connection_dirty(connection);
        return;
    }
    if (now_ns - connection->counted_since_ns > COUNT_NS) {
        connection->counted_since_ns = now_ns;
        connection->resets = connection->completed = 0;
    }
    hf_grpc_connection_open_window(connection);
    if (nghttp2_session_want_write(connection->session)) {
        hf_grpc_connection_dirty(connection);
    }
    check_calls(connection, now_ns);
    keep_alive(connection, now_ns);
    retire(connection, now_ns);
}

void hf_grpc_worker_tick(struct hf_timer *timer, uint64_t now_ns)
{
    struct grpc_worker *worker = HF_CONTAINER(timer, struct grpc_worker, tick);
    bool hurry = worker->stopping;
    worker->starving = false;
    hf_grpc_worker_sync_counts(worker);
    if (hf_grpc_worker_trim(worker, now_ns) || worker->connections != NULL) {
        /* Set before the connections are looked at: one that starves brings it forward. */
        hf_grpc_worker_set_tick(worker, hurry ? HF_GRPC_HURRY_NS : worker->server->tick_ns);
    }
    for (struct connection *connection = worker->connections, *next; connection != NULL;
         connection = next) {
        next = connection->next;
        check(connection, now_ns);
    }
}
