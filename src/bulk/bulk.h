/*
 * bulk: one request of the bulk API that Elasticsearch and OpenSearch share: lines of actions and
 * documents, which item each document is of, and names of documents that are the same at every
 * attempt, so that the backend knows a document that it has.
 *
 * A name is made of the queue, the record's sequence number and time of receipt, and the item's
 * place in the record. Owned by one thread: zeroed at first, hf_bulk_release() at last; its memory
 * is kept between requests.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/export.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "pdata/json_write.h"
#include "util/compress/compress.h"

/* Of an exporter and the machine: 16 hexadecimal digits. */
#define HF_BULK_SOURCE_SIZE 16u

/* A document is of that item; it may be of several, and an item may have several. */
struct hf_bulk_tie {
    uint32_t document, item;
};

struct hf_bulk {
    struct hf_json_writer writer; /* documents are written here */
    struct hf_bulk_tie *ties;     /* in the order of documents */
    size_t tie_count, tie_capacity;
    uint32_t count;    /* of documents */
    size_t bytes_max;  /* past it no further item begins */
    uint32_t item;     /* the current one */
    uint32_t left;     /* items that had no room */
    uint64_t left_out; /* items that have no document */
    const char *why;   /* a sentence about the last of them */
    bool failed;
    /* Names of documents. */
    const struct hf_export *export;
    char prefix[HF_BULK_SOURCE_SIZE + 40];
    size_t prefix_size;
    char source[HF_BULK_SOURCE_SIZE + 1];
    size_t range;         /* of the current item */
    uint32_t range_start; /* the first item of that range */
};

/* Text that tells this exporter on this machine from all others. */
void hf_bulk_source(const char *directory, const char *exporter,
                    char ret_source[HF_BULK_SOURCE_SIZE + 1]);

/* Begins a request, which is appended to `out`. `source` is copied. */
void hf_bulk_begin(struct hf_bulk *bulk, const struct hf_export *export, const char *source,
                   struct hf_bytes *out);

/* The next item, counted from 0; false: it has no room, nor have those behind it. */
HF_MUST_USE bool hf_bulk_next_item(struct hf_bulk *bulk);
/* The current item has no document. `why` is a literal. */
void hf_bulk_leave_out(struct hf_bulk *bulk, const char *why);
/* When the record of the current item was received. */
uint64_t hf_bulk_received_ns(const struct hf_bulk *bulk);

#define HF_BULK_ID_MAX 96u

/* The name of the document `part` (0: the item itself) of the current item; empty when the request
 * does not tell where its items are from. */
struct hf_slice hf_bulk_id(struct hf_bulk *bulk, uint32_t part, char room[HF_BULK_ID_MAX]);

struct hf_bulk_action {
    const char *verb;                    /* "create", "index" */
    struct hf_slice index, id, pipeline; /* `id` and `pipeline` empty: none */
    struct hf_slice templates;           /* "dynamic_templates" as JSON; empty: none */
    bool needs_no_stream;                /* this document need not go to a data stream */
};

/* The line before a document of the current item; the caller then writes the document, an object,
 * and ends it. */
void hf_bulk_begin_document(struct hf_bulk *bulk, const struct hf_bulk_action *action);
void hf_bulk_end_document(struct hf_bulk *bulk);
/* Of another item than the current one. */
void hf_bulk_begin_document_of(struct hf_bulk *bulk, uint32_t item,
                               const struct hf_bulk_action *action);

/* The document that was begun last is of that item too. */
void hf_bulk_share_document(struct hf_bulk *bulk, uint32_t item);

HF_MUST_USE enum hf_status hf_bulk_status(const struct hf_bulk *bulk);
void hf_bulk_release(struct hf_bulk *bulk);
