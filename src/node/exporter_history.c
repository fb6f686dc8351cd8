#include "exporter_history.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/time/clock.h"

struct hf_exporter_history {
    struct hf_exporter_history *next;
    char *id;
    pthread_mutex_t lock; /* guards the one below */
    struct hf_exporter_look look;
};

struct hf_exporter_histories {
    pthread_mutex_t lock; /* guards the list */
    struct hf_exporter_history *first;
    size_t count;
};

enum hf_status hf_exporter_histories_new(struct hf_exporter_histories **ret_histories)
{
    struct hf_exporter_histories *histories = calloc(1, sizeof(*histories));
    if (histories == NULL) {
        return HF_NOMEM;
    }
    pthread_mutex_init(&histories->lock, NULL);
    *ret_histories = histories;
    return HF_OK;
}

void hf_exporter_histories_free(struct hf_exporter_histories *histories)
{
    if (histories == NULL) {
        return;
    }
    while (histories->first != NULL) {
        struct hf_exporter_history *history = histories->first;
        histories->first = history->next;
        pthread_mutex_destroy(&history->lock);
        free(history->id);
        free(history);
    }
    pthread_mutex_destroy(&histories->lock);
    free(histories);
}

/* Under the lock of the list. */
static struct hf_exporter_history *add(struct hf_exporter_histories *histories, const char *id)
{
    struct hf_exporter_history *history = NULL;
    if (histories->count < HF_HISTORY_EXPORTERS_MAX) {
        history = calloc(1, sizeof(*history));
    }
    if (history == NULL) {
        return NULL;
    }
    history->id = strdup(id);
    if (history->id == NULL) {
        free(history);
        return NULL;
    }
    pthread_mutex_init(&history->lock, NULL);
    history->next = histories->first;
    histories->first = history;
    histories->count++;
    return history;
}

struct hf_exporter_history *hf_exporter_history_of(struct hf_exporter_histories *histories,
                                                   const char *id)
{
    if (histories == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&histories->lock);
    struct hf_exporter_history *history = histories->first;
    while (history != NULL && strcmp(history->id, id) != 0) {
        history = history->next;
    }
    if (history == NULL) {
        history = add(histories, id);
    }
    pthread_mutex_unlock(&histories->lock);
    return history;
}

static struct hf_exporter_failure failure(enum hf_status status, int code, const char *message)
{
    struct hf_exporter_failure failure = {
        .time_ns = hf_clock_unix_ns(), .status = status, .code = code};
    snprintf(failure.message, sizeof(failure.message), "%s", message != NULL ? message : "");
    return failure;
}

static void begin_outage(struct hf_exporter_look *look, uint64_t now_ns)
{
    if (look->outage_count == HF_HISTORY_OUTAGES_MAX) {
        look->outage_count--;
        memmove(&look->outages[0], &look->outages[1],
                look->outage_count * sizeof(look->outages[0]));
    }
    look->outages[look->outage_count++] = (struct hf_exporter_outage){.from_ns = now_ns};
    look->is_out = true;
    look->attempts_failed = 0;
}

void hf_exporter_history_failed(struct hf_exporter_history *history, enum hf_status status,
                                int code, const char *message, uint64_t wait_ns)
{
    if (history == NULL) {
        return;
    }
    const struct hf_exporter_failure last = failure(status, code, message);
    pthread_mutex_lock(&history->lock);
    struct hf_exporter_look *look = &history->look;
    if (!look->is_out) {
        begin_outage(look, last.time_ns);
    }
    look->last_error = last;
    look->next_attempt_ns = last.time_ns + wait_ns;
    look->attempts_failed++;
    pthread_mutex_unlock(&history->lock);
}

void hf_exporter_history_refused(struct hf_exporter_history *history, enum hf_status status,
                                 int code, const char *message)
{
    if (history == NULL) {
        return;
    }
    const struct hf_exporter_failure last = failure(status, code, message);
    pthread_mutex_lock(&history->lock);
    history->look.last_refusal = last;
    pthread_mutex_unlock(&history->lock);
}

void hf_exporter_history_recovered(struct hf_exporter_history *history, uint64_t held_items)
{
    if (history == NULL) {
        return;
    }
    pthread_mutex_lock(&history->lock);
    struct hf_exporter_look *look = &history->look;
    if (look->is_out) {
        struct hf_exporter_outage *outage = &look->outages[look->outage_count - 1];
        outage->to_ns = hf_clock_unix_ns();
        outage->held_items = held_items;
        look->is_out = false;
        look->next_attempt_ns = 0;
    }
    pthread_mutex_unlock(&history->lock);
}

void hf_exporter_history_look(struct hf_exporter_history *history,
                              struct hf_exporter_look *ret_look)
{
    *ret_look = (struct hf_exporter_look){.is_out = false};
    if (history == NULL) {
        return;
    }
    pthread_mutex_lock(&history->lock);
    *ret_look = history->look;
    pthread_mutex_unlock(&history->lock);
}
