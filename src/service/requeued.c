#include "requeued.h"

#include "../util/log.h"
#include "sender_internal.h"

#define OPEN_AGAIN_NS UINT64_C(1000000000)

/* The sender's loop. */
static void begin(struct hf_task *task)
{
    struct hf_sender *sender = HF_CONTAINER(task, struct hf_sender, requeue_task);
    hf_lane_pump(sender->requeued);
}

/* Any thread. */
static void made(void *user, struct wal *wal)
{
    struct hf_sender *sender = user;
    atomic_store(&sender->requeued->wal, wal);
    hf_loop_post(sender->loop, &sender->requeue_task);
}

enum hf_status hf_requeued_new(struct hf_sender *sender)
{
    sender->requeued = hf_sender_new_lane(sender, NULL);
    sender->requeue_task.run = begin;
    sender->watch =
        (struct hf_requeue_watch){.exporter = sender->node->id, .made = made, .user = sender};
    return sender->requeued != NULL ? HF_OK : HF_NOMEM;
}

/* An operator who drops the requeued letters has the consumer for that time: then, as after any
 * other failure, it is tried again. */
static bool open_consumer(struct lane *lane)
{
    struct hf_sender *sender = lane->sender;
    const struct wal_consumer_options options = {
        .name = sender->node->id, .from_oldest = true, .wake = hf_lane_wake, .user = lane};
    enum wal_status status = wal_consumer_open(atomic_load(&lane->wal), &options, &lane->consumer);
    if (status != WAL_OK) {
        lane->consumer = NULL;
        lane->failing = true;
        lane->resume_ns = hf_loop_now_ns(sender->loop) + OPEN_AGAIN_NS;
        hf_node_log(sender->node, HF_LOG_WARN,
                    "cannot open the requeued dead letters yet, trying again: %s",
                    wal_status_text(status));
        return false;
    }
    lane->failing = false;
    return true;
}

bool hf_requeued_is_open(struct lane *lane)
{
    if (lane->consumer != NULL) {
        return true;
    }
    bool is_due = !lane->failing || hf_loop_now_ns(lane->sender->loop) >= lane->resume_ns;
    return atomic_load(&lane->wal) != NULL && is_due && open_consumer(lane);
}

void hf_requeued_watch(struct hf_sender *sender)
{
    struct wal *wal =
        hf_store_watch_requeue(hf_graph_host(sender->node->graph)->store, &sender->watch);
    if (wal != NULL) {
        atomic_store(&sender->requeued->wal, wal);
        (void)open_consumer(sender->requeued);
    }
}

void hf_requeued_unwatch(struct hf_sender *sender)
{
    hf_store_unwatch_requeue(hf_graph_host(sender->node->graph)->store, &sender->watch);
}
