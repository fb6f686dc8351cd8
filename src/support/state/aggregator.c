#include "aggregator.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/grow.h"
#include "util/loop.h"
#include "util/time/clock.h"

#define SAVE_PAUSE_NS HF_NS_PER_S
#define SAVE_PAUSE_FACTOR 20u /* times what a snapshot takes: a twentieth of the time at most */
#define RETRY_NS HF_NS_PER_S
#define MARKS_MAX 256u

/* How far one queue is folded. An input is in the snapshot when its number is not above the mark's
 * and it was not received later: numbers begin again when an operator removes a queue's files. */
struct mark {
    char *queue;
    uint64_t sequence, received_ns;             /* of what is folded: the greatest */
    uint64_t saved_sequence, saved_received_ns; /* of the snapshot that was loaded */
    bool is_folded, is_saved;
};

struct hf_aggregator {
    struct hf_aggregator_options options;
    struct hf_loop *loop;
    char *path; /* NULL: no data directory, nothing is kept */
    struct hf_timer timer;
    struct hf_output output;
    uint64_t flush_due_ns, save_due_ns; /* monotonic; UINT64_MAX: not */
    uint64_t save_earliest_ns;
    struct hf_input **waiting; /* folded, not in a snapshot yet */
    size_t waiting_count, waiting_room;
    struct mark *marks;
    size_t mark_count;
    bool is_loaded, is_foreign, is_flushing, is_stuck, is_closed, has_failed;
};

/* ---- timers ---- */

static void set_timer(struct hf_aggregator *aggregator)
{
    uint64_t due_ns = aggregator->flush_due_ns < aggregator->save_due_ns ? aggregator->flush_due_ns
                                                                         : aggregator->save_due_ns;
    if (due_ns != UINT64_MAX && !aggregator->is_closed) {
        enum hf_status set = hf_loop_timer_set(aggregator->loop, &aggregator->timer, due_ns);
        (void)set; /* it never fails for a loop's first timers */
    }
}

static void save_soon(struct hf_aggregator *aggregator)
{
    uint64_t now_ns = hf_loop_now_ns(aggregator->loop);
    uint64_t due_ns = aggregator->save_earliest_ns > now_ns ? aggregator->save_earliest_ns : now_ns;
    if (due_ns < aggregator->save_due_ns) {
        aggregator->save_due_ns = due_ns;
        set_timer(aggregator);
    }
}

void hf_aggregator_touch(struct hf_aggregator *aggregator)
{
    save_soon(aggregator);
}

/* ---- snapshots ---- */

static void save_marks(const struct hf_aggregator *aggregator, struct hf_state_writer *writer)
{
    hf_state_put_u64(writer, aggregator->mark_count);
    for (size_t i = 0; i < aggregator->mark_count; i++) {
        const struct mark *mark = &aggregator->marks[i];
        bool is_folded = mark->is_folded;
        hf_state_file_put_bytes(writer, hf_slice_text(mark->queue));
        hf_state_put_u64(writer, is_folded || mark->is_saved);
        hf_state_put_u64(writer, is_folded ? mark->sequence : mark->saved_sequence);
        hf_state_put_u64(writer, is_folded ? mark->received_ns : mark->saved_received_ns);
    }
}

static void let_go_of_inputs(struct hf_aggregator *aggregator)
{
    size_t count = aggregator->waiting_count;
    aggregator->waiting_count = 0;
    for (size_t i = 0; i < count; i++) {
        hf_input_done(aggregator->waiting[i], 0);
    }
}

