/* A worker: what is counted of it, its tasks and its end. It calls no other part of the server. */
#include <assert.h>

#include "server_internal.h"

#define COUNT_SYNC_BYTES (256 * 1024)
#define PRESS_AGAIN_NS (UINT64_C(20) * 1000000)

/* ---- counts ---- */

void hf_grpc_worker_sync_counts(struct grpc_worker *worker)
{
    struct hf_grpc_server *server = worker->server;
    /* Negative changes wrap around, and so does the sum: back to what it should be. */
    size_t held = (size_t)worker->held_change, whole = (size_t)worker->whole_change;
    worker->held_seen =
        atomic_fetch_add_explicit(&server->held_bytes, held, memory_order_relaxed) + held;
    worker->whole_seen =
        atomic_fetch_add_explicit(&server->whole_bytes, whole, memory_order_relaxed) + whole;
    worker->held_change = worker->whole_change = 0;
    worker->held_peak =
        worker->held_seen > worker->held_peak ? worker->held_seen : worker->held_peak;
}

void hf_grpc_worker_look(struct grpc_worker *worker)
{
    struct hf_grpc_server *server = worker->server;
    worker->held_seen = atomic_load_explicit(&server->held_bytes, memory_order_relaxed);
    worker->whole_seen = atomic_load_explicit(&server->whole_bytes, memory_order_relaxed);
}

void hf_grpc_worker_count(struct grpc_worker *worker, ptrdiff_t held, ptrdiff_t whole)
{
    worker->held_change += held;
    worker->whole_change += whole;
    if (worker->held_change > COUNT_SYNC_BYTES || worker->held_change < -COUNT_SYNC_BYTES) {
        hf_grpc_worker_sync_counts(worker);
    }
}

size_t hf_grpc_worker_held(const struct grpc_worker *worker)
{
    return worker->held_seen + (size_t)worker->held_change;
}

bool hf_grpc_worker_may_open(const struct grpc_worker *worker)
{
    /* With nothing whole, waiting would be for ever: what is under way must be let in. Messages
     * that senders leave unfinished close no window: they are ended. */
    const struct hf_intake_limits *limits = &worker->server->limits;
    size_t whole = worker->whole_seen + (size_t)worker->whole_change;
    return whole == 0 ||
           (whole <= limits->total / 2 && hf_grpc_worker_held(worker) <= limits->soft);
}

void hf_grpc_server_handed(struct grpc_worker *worker, int change)
{
    size_t before = worker->handed;
    worker->handed = change > 0 ? before + 1 : before - 1;
    if (before == 0) {
        hf_ref_take(&worker->server->ref);
    } else if (worker->handed == 0) {
        hf_grpc_worker_settle(worker);
        hf_ref_drop(&worker->server->ref);
    }
}

void hf_grpc_server_report(const struct connection *connection, const char *what)
{
    const struct hf_grpc_server_options *options = &connection->worker->server->options;
    if (options->on_error != NULL) {
        options->on_error(options->user, connection->peer, what);
    }
}

/* ---- tasks ---- */

void hf_grpc_worker_defer(struct grpc_worker *worker, struct hf_task *task)
{
    hf_ref_take(&worker->server->ref);
    hf_loop_defer(worker->loop, task);
}

void hf_grpc_worker_set_tick(struct grpc_worker *worker, uint64_t in_ns)
{
    /* There are connections, so it is set, or was until it fired: its place is there. */
    enum hf_status status =
        hf_loop_timer_set(worker->loop, &worker->tick, hf_loop_now_ns(worker->loop) + in_ns);
    assert(status == HF_OK);
    (void)status;
}

void hf_grpc_worker_press(struct grpc_worker *worker)
{
    struct hf_grpc_server *server = worker->server;
    uint64_t now_ns = hf_loop_now_ns(worker->loop);
    if (now_ns - worker->pressed_ns < PRESS_AGAIN_NS) {
        return;
    }
    worker->pressed_ns = now_ns;
    for (size_t i = 0; i < server->options.loop_count; i++) {
        struct grpc_worker *one = &server->workers[i];
        if (!atomic_exchange(&one->relief_posted, true)) {
            hf_ref_take(&server->ref);
            hf_loop_post(one->loop, &one->relief_task);
        }
    }
}

/* ---- the end ---- */

static bool is_settled(const struct grpc_worker *worker)
{
    return worker->stopping && !worker->stopped && worker->connections == NULL &&
           worker->handed == 0 && !worker->flush_deferred;
}

static void settle(struct grpc_worker *worker)
{
    struct hf_grpc_server *server = worker->server;
    if (!is_settled(worker)) {
        return;
    }
    worker->stopped = true;
    hf_loop_timer_stop(worker->loop, &worker->tick);
    hf_loop_timer_stop(worker->loop, &worker->relief);
    hf_grpc_worker_sync_counts(worker);
    pthread_mutex_lock(&server->lock);
    bool last = --server->lanes_ending == 0;
    pthread_mutex_unlock(&server->lock);
    if (last && server->options.on_end != NULL) {
        server->options.on_end(server->options.user);
    }
    pthread_mutex_lock(&server->lock);
    server->workers_running--;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

void hf_grpc_worker_settle_now(struct hf_task *task)
{
    struct grpc_worker *worker = HF_CONTAINER(task, struct grpc_worker, settle_task);
    worker->settle_deferred = false;
    settle(worker);
    hf_ref_drop(&worker->server->ref);
}

void hf_grpc_worker_settle(struct grpc_worker *worker)
{
    /* At the end of the turn, when no caller up the stack uses the worker any more. */
    if (is_settled(worker) && !worker->settle_deferred) {
        worker->settle_deferred = true;
        hf_grpc_worker_defer(worker, &worker->settle_task);
    }
}
