#include "requeue.h"

#include "delivery_state.h"
#include "util/log/log.h"

#define OPEN_AGAIN_NS UINT64_C(1000000000)

/* The delivery's loop. */
static void begin(struct hf_task *task)
{
    hf_delivery_pump_later(HF_CONTAINER(task, struct hf_delivery, requeue_task));
}

/* Any thread. */
static void made(void *user, struct wal *wal)
{
    struct hf_delivery *delivery = user;
    atomic_store(&delivery->requeued->wal, wal);
    hf_loop_post(delivery->loop, &delivery->requeue_task);
}

void hf_requeued_init(struct hf_delivery *delivery, struct queue_reader *reader)
{
    delivery->requeued = reader;
    delivery->requeue_task.run = begin;
    delivery->watch =
        (struct hf_requeue_watch){.exporter = delivery->node->id, .made = made, .user = delivery};
}

/* While an operator drops requeued dead letters, the consumer is open elsewhere: then, as after any
 * other failure, it is tried again. */
static bool open_consumer(struct queue_reader *reader)
{
    struct hf_delivery *delivery = reader->delivery;
    const struct wal_consumer_options options = {.name = delivery->node->id,
                                                 .from_oldest = true,
                                                 .wake = hf_queue_reader_wake,
                                                 .user = reader};
    enum wal_status status =
        wal_consumer_open(atomic_load(&reader->wal), &options, &reader->consumer);
    if (status != WAL_OK) {
        reader->consumer = NULL;
        reader->failing = true;
        reader->resume_ns = hf_loop_now_ns(delivery->loop) + OPEN_AGAIN_NS;
        hf_node_log(delivery->node, HF_LOG_WARN,
                    "cannot open the requeued dead letters yet, trying again: %s",
                    wal_status_text(status));
        return false;
    }
    reader->failing = false;
    return true;
}

bool hf_requeued_is_open(struct queue_reader *reader)
{
    if (reader->consumer != NULL) {
        return true;
    }
    bool is_due = !reader->failing || hf_loop_now_ns(reader->delivery->loop) >= reader->resume_ns;
    return atomic_load(&reader->wal) != NULL && is_due && open_consumer(reader);
}

void hf_requeued_watch(struct hf_delivery *delivery)
{
    struct wal *wal = hf_storage_watch_requeue(delivery->node->host->store, &delivery->watch);
    if (wal != NULL) {
        atomic_store(&delivery->requeued->wal, wal);
        (void)open_consumer(delivery->requeued);
    }
}

void hf_requeued_unwatch(struct hf_delivery *delivery)
{
    hf_storage_unwatch_requeue(delivery->node->host->store, &delivery->watch);
}
