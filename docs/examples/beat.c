/*
 * beat: a receiver that makes a log record at regular intervals, as a scraper or a tailer would.
 *
 * It works on one of the loops that receivers share, and blocks nowhere: the answer comes from the
 * committer's thread and is posted to the loop. While a record is not accepted, it is kept and
 * offered again, and no other is made.
 */
#include <errno.h>
#include <inttypes.h>
#include <semaphore.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "pdata/any_make.h"
#include "pdata/document.h"
#include "pdata/message.h"
#include "util/loop.h"
#include "util/time/clock.h"

/* Field numbers of OTLP. */
enum { RESOURCE_LOGS = 1, SCOPE_LOGS = 2, LOG_RECORDS = 2, LOG_TIME = 1, LOG_BODY = 5 };

struct beat_config {
    uint64_t interval_ns;
};

/* Owned by the loop's thread from start until stop. */
struct beat {
    struct hf_node *node;
    const struct beat_config *config;
    struct hf_loop *loop;
    struct hf_timer timer;
    struct hf_task begin, end;
    struct hf_reply reply;
    struct hf_task answer; /* posted by the reply */
    enum hf_status answered;
    struct hf_batch *batch; /* not accepted yet; NULL: none */
    bool waiting;           /* for the answer */
    bool stopping;
    uint64_t count;
    sem_t stopped;
};

static void fill(struct hf_document *document, uint64_t number)
{
    char text[64];
    struct hf_any_maker maker = {.arena = hf_document_arena(document)};
    struct hf_message *resource = hf_message_append(hf_document_root(document), RESOURCE_LOGS);
    struct hf_message *record =
        hf_message_append(hf_message_append(resource, SCOPE_LOGS), LOG_RECORDS);
    snprintf(text, sizeof(text), "beat %" PRIu64, number);
    hf_message_set_u64(record, LOG_TIME, hf_clock_unix_ns());
    hf_message_set_any(record, LOG_BODY, hf_any_make_string(&maker, hf_slice_text(text)));
}

/* A request of one record; NULL: out of memory. */
static struct hf_batch *make_batch(uint64_t number)
{
    struct hf_document *document = hf_document_borrow(HF_LOGS, HF_EMPTY_SLICE);
    struct hf_batch *about = hf_batch_new(HF_LOGS, 0, HF_EMPTY_SLICE); /* whose time it gets */
    struct hf_batch *batch = NULL;
    if (document != NULL && about != NULL) {
        fill(document, number);
        enum hf_status status = hf_document_batch(document, about, &batch);
        (void)status; /* without memory there is no batch */
    }
    hf_document_return(document);
    hf_ref_drop(about != NULL ? &about->ref : NULL);
    return batch;
}

static void set_timer(struct beat *beat)
{
    enum hf_status status = hf_loop_timer_set(
        beat->loop, &beat->timer, hf_loop_now_ns(beat->loop) + beat->config->interval_ns);
    if (status != HF_OK) {
        hf_node_log(beat->node, HF_LOG_ERROR, "stopped: out of memory");
    }
}

/* The committer's thread, or the loop's. */
static void reply_done(struct hf_reply *reply, enum hf_status status)
{
    struct beat *beat = HF_CONTAINER(reply, struct beat, reply);
    beat->answered = status;
    hf_loop_post(beat->loop, &beat->answer);
}

static void offer(struct beat *beat)
{
    if (beat->batch == NULL) {
        beat->batch = make_batch(++beat->count);
    }
    if (beat->batch == NULL) {
        set_timer(beat);
        return;
    }
    beat->waiting = true;
    hf_submit(beat->node, beat->batch, "timer", &beat->reply);
}

static void end_if_stopping(struct beat *beat)
{
    if (beat->stopping && !beat->waiting) {
        hf_loop_timer_stop(beat->loop, &beat->timer);
        sem_post(&beat->stopped);
    }
}

static void answered(struct hf_task *task)
{
    struct beat *beat = HF_CONTAINER(task, struct beat, answer);
    bool is_kept = beat->answered != HF_OK && hf_status_row(beat->answered)->retryable;
    beat->waiting = false;
    if (!is_kept) {
        hf_ref_drop(&beat->batch->ref);
        beat->batch = NULL;
    }
    if (beat->stopping) {
        end_if_stopping(beat);
    } else {
        set_timer(beat);
    }
}

static void fire(struct hf_timer *timer, uint64_t now_ns)
{
    (void)now_ns;
    offer(HF_CONTAINER(timer, struct beat, timer));
}

static void begin(struct hf_task *task)
{
    offer(HF_CONTAINER(task, struct beat, begin));
}

static void end(struct hf_task *task)
{
    struct beat *beat = HF_CONTAINER(task, struct beat, end);
    beat->stopping = true;
    end_if_stopping(beat);
}

static enum hf_status open_beat(struct hf_node *node, const void *config, void **ret_self,
                                char *reterr)
{
    size_t count = 0;
    struct beat *beat = calloc(1, sizeof(*beat));
    (void)reterr;
    if (beat == NULL || hf_node_add_transport(node, "timer") != HF_OK) {
        free(beat);
        return HF_NOMEM;
    }
    beat->node = node;
    beat->config = config;
    beat->loop = hf_node_loops(node, &count)[0];
    beat->timer.fire = fire;
    beat->reply.done = reply_done;
    beat->answer.run = answered;
    beat->begin.run = begin;
    beat->end.run = end;
    sem_init(&beat->stopped, 0, 0);
    *ret_self = beat;
    return HF_OK;
}

static enum hf_status start_beat(void *self, char *reterr)
{
    struct beat *beat = self;
    (void)reterr;
    hf_loop_post(beat->loop, &beat->begin);
    return HF_OK;
}

/* The main thread waits until the loop has let go of it. */
static void stop_beat(void *self)
{
    struct beat *beat = self;
    hf_loop_post(beat->loop, &beat->end);
    while (sem_wait(&beat->stopped) != 0 && errno == EINTR) {
    }
}

static void close_beat(void *self)
{
    struct beat *beat = self;
    hf_ref_drop(beat->batch != NULL ? &beat->batch->ref : NULL);
    sem_destroy(&beat->stopped);
    free(beat);
}

static const struct hf_field fields[] = {
    {.key = "interval",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct beat_config, interval_ns),
     .default_text = "1s",
     .min = 1e6,
     .max = 3600e9,
     .help = "Time between two records."},
    HF_FIELDS_END,
};

const struct hf_component hf_receiver_beat = {
    .type = "beat",
    .help = "Makes a log record at regular intervals.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_LOGS),
    .config_size = sizeof(struct beat_config),
    .fields = fields,
    .open = open_beat,
    .start = start_beat,
    .stop = stop_beat,
    .close = close_beat,
};
