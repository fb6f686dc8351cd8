/*
 * exporter_history: what went wrong between each exporter and its backend: the last error, and the
 * outages. Kept by the exporter's id for the life of the process, so a reload does not forget it.
 *
 * Deliveries write, the control protocol reads; any thread. All lists are bounded: the oldest
 * outage makes room for the newest. Only failures and recoveries come here, never a delivered
 * request.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/status.h>

#define HF_HISTORY_EXPORTERS_MAX 4096u
#define HF_HISTORY_OUTAGES_MAX 16u
#define HF_HISTORY_MESSAGE_MAX 256u

struct hf_exporter_histories;
struct hf_exporter_history;

struct hf_exporter_failure {
    uint64_t time_ns; /* Unix time; 0: nothing has failed */
    enum hf_status status;
    int code; /* of the protocol; 0: none */
    char message[HF_HISTORY_MESSAGE_MAX];
};

struct hf_exporter_outage {
    uint64_t from_ns, to_ns; /* Unix time; `to_ns` 0: it lasts */
    uint64_t held_items;     /* queued when it ended; 0 while it lasts */
};

struct hf_exporter_look {
    struct hf_exporter_failure last_error;   /* for now: it is tried again */
    struct hf_exporter_failure last_refusal; /* for good: a dead letter, or dropped */
    uint64_t next_attempt_ns;                /* Unix time; 0: nothing waits for it */
    uint64_t attempts_failed;                /* since the outage began */
    bool is_out;
    struct hf_exporter_outage outages[HF_HISTORY_OUTAGES_MAX]; /* oldest first */
    size_t outage_count;
};

/* HF_NOMEM. */
HF_MUST_USE enum hf_status hf_exporter_histories_new(struct hf_exporter_histories **ret_histories);
/* NULL is nothing. */
void hf_exporter_histories_free(struct hf_exporter_histories *histories);

/* The history of that exporter, made when first asked for; lives as long as `histories`. NULL: out
 * of memory, too many exporters, or `histories` is NULL. The functions below accept NULL. */
struct hf_exporter_history *hf_exporter_history_of(struct hf_exporter_histories *histories,
                                                   const char *id);

/* An attempt failed for now; the next one comes in `wait_ns`. Begins an outage, or goes on with it.
 * `message` is cut. */
void hf_exporter_history_failed(struct hf_exporter_history *history, enum hf_status status,
                                int code, const char *message, uint64_t wait_ns);
/* The backend refused something for good: not an outage. */
void hf_exporter_history_refused(struct hf_exporter_history *history, enum hf_status status,
                                 int code, const char *message);
/* The backend took data again, with that many items still queued. */
void hf_exporter_history_recovered(struct hf_exporter_history *history, uint64_t held_items);

/* All zero for NULL. */
void hf_exporter_history_look(struct hf_exporter_history *history,
                              struct hf_exporter_look *ret_look);
