/*
 * statsd_interval: the end of an interval, and that it outlives a kill.
 *
 * The store is written to a file at most a second after it has changed, and before it is handed
 * over. The file has a number, and the place that is committed with the last batch of an interval
 * says which number is delivered: a file of that number or below is not read again.
 *
 * After a reload the old receiver hands over first; lines that come meanwhile are kept as they are
 * and counted after it.
 */
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/meta.h>

#include "statsd_internal.h"
#include "util/time/clock.h"

#define SAVE_NS HF_NS_PER_S
#define SAVE_SHARE 10u /* saving takes at most this part of the time */
#define TURN_WAIT_NS (20 * HF_NS_PER_MS)
#define PLACE_NAME "flushed"

/* ---- the file ---- */

static void say_io(struct statsd *statsd, const char *what, const char *why)
{
    if (hf_log_limiter_allows(&statsd->said, what, why, hf_clock_coarse_ns())) {
        hf_node_log(statsd->node, HF_LOG_ERROR, "%s: %s: %s", statsd->path, what, why);
    }
}

static void save(struct statsd *statsd)
{
    struct hf_state_writer writer;
    uint64_t begin_ns = hf_clock_monotonic_ns();
    if (statsd->path == NULL || !statsd->is_dirty) {
        return;
    }
    hf_state_file_write_begin(&writer, statsd->path, STATSD_STATE_MAGIC);
    hf_state_put_u64(&writer, statsd->number);
    statsd_store_save(&statsd->store, &writer);
    enum hf_status status = hf_state_file_write_end(&writer);
    uint64_t end_ns = hf_clock_monotonic_ns();
    uint64_t wait_ns = SAVE_SHARE * (end_ns - begin_ns);
    statsd->save_due_ns = end_ns + (wait_ns > SAVE_NS ? wait_ns : SAVE_NS);
    if (status != HF_OK) {
        say_io(statsd, "the interval cannot be saved, and would be lost with a kill",
               hf_status_row(status)->says);
        return;
    }
    statsd->is_dirty = false;
}

struct delivered {
    uint64_t number;
    bool is_known;
};

/* The lowest of all queues. */
static void visit_place(void *user, struct hf_slice value)
{
    struct delivered *delivered = user;
    char text[24] = "";
    if (value.size != 0 && value.size < sizeof(text)) {
        memcpy(text, value.data, value.size);
        text[value.size] = '\0';
    }
    uint64_t number = strtoull(text, NULL, 10);
    if (!delivered->is_known || number < delivered->number) {
        delivered->number = number;
    }
    delivered->is_known = true;
}

static void read_file(struct statsd *statsd, uint64_t delivered)
{
    struct hf_state_reader reader;
    enum hf_status status = hf_state_file_read_begin(&reader, statsd->path, STATSD_STATE_MAGIC);
    statsd->number = delivered + 1;
    if (status == HF_NOT_FOUND) {
        return;
    }
    if (status == HF_OK) {
        uint64_t number = hf_state_get_u64(&reader);
        statsd_store_load(&statsd->store, &reader);
        status = hf_state_file_read_end(&reader);
        bool is_delivered = number <= delivered;
        statsd->number = status == HF_OK && !is_delivered ? number : statsd->number;
        if (status != HF_OK || is_delivered) {
            statsd_store_clear(&statsd->store, hf_clock_unix_ns());
        }
    }
    if (status != HF_OK) {
        say_io(statsd, "the saved interval cannot be read, and is lost",
               hf_status_row(status)->says);
    }
}

static void load(struct statsd *statsd)
{
    struct delivered delivered = {0};
    if (!hf_turn_is_mine(statsd->turn)) {
        return;
    }
    enum hf_status status =
        hf_node_checkpoint_each(statsd->node, hf_slice_text(PLACE_NAME), visit_place, &delivered);
    if (status != HF_OK) {
        hf_node_log(statsd->node, HF_LOG_ERROR, "reading what was delivered failed: %s",
                    hf_status_row(status)->says);
    }
    if (statsd->path != NULL) {
        read_file(statsd, delivered.number);
    }
    statsd->is_loaded = true;
    statsd_count_early(statsd);
}

/* ---- batches ---- */