/* Writes the snapshot; then the inputs are done with. */
static void save(struct hf_aggregator *aggregator)
{
    enum hf_status status = HF_OK;
    uint64_t begun_ns = hf_clock_monotonic_ns();
    aggregator->save_due_ns = UINT64_MAX;
    if (aggregator->path != NULL) {
        struct hf_state_writer writer;
        hf_state_file_write_begin(&writer, aggregator->path, aggregator->options.ops->magic);
        save_marks(aggregator, &writer);
        aggregator->options.ops->save(aggregator->options.self, &writer);
        status = hf_state_file_write_end(&writer);
    }
    uint64_t now_ns = hf_clock_monotonic_ns();
    uint64_t pause_ns = (now_ns - begun_ns) * SAVE_PAUSE_FACTOR;
    aggregator->save_earliest_ns = now_ns + (pause_ns > SAVE_PAUSE_NS ? pause_ns : SAVE_PAUSE_NS);
    if (status == HF_OK) {
        aggregator->has_failed = false;
        let_go_of_inputs(aggregator);
        return;
    }
    if (!aggregator->has_failed) {
        hf_node_log(aggregator->options.node, HF_LOG_ERROR,
                    "cannot write %s: %s; what comes stays in the queue in front until it can",
                    aggregator->path, status == HF_NOMEM ? "out of memory" : strerror(errno));
    }
    aggregator->has_failed = true;
    aggregator->save_due_ns = aggregator->save_earliest_ns;
}

/* Finds or makes the mark of a queue. NULL: out of memory. */
static struct mark *mark_of(struct hf_aggregator *aggregator, const char *queue)
{
    for (size_t i = 0; i < aggregator->mark_count; i++) {
        if (strcmp(aggregator->marks[i].queue, queue) == 0) {
            return &aggregator->marks[i];
        }
    }
    if (aggregator->mark_count == MARKS_MAX) { /* of pipelines that are gone */
        free(aggregator->marks[0].queue);
        aggregator->mark_count--;
        memmove(aggregator->marks, aggregator->marks + 1,
                aggregator->mark_count * sizeof(*aggregator->marks));
    }
    char *name = strdup(queue);
    if (name == NULL) {
        return NULL;
    }
    struct mark *mark = &aggregator->marks[aggregator->mark_count++];
    *mark = (struct mark){.queue = name};
    return mark;
}

static void load_marks(struct hf_aggregator *aggregator, struct hf_state_reader *reader)
{
    struct hf_bytes name = {0};
    uint64_t count = hf_state_get_u64(reader);
    if (count > MARKS_MAX) {
        reader->status = HF_CORRUPT;
    }
    for (uint64_t i = 0; i < count && hf_state_file_get_bytes(reader, &name); i++) {
        name.data[name.size] = '\0'; /* there is room for it */
        struct mark *mark = mark_of(aggregator, (const char *)name.data);
        if (mark == NULL) {
            reader->status = HF_NOMEM;
            break;
        }
        mark->is_saved = hf_state_get_u64(reader) != 0;
        mark->saved_sequence = hf_state_get_u64(reader);
        mark->saved_received_ns = hf_state_get_u64(reader);
    }
    hf_bytes_release(&name);
}

static void forget_marks(struct hf_aggregator *aggregator)
{
    for (size_t i = 0; i < aggregator->mark_count; i++) {
        free(aggregator->marks[i].queue);
    }
    aggregator->mark_count = 0;
}

static enum hf_status read_state(struct hf_aggregator *aggregator)
{
    struct hf_state_reader reader;
    enum hf_status status =
        hf_state_file_read_begin(&reader, aggregator->path, aggregator->options.ops->magic);
    if (status != HF_OK) {
        return status;
    }
    load_marks(aggregator, &reader);
    if (reader.status == HF_OK) {
        aggregator->options.ops->load(aggregator->options.self, &reader, &aggregator->is_foreign);
    }
    status = hf_state_file_read_end(&reader);
    if (status != HF_OK) {
        aggregator->is_foreign = false;
        forget_marks(aggregator);
        aggregator->options.ops->clear(aggregator->options.self);
    }
    return status;
}

static void flush(struct hf_aggregator *aggregator);

/* When the first input or tick comes: until then the connector of the configuration before this one
 * may have written. */
