/*
 * relief: which calls are ended when all of them together hold too much, and when memory goes back
 * to the system.
 *
 * The worker that notices wakes all workers. Each says how slow its slowest call is, and a moment
 * later the workers end theirs, as long as no other worker has a slower one, until enough is free.
 */
#include <malloc.h>
#include <string.h>

#include "server_internal.h"

#define COMPARE_NS (UINT64_C(10) * 1000000) /* for the other workers to say theirs */
#define TRIM_BYTES (8u << 20)
#define TRIM_INTERVAL_NS (UINT64_C(5) * 1000000000)

static uint64_t key_of(const struct hf_grpc_call *call, uint64_t now_ns)
{
    const struct connection *connection = call->connection;
    const struct grpc_worker *worker = connection->worker;
    size_t sender_held = connection->sender != NULL
                             ? atomic_load_explicit(&connection->sender->held, memory_order_relaxed)
                             : 0;
    /* What our own closed window holds back goes last. */
    uint64_t rate = connection->arrived != 0
                        ? UINT64_MAX
                        : hf_intake_pace_rate(&call->pace, now_ns, hf_grpc_call_received(call));
    return hf_intake_key(&worker->server->limits, sender_held, rate);
}

static void consider(struct hf_intake_victims *victims, struct hf_grpc_call *call, uint64_t now_ns)
{
    if (hf_grpc_call_is_between(call)) {
        return; /* it holds nothing */
    }
    if (call->state == CALL_BODY && now_ns - call->pace.begun_ns >= HF_INTAKE_YOUNG_NS) {
        hf_intake_victims_add(victims, key_of(call, now_ns), call);
    } else if (call->state == CALL_ANSWERED && !call->given_up &&
               now_ns - call->progress_ns >= HF_INTAKE_YOUNG_NS) {
        hf_intake_victims_add(victims, 0, call);
    }
}

static void find(struct grpc_worker *worker, uint64_t now_ns, struct hf_intake_victims *ret_victims)
{
    ret_victims->count = 0;
    for (struct connection *connection = worker->connections; connection != NULL;
         connection = connection->next) {
        if (connection->broken || connection->discarding) {
            continue;
        }
        for (struct hf_grpc_call *call = connection->calls; call != NULL; call = call->next) {
            consider(ret_victims, call, now_ns);
        }
    }
    atomic_store_explicit(&worker->worst_key,
                          ret_victims->count != 0 ? ret_victims->items[0].key : UINT64_MAX,
                          memory_order_relaxed);
}

static uint64_t worst_of_others(const struct grpc_worker *worker)
{
    const struct hf_grpc_server *server = worker->server;
    uint64_t lowest = UINT64_MAX;
    for (size_t i = 0; i < server->options.loop_count; i++) {
        uint64_t key = atomic_load_explicit(&server->workers[i].worst_key, memory_order_relaxed);
        lowest = &server->workers[i] != worker && key < lowest ? key : lowest;
    }
    return lowest;
}

static void end(struct hf_grpc_call *call)
{
    if (call->state == CALL_ANSWERED) {
        hf_grpc_call_give_up(call);
    } else {
        hf_grpc_call_refuse_for_now(
            call, "too much is being received at the moment, and this came slowest");
    }
}

static void set_timer(struct grpc_worker *worker, uint64_t in_ns)
{
    if (hf_loop_timer_set(worker->loop, &worker->relief, hf_loop_now_ns(worker->loop) + in_ns) !=
        HF_OK) {
        atomic_store_explicit(&worker->worst_key, UINT64_MAX, memory_order_relaxed);
    }
}

static void on_timer(struct hf_timer *timer, uint64_t now_ns)
{
    struct grpc_worker *worker = HF_CONTAINER(timer, struct grpc_worker, relief);
    const struct hf_intake_limits *limits = &worker->server->limits;
    struct hf_intake_victims victims;
    hf_grpc_worker_sync_counts(worker);
    if (worker->held_seen <= limits->relieved) {
        atomic_store_explicit(&worker->worst_key, UINT64_MAX, memory_order_relaxed);
        return;
    }
    find(worker, now_ns, &victims);
    uint64_t others = worst_of_others(worker);
    for (size_t i = 0; i < victims.count && victims.items[i].key <= others &&
                       hf_grpc_worker_held(worker) > limits->relieved;
         i++) {
        end(victims.items[i].message);
    }
    hf_grpc_worker_sync_counts(worker);
    set_timer(worker, COMPARE_NS);
}

/* Another worker, or this one, has noticed. */
static void on_press(struct hf_task *task)
{
    struct grpc_worker *worker = HF_CONTAINER(task, struct grpc_worker, relief_task);
    struct hf_grpc_server *server = worker->server;
    struct hf_intake_victims victims;
    atomic_store(&worker->relief_posted, false);
    if (!worker->stopped && worker->relief.place == 0) {
        find(worker, hf_loop_now_ns(worker->loop), &victims);
        set_timer(worker, COMPARE_NS);
    }
    hf_ref_drop(&server->ref);
}

void hf_grpc_worker_relief_init(struct grpc_worker *worker)
{
    worker->relief_task.run = on_press;
    worker->relief.fire = on_timer;
    atomic_init(&worker->relief_posted, false);
    atomic_init(&worker->worst_key, UINT64_MAX);
}

bool hf_grpc_worker_trim(struct grpc_worker *worker, uint64_t now_ns)
{
    struct hf_grpc_server *server = worker->server;
    size_t held = hf_grpc_worker_held(worker);
    if (worker->stopping || worker->held_peak < TRIM_BYTES) {
        return false;
    }
    if (held > worker->held_peak / 2 || worker->held_peak - held < TRIM_BYTES) {
        return true;
    }
    uint64_t trimmed_ns = atomic_load_explicit(&server->trimmed_ns, memory_order_relaxed);
    if (now_ns - trimmed_ns < TRIM_INTERVAL_NS ||
        !atomic_compare_exchange_strong(&server->trimmed_ns, &trimmed_ns, now_ns)) {
        return true;
    }
    malloc_trim(0);
    worker->held_peak = held;
    return false;
}
