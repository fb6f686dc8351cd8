#include "delivery_state.h"

#include <string.h>

#include "util/log/log.h"

double hf_delivery_draw(struct hf_delivery *delivery)
{
    /* xorshift64*: jitter needs no more. */
    delivery->random ^= delivery->random >> 12;
    delivery->random ^= delivery->random << 25;
    delivery->random ^= delivery->random >> 27;
    return (double)((delivery->random * UINT64_C(2685821657736338717)) >> 11) * 0x1.0p-53;
}

void hf_delivery_set_unhealthy(struct hf_delivery *delivery, const char *why)
{
    if (!atomic_exchange(&delivery->unhealthy, true)) {
        hf_node_log_keys(delivery->node, HF_LOG_ERROR, "unhealthy; the data stays in the queue",
                         HF_LOG_KEYS(HF_LOG_TEXT("error", why)));
    }
}

void hf_delivery_pump_later(struct hf_delivery *delivery)
{
    if (!delivery->pump_deferred) {
        delivery->pump_deferred = true;
        hf_loop_defer(delivery->loop, &delivery->pump_task);
    }
}

void hf_queue_reader_wake(void *user)
{
    struct queue_reader *reader = user;
    hf_loop_post(reader->delivery->loop, &reader->wake);
}

const char *hf_outcome_message(const struct hf_outcome *outcome)
{
    return outcome->message != NULL && outcome->message[0] != '\0'
               ? outcome->message
               : hf_status_row(outcome->status)->says;
}

struct sum {
    const char *name;
    int64_t sizer;
    uint64_t queued;
};

static void add_up(void *user, const struct wal_consumer_stat *stat)
{
    struct sum *sum = user;
    if (strcmp(stat->name, sum->name) == 0) {
        const struct wal_amount *queued = &stat->accounting.queued;
        sum->queued += sum->sizer == HF_SIZER_REQUESTS ? queued->records
                       : sum->sizer == HF_SIZER_ITEMS  ? queued->items
                                                       : queued->bytes;
    }
}

uint64_t hf_delivery_queued(const struct hf_delivery *delivery, int64_t sizer)
{
    struct sum sum = {.name = delivery->node->id, .sizer = sizer};
    struct hf_storage *store = delivery->node->host->store;
    hf_storage_hold(store);
    for (const struct queue_reader *reader = delivery->readers; reader != NULL;
         reader = reader->next) {
        struct wal *wal = atomic_load(&reader->wal);
        enum wal_status status = wal != NULL ? wal_consumer_each(wal, add_up, &sum) : WAL_OK;
        (void)status; /* a number that misses one queue */
    }
    hf_storage_release(store);
    return sum.queued;
}

void hf_delivery_failed(struct hf_delivery *delivery, const struct hf_outcome *outcome,
                        uint64_t wait_ns)
{
    delivery->is_out = true;
    hf_exporter_history_failed(delivery->history, outcome->status, outcome->code,
                               hf_outcome_message(outcome), wait_ns);
}

void hf_delivery_recovered(struct hf_delivery *delivery)
{
    if (delivery->is_out) {
        delivery->is_out = false;
        hf_exporter_history_recovered(delivery->history,
                                      hf_delivery_queued(delivery, HF_SIZER_ITEMS));
    }
}