static enum hf_status load_once(struct hf_aggregator *aggregator)
{
    if (aggregator->is_loaded) {
        return HF_OK;
    }
    enum hf_status status = aggregator->path != NULL ? read_state(aggregator) : HF_NOT_FOUND;
    if (status == HF_CORRUPT) {
        hf_node_log(aggregator->options.node, HF_LOG_ERROR,
                    "%s is damaged: the sums begin again with 0, and what was not passed on of "
                    "those of before is lost",
                    aggregator->path);
    } else if (status != HF_OK && status != HF_NOT_FOUND) {
        return status;
    }
    aggregator->is_loaded = true;
    if (aggregator->is_foreign) {
        hf_node_log(aggregator->options.node, HF_LOG_INFO,
                    "the configuration has changed: the sums of before are passed on once more, "
                    "and begin again with 0");
        flush(aggregator);
    }
    return HF_OK;
}

/* ---- flushing ---- */

static void end_flush(struct hf_aggregator *aggregator)
{
    aggregator->is_flushing = false;
    aggregator->is_foreign = false;
    aggregator->options.ops->flush_end(aggregator->options.self);
    save_soon(aggregator);
    if (aggregator->options.takes_none_in_flush) {
        save(aggregator); /* the shorter the time, the rarer a kill repeats the flush */
    }
}

/* Its next batch, or its end. */
static void flush_on(struct hf_aggregator *aggregator)
{
    struct hf_batch *batch = NULL;
    enum hf_status status = aggregator->options.ops->flush_next(aggregator->options.self, &batch);
    aggregator->is_stuck = status != HF_OK;
    if (status != HF_OK) {
        aggregator->flush_due_ns = hf_loop_now_ns(aggregator->loop) + RETRY_NS;
        set_timer(aggregator);
    } else if (batch == NULL) {
        end_flush(aggregator);
    } else {
        hf_emit(aggregator->options.node, batch, &aggregator->output);
        hf_ref_drop(&batch->ref);
    }
}

static void emitted(struct hf_output *output, enum hf_status status)
{
    struct hf_aggregator *aggregator = HF_CONTAINER(output, struct hf_aggregator, output);
    if (status == HF_CLOSED) {
        aggregator->is_closed = true; /* the graph is stopping: the next one begins the flush */
        return;
    }
    if (status != HF_OK) {
        hf_node_log(aggregator->options.node, HF_LOG_ERROR, "metrics are lost: %s",
                    hf_status_row(status)->says);
    }
    flush_on(aggregator);
}

static void flush(struct hf_aggregator *aggregator)
{
    if (aggregator->is_flushing || aggregator->is_closed) {
        return;
    }
    aggregator->is_flushing = true;
    aggregator->options.ops->flush_begin(aggregator->options.self, hf_clock_unix_ns());
    flush_on(aggregator);
}

static void set_next_flush(struct hf_aggregator *aggregator, uint64_t now_ns)
{
    uint64_t interval_ns = aggregator->options.flush_interval_ns;
    uint64_t next_ns = aggregator->flush_due_ns;
    if (interval_ns == 0) {
        aggregator->flush_due_ns = UINT64_MAX;
        return;
    }
    next_ns = next_ns == UINT64_MAX || next_ns + interval_ns <= now_ns ? now_ns : next_ns;
    aggregator->flush_due_ns = next_ns + interval_ns;
}

static void tick(struct hf_timer *timer, uint64_t now_ns)
{
    struct hf_aggregator *aggregator = HF_CONTAINER(timer, struct hf_aggregator, timer);
    if (load_once(aggregator) != HF_OK) {
        aggregator->save_due_ns = now_ns + RETRY_NS;
        set_timer(aggregator);
        return;
    }
    if (aggregator->flush_due_ns <= now_ns) {
        set_next_flush(aggregator, now_ns);
        if (aggregator->is_stuck) {
            flush_on(aggregator);
        } else {
            flush(aggregator);
        }
    }
    if (aggregator->save_due_ns <= now_ns) {
        save(aggregator);
    }
    set_timer(aggregator);
}

