#include "offer.h"

#include <assert.h>

#include "util/time/clock.h"

#define WAIT_FIRST_NS (100 * HF_NS_PER_MS)
#define WAIT_MAX_NS (5 * HF_NS_PER_S)
#define BATCHES_MAX (sizeof(((struct hf_offer *)NULL)->batches) / sizeof(struct hf_batch *))

static void submit_first(struct hf_offer *offer)
{
    assert(!offer->in_submit && offer->count > 0);
    const struct hf_offer_place *place = &offer->places[offer->first];
    const struct hf_checkpoint checkpoint = {
        .name = hf_slice_text(place->name != NULL ? place->name : ""),
        .value = hf_slice_text(place->value),
    };
    const struct hf_submit_options options = {
        .transport = offer->transport,
        .checkpoints = &checkpoint,
        .checkpoint_count = place->name != NULL ? 1 : 0,
    };
    offer->in_submit = true;
    hf_submit_with(offer->node, offer->batches[offer->first], &options, &offer->reply);
}

/* On the committer's thread, or within hf_submit(). */
static void take_reply(struct hf_reply *reply, enum hf_status status)
{
    struct hf_offer *offer = HF_CONTAINER(reply, struct hf_offer, reply);
    atomic_store_explicit(&offer->answer, (int)status, memory_order_release);
    hf_loop_post(offer->loop, &offer->answered);
}

static struct hf_batch *take_first(struct hf_offer *offer)
{
    struct hf_batch *batch = offer->batches[offer->first];
    offer->first = (offer->first + 1) % BATCHES_MAX;
    offer->count--;
    return batch;
}

static void wait_and_offer_again(struct hf_offer *offer)
{
    offer->wait_ns = offer->wait_ns == 0 ? WAIT_FIRST_NS : offer->wait_ns * 2;
    offer->wait_ns = offer->wait_ns < WAIT_MAX_NS ? offer->wait_ns : WAIT_MAX_NS;
    enum hf_status status =
        hf_loop_timer_set(offer->loop, &offer->again, hf_loop_now_ns(offer->loop) + offer->wait_ns);
    assert(status == HF_OK && "a loop has room for its first timers");
    (void)status;
}

static void handle_answer(struct hf_task *task)
{
    struct hf_offer *offer = HF_CONTAINER(task, struct hf_offer, answered);
    enum hf_status status =
        (enum hf_status)atomic_load_explicit(&offer->answer, memory_order_acquire);
    offer->in_submit = false;
    if (status != HF_OK && hf_status_row(status)->retryable && !offer->stopping) {
        wait_and_offer_again(offer);
        return;
    }
    struct hf_batch *batch = take_first(offer);
    if (status != HF_OK) {
        hf_node_log(offer->node, offer->stopping ? HF_LOG_WARN : HF_LOG_ERROR,
                    "%u items are dropped: %s", batch->items, hf_status_row(status)->says);
    }
    hf_ref_drop(&batch->ref);
    offer->wait_ns = 0;
    if (offer->count > 0) {
        submit_first(offer);
    } else if (offer->idle != NULL) {
        offer->idle(offer);
    }
}

static void offer_again(struct hf_timer *timer, uint64_t now_ns)
{
    (void)now_ns;
    submit_first(HF_CONTAINER(timer, struct hf_offer, again));
}

void hf_offer_init(struct hf_offer *offer, struct hf_node *node, struct hf_loop *loop,
                   const char *transport, void (*idle)(struct hf_offer *offer))
{
    *offer = (struct hf_offer){.node = node, .loop = loop, .transport = transport, .idle = idle};
    offer->reply.done = take_reply;
    offer->answered.run = handle_answer;
    offer->again.fire = offer_again;
}

void hf_offer_add(struct hf_offer *offer, struct hf_batch *batch)
{
    hf_offer_add_at(offer, batch, &(struct hf_offer_place){.name = NULL});
}

void hf_offer_add_at(struct hf_offer *offer, struct hf_batch *batch,
                     const struct hf_offer_place *place)
{
    assert(hf_offer_room(offer) > 0 && !offer->stopping);
    size_t at = (offer->first + offer->count) % BATCHES_MAX;
    offer->batches[at] = batch;
    offer->places[at] = *place;
    offer->count++;
    if (offer->count == 1) {
        submit_first(offer);
    }
}

uint64_t hf_offer_stop(struct hf_offer *offer)
{
    uint64_t items = 0;
    size_t kept = offer->in_submit ? 1 : 0;
    offer->stopping = true;
    hf_loop_timer_stop(offer->loop, &offer->again);
    while (offer->count > kept) {
        struct hf_batch *batch = offer->batches[(offer->first + offer->count - 1) % BATCHES_MAX];
        offer->count--;
        items += batch->items;
        hf_ref_drop(&batch->ref);
    }
    return items;
}