/* The batch with the sender's address beside it, for processors that ask for it. */
static struct hf_batch *with_peer(struct statsd *statsd, struct hf_batch *batch)
{
    struct hf_meta_writer writer = {.size = 0};
    if (batch == NULL || statsd->meta_peer[0] == '\0' ||
        hf_meta_add(&writer, HF_META_PEER, HF_EMPTY_SLICE, hf_slice_text(statsd->meta_peer)) !=
            HF_OK) {
        return batch;
    }
    struct hf_batch *made =
        hf_batch_new(batch->signal, batch->raw.size, hf_slice_of(writer.bytes, writer.size));
    if (made == NULL) {
        return batch;
    }
    memcpy(hf_batch_room(made), batch->raw.data, batch->raw.size);
    hf_batch_seal(made, batch->raw.size, batch->items);
    made->received_ns = batch->received_ns;
    hf_ref_drop(&batch->ref);
    return made;
}

/* The next batch of the flush; NULL: that was all. */
static struct hf_batch *build_next(struct statsd *statsd)
{
    struct hf_batch *batch = hf_build_take(&statsd->builder);
    bool wants_peer = hf_node_wants_peer(statsd->node) && !statsd->config->ignores_host;
    uint64_t now_ns = hf_clock_unix_ns();
    while (batch == NULL && statsd->next_sender != NULL) {
        const struct statsd_sender *sender = statsd->next_sender;
        statsd_store_build(&statsd->store, sender, &statsd->builder, now_ns);
        statsd->next_sender = sender->next;
        if (wants_peer || statsd->next_sender == NULL) {
            if (hf_build_finish(&statsd->builder) != HF_OK) {
                hf_node_log(statsd->node, HF_LOG_ERROR, "no memory for a batch: it is lost");
            }
            memcpy(statsd->meta_peer, wants_peer ? sender->text : "",
                   wants_peer ? sizeof(statsd->meta_peer) : 1);
        }
        batch = hf_build_take(&statsd->builder);
    }
    batch = with_peer(statsd, batch);
    if (batch != NULL) {
        batch->received_ns = now_ns;
    }
    return batch;
}

static void begin_flush(struct statsd *statsd, uint64_t now_ns)
{
    statsd->flush_due_ns = now_ns + statsd->config->interval_ns;
    statsd->is_full = false;
    if (statsd->store.count == 0) {
        statsd->store.begun_ns = hf_clock_unix_ns();
        return;
    }
    save(statsd);
    statsd->is_flushing = true;
    statsd->next_sender = statsd->store.first;
    statsd->meta_peer[0] = '\0';
    statsd->ahead = build_next(statsd);
}

/* The batch that was prepared, and the one behind it, to know which is the last. */
static struct hf_batch *next_batch(struct statsd *statsd)
{
    struct hf_batch *batch = statsd->ahead;
    statsd->ahead = batch != NULL ? build_next(statsd) : NULL;
    statsd->sends_place = batch != NULL && statsd->ahead == NULL;
    if (statsd->sends_place) {
        snprintf(statsd->place, sizeof(statsd->place), "%llu", (unsigned long long)statsd->number);
    }
    if (statsd->ahead == NULL) {
        statsd->is_flushing = false;
        statsd->number++;
        statsd->is_dirty = false;
        statsd_store_clear(&statsd->store, hf_clock_unix_ns());
    }
    return batch;
}

struct hf_batch *statsd_collect(void *user, uint64_t now_ns, bool is_last)
{
    struct statsd *statsd = user;
    if (!statsd->is_loaded) {
        load(statsd);
    }
    if (!statsd->is_loaded) {
        return NULL;
    }
    if (!statsd->is_flushing && (is_last || statsd->is_full || statsd->flush_due_ns <= now_ns)) {
        begin_flush(statsd, now_ns);
    }
    if (statsd->is_flushing) {
        return next_batch(statsd);
    }
    if (statsd->is_dirty && statsd->save_due_ns <= now_ns) {
        save(statsd);
    }
    return NULL;
}

bool statsd_place(void *user, struct hf_checkpoint *ret_checkpoint)
{
    struct statsd *statsd = user;
    *ret_checkpoint = (struct hf_checkpoint){.name = hf_slice_text(PLACE_NAME),
                                             .value = hf_slice_text(statsd->place)};
    return statsd->sends_place;
}

uint64_t statsd_due_ns(void *user)
{
    const struct statsd *statsd = user;
    if (!statsd->is_loaded) {
        return hf_clock_monotonic_ns() + TURN_WAIT_NS;
    }
    return statsd->is_dirty && statsd->save_due_ns < statsd->flush_due_ns ? statsd->save_due_ns
                                                                          : statsd->flush_due_ns;
}