/* ---- inputs ---- */

static bool is_in_snapshot(const struct mark *mark, const struct hf_input *input)
{
    return mark->is_saved && input->sequence <= mark->saved_sequence &&
           input->batch->received_ns <= mark->saved_received_ns;
}

static void remember(struct hf_aggregator *aggregator, struct mark *mark, struct hf_input *input)
{
    uint64_t received_ns = input->batch->received_ns;
    uint64_t before_ns = mark->is_folded ? mark->received_ns : mark->saved_received_ns;
    mark->received_ns = received_ns > before_ns ? received_ns : before_ns;
    mark->sequence = input->sequence;
    mark->is_folded = true;
    aggregator->waiting[aggregator->waiting_count++] = input;
    if (aggregator->waiting_count == 1) {
        save_soon(aggregator);
    }
    if (aggregator->options.flush_interval_ns == 0) {
        flush(aggregator);
    }
}

static bool make_room(struct hf_aggregator *aggregator)
{
    return hf_grow(&aggregator->waiting, &aggregator->waiting_room, aggregator->waiting_count + 1,
                   sizeof(struct hf_input *));
}

enum hf_status hf_aggregator_take(struct hf_aggregator *aggregator, struct hf_input *input)
{
    enum hf_status status = load_once(aggregator);
    if (status != HF_OK) {
        return status;
    }
    if (aggregator->is_closed || aggregator->is_foreign ||
        (aggregator->is_flushing && aggregator->options.takes_none_in_flush)) {
        return HF_BUSY;
    }
    struct mark *mark = mark_of(aggregator, input->queue);
    if (mark == NULL || !make_room(aggregator)) {
        return HF_NOMEM;
    }
    if (is_in_snapshot(mark, input)) {
        hf_input_done(input, 0);
        return HF_OK;
    }
    status = aggregator->options.ops->fold(aggregator->options.self, input->batch);
    if (status == HF_OK) {
        remember(aggregator, mark, input);
    } else if (status == HF_FULL) {
        flush(aggregator);
    }
    return status;
}

/* ---- life ---- */

enum hf_status hf_aggregator_new(const struct hf_aggregator_options *options,
                                 struct hf_aggregator **ret_aggregator)
{
    struct hf_aggregator *aggregator = calloc(1, sizeof(*aggregator));
    if (aggregator == NULL) {
        return HF_NOMEM;
    }
    aggregator->options = *options;
    aggregator->loop = hf_node_own_loop(options->node);
    aggregator->timer.fire = tick;
    aggregator->output.done = emitted;
    aggregator->flush_due_ns = UINT64_MAX;
    aggregator->save_due_ns = UINT64_MAX;
    aggregator->marks = calloc(MARKS_MAX, sizeof(struct mark));
    enum hf_status status =
        aggregator->marks != NULL ? hf_state_file_path(options->node, &aggregator->path) : HF_NOMEM;
    if (status != HF_OK) {
        hf_aggregator_free(aggregator);
        return status;
    }
    *ret_aggregator = aggregator;
    return HF_OK;
}

void hf_aggregator_start(struct hf_aggregator *aggregator)
{
    uint64_t now_ns = hf_clock_monotonic_ns();
    set_next_flush(aggregator, now_ns);
    set_timer(aggregator);
}

void hf_aggregator_stop(struct hf_aggregator *aggregator)
{
    hf_loop_timer_stop(aggregator->loop, &aggregator->timer);
    aggregator->is_closed = true;
    if (aggregator->is_loaded && aggregator->waiting_count > 0) {
        save(aggregator);
    }
}

void hf_aggregator_free(struct hf_aggregator *aggregator)
{
    if (aggregator == NULL) {
        return;
    }
    if (aggregator->marks != NULL) {
        forget_marks(aggregator);
    }
    free(aggregator->marks);
    free(aggregator->waiting);
    free(aggregator->path);
    free(aggregator);
}
