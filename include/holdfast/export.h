/*
 * export: one request on its way to a backend.
 *
 * The delivery (one thread per exporter) takes neighbouring records off the queue, batches them as
 * configured, and lends them to the exporter's `send`. The exporter answers with hf_export_done()
 * on the same thread, at once or later; the delivery then acknowledges, waits and repeats, splits,
 * or moves to the dead letters. An exporter never retries.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "batch.h"
#include "slice.h"
#include "status.h"

struct hf_export_body {
    struct hf_slice wire;
    enum hf_coding coding;
    uint32_t items;
    uint64_t raw_size; /* of the body when decoded */
    uint64_t received_ns;
};

struct hf_outcome;

/* Neighbouring items of a request that are neighbours in one record of the queue as well: with the
 * queue's name this tells an item from all others, and says the same of it at every attempt. */
struct hf_export_range {
    uint64_t sequence;    /* of the record in its queue */
    uint64_t received_ns; /* Unix time of the record's receipt */
    uint32_t first;       /* the place of the first of them in the record */
    uint32_t count;
    uint32_t record_items; /* of the whole record */
    /* Of the record (wal.h): with `sequence` its name, for ever. 16 bytes, all zero: not known. */
    const uint8_t *origin;
};

struct hf_export {
    enum hf_signal signal;
    uint32_t items;    /* of all bodies */
    uint64_t raw_size; /* of all bodies */
    const struct hf_export_body *bodies;
    size_t body_count;                    /* at least 1 */
    const struct hf_export_range *ranges; /* of all items, in their order */
    size_t range_count;
    const char *queue;    /* its name: that of the pipeline, "" for requeued dead letters */
    struct hf_slice meta; /* what all its records have in common */
    uint64_t deadline_ns; /* monotonic; when this attempt times out, 0: never */
    unsigned attempt;     /* 1 is the first */
    void *exporter_data;  /* the exporter's own, NULL at first */
    bool is_probe;        /* of `holdfast check`: it has no items, and is to be sent all the same */
    /* The caller's, in place of the delivery's end of it; NULL: the delivery. */
    void (*done)(struct hf_export *export, const struct hf_outcome *outcome);
};

/*
 * The outcome of some neighbouring items, which are counted from 0 through all bodies. `status` as
 * in struct hf_outcome: those to be tried again become a request of their own, those never to be
 * repeated go to the dead letters, with HF_TOO_LARGE too.
 */
struct hf_item_outcome {
    uint32_t first, count;
    enum hf_status status;
    int code;            /* as in struct hf_outcome */
    const char *message; /* likewise */
    /*
     * For an exporter with several backends; 0: none. Items of the same group were one request to
     * one backend, and `status` is about that request, as in struct hf_outcome. When it is to be
     * tried again, these items wait on disk by the backoff of their group while the others of the
     * queue go on; one request of the group probes first. At most HF_EXPORT_GROUPS_MAX groups fail
     * at a time.
     */
    uint32_t group;
    bool is_suspect;         /* of a group, as in struct hf_outcome */
    uint64_t retry_after_ns; /* likewise */
};
#define HF_EXPORT_GROUPS_MAX 4096u

struct hf_outcome {
    /*
     * HF_OK
     *     delivered (less `rejected_items`)
     * HF_AGAIN, HF_DEADLINE, HF_IO, HF_FULL, HF_BUSY, HF_NOMEM
     *     try again with backoff
     * HF_UNAUTHENTICATED, HF_FORBIDDEN, HF_NOT_FOUND, HF_UNSUPPORTED
     *     the same, and the exporter is unhealthy: a credential or an endpoint that is wrong must
     *     not cost data
     * HF_TOO_LARGE
     *     halve it and send the halves
     * HF_INVALID, HF_EXISTS, HF_CORRUPT
     *     never to be repeated: isolate the bad record, then to the dead letters with `message`.
     *     HF_INVALID with `code` 0: no request can be formed of these records; no server saw it
     * HF_CLOSED
     *     the exporter is stopping: the records stay in the queue, no attempt is counted
     */
    enum hf_status status;
    bool is_suspect; /* with HF_AGAIN: the server failed, and this request may be why (500) */
    uint64_t retry_after_ns; /* the backend's own word; 0: none */
    uint64_t rejected_items; /* partial success, when the backend does not say which */
    /* With HF_OK, a backend that answers per item: the items that it did not take, ascending and
     * without overlap. All others are delivered. Borrowed for the call. */
    const struct hf_item_outcome *items;
    size_t item_count;
    int code; /* gRPC or HTTP code for the log and the dead letter; 0: none */
    const char
        *message; /* the backend's words or what went wrong; borrowed for the call; may be NULL */
};

/* The delivery's thread, once for each hf_export lent. `export` and its bodies are gone after it.
 */
void hf_export_done(struct hf_export *export, const struct hf_outcome *outcome);
