#include "delivery_state.h"

#include "util/log.h"

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
