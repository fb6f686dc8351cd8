/*
 * relief: which calls are ended when all of them together hold too much, and when memory goes back
 * to the system.
 *
 * The lane that notices wakes all lanes. Each says how slow its slowest call is, and a moment later
 * the lanes end theirs, as long as no other lane has a slower one, until enough is free.
 */
#include <malloc.h>
#include <string.h>

#include "server_internal.h"

#define PRESS_AGAIN_NS (UINT64_C(20) * 1000000)
#define COMPARE_NS (UINT64_C(10) * 1000000) /* for the other lanes to say theirs */
#define TRIM_BYTES (8u << 20)
#define TRIM_INTERVAL_NS (UINT64_C(5) * 1000000000)

static uint64_t key_of(const struct hf_grpc_call *call, uint64_t now_ns)
{
    const struct connection *connection = call->connection;
    const struct lane *lane = connection->lane;
    size_t sender_held = connection->sender != NULL
                             ? atomic_load_explicit(&connection->sender->held, memory_order_relaxed)
                             : 0;
    /* What our own closed window holds back goes last. */
    uint64_t rate = connection->arrived != 0
                        ? UINT64_MAX
                        : hf_intake_pace_rate(&call->pace, now_ns, hf_grpc_call_received(call));
    return hf_intake_key(&lane->server->limits, sender_held, rate);
}

static void consider(struct hf_intake_victims *victims, struct hf_grpc_call *call, uint64_t now_ns)
{
    if (call->state == CALL_BODY && now_ns - call->pace.begun_ns >= HF_INTAKE_YOUNG_NS) {
        hf_intake_victims_add(victims, key_of(call, now_ns), call);
    } else if (call->state == CALL_ANSWERED && !call->given_up &&
               now_ns - call->progress_ns >= HF_INTAKE_YOUNG_NS) {
        hf_intake_victims_add(victims, 0, call);
    }
}

static void find(struct lane *lane, uint64_t now_ns, struct hf_intake_victims *ret_victims)
{
    ret_victims->count = 0;
    for (struct connection *connection = lane->connections; connection != NULL;
         connection = connection->next) {
        if (connection->broken || connection->lingering) {
            continue;
        }
        for (struct hf_grpc_call *call = connection->calls; call != NULL; call = call->next) {
            consider(ret_victims, call, now_ns);
        }
    }
    atomic_store_explicit(&lane->worst_key,
                          ret_victims->count != 0 ? ret_victims->items[0].key : UINT64_MAX,
                          memory_order_relaxed);
}

static uint64_t worst_of_others(const struct lane *lane)
{
    const struct hf_grpc_server *server = lane->server;
    uint64_t lowest = UINT64_MAX;
    for (size_t i = 0; i < server->options.loop_count; i++) {
        uint64_t key = atomic_load_explicit(&server->lanes[i].worst_key, memory_order_relaxed);
        lowest = &server->lanes[i] != lane && key < lowest ? key : lowest;
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

static void set_timer(struct lane *lane, uint64_t in_ns)
{
    if (hf_loop_timer_set(lane->loop, &lane->relief, hf_loop_now_ns(lane->loop) + in_ns) != HF_OK) {
        atomic_store_explicit(&lane->worst_key, UINT64_MAX, memory_order_relaxed);
    }
}

static void on_timer(struct hf_timer *timer, uint64_t now_ns)
{
    struct lane *lane = HF_CONTAINER(timer, struct lane, relief);
    const struct hf_intake_limits *limits = &lane->server->limits;
    struct hf_intake_victims victims;
    hf_grpc_lane_sync_counts(lane);
    if (lane->held_seen <= limits->relieved) {
        atomic_store_explicit(&lane->worst_key, UINT64_MAX, memory_order_relaxed);
        return;
    }
    find(lane, now_ns, &victims);
    uint64_t others = worst_of_others(lane);
    for (size_t i = 0; i < victims.count && victims.items[i].key <= others &&
                       hf_grpc_lane_held(lane) > limits->relieved;
         i++) {
        end(victims.items[i].message);
    }
    hf_grpc_lane_sync_counts(lane);
    set_timer(lane, COMPARE_NS);
}

/* Another lane, or this one, has noticed. */
static void on_press(struct hf_task *task)
{
    struct lane *lane = HF_CONTAINER(task, struct lane, relief_task);
    struct hf_grpc_server *server = lane->server;
    struct hf_intake_victims victims;
    atomic_store(&lane->relief_posted, false);
    if (!lane->stopped && lane->relief.place == 0) {
        find(lane, hf_loop_now_ns(lane->loop), &victims);
        set_timer(lane, COMPARE_NS);
    }
    hf_ref_drop(&server->ref);
}

void hf_grpc_lane_press(struct lane *lane)
{
    struct hf_grpc_server *server = lane->server;
    uint64_t now_ns = hf_loop_now_ns(lane->loop);
    if (now_ns - lane->pressed_ns < PRESS_AGAIN_NS) {
        return;
    }
    lane->pressed_ns = now_ns;
    for (size_t i = 0; i < server->options.loop_count; i++) {
        struct lane *one = &server->lanes[i];
        if (!atomic_exchange(&one->relief_posted, true)) {
            hf_ref_take(&server->ref);
            hf_loop_post(one->loop, &one->relief_task);
        }
    }
}

void hf_grpc_lane_relief_init(struct lane *lane)
{
    lane->relief_task.run = on_press;
    lane->relief.fire = on_timer;
    atomic_init(&lane->relief_posted, false);
    atomic_init(&lane->worst_key, UINT64_MAX);
}

bool hf_grpc_lane_trim(struct lane *lane, uint64_t now_ns)
{
    struct hf_grpc_server *server = lane->server;
    size_t held = hf_grpc_lane_held(lane);
    if (lane->stopping || lane->held_peak < TRIM_BYTES) {
        return false;
    }
    if (held > lane->held_peak / 2 || lane->held_peak - held < TRIM_BYTES) {
        return true;
    }
    uint64_t trimmed_ns = atomic_load_explicit(&server->trimmed_ns, memory_order_relaxed);
    if (now_ns - trimmed_ns < TRIM_INTERVAL_NS ||
        !atomic_compare_exchange_strong(&server->trimmed_ns, &trimmed_ns, now_ns)) {
        return true;
    }
    malloc_trim(0);
    lane->held_peak = held;
    return false;
}
