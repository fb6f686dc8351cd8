/*
 * document: an Export request that is open for reading and changing.
 *
 *     struct hf_document *document = hf_document_borrow(signal, raw);
 *     ... hf_document_root(document), hf_walk() ...
 *     status = hf_document_batch(document, batch, ret_batch);
 *     hf_document_return(document);
 *
 * `raw` has passed hf_scan() and outlives the document. Everything that is made for the document
 * comes from one memory with a limit, which the next document on the thread uses again: a request
 * costs no allocation when one of its size was there before. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/batch.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "message.h"
#include "util/arena.h"
#include "util/compress/compress.h"

/* What the changes of one request may take beside its own bytes. */
#define HF_DOCUMENT_LIMIT_BYTES (256u << 20)

/* A document over `raw`: the thread's spare one, or a new one. NULL: out of memory. `raw` may be
 * empty: a request that is built from nothing. */
struct hf_document *hf_document_borrow(enum hf_signal signal, struct hf_slice raw);
/* Ends it. The memory is kept for the thread's next document, up to a size. NULL is nothing. */
void hf_document_return(struct hf_document *document);

/* The request itself is the root. */
enum hf_signal hf_document_signal(const struct hf_document *document);
struct hf_message *hf_document_root(struct hf_document *document);

/* HF_NOMEM: memory has run out, so that what was read or changed is not whole. HF_INVALID: the
 * bytes are malformed. */
HF_MUST_USE enum hf_status hf_document_status(const struct hf_document *document);

/* The document's memory, for values that are set in it; and a copy of bytes in it, empty when
 * memory has run out. */
struct hf_arena *hf_document_arena(struct hf_document *document);
struct hf_slice hf_document_keep(struct hf_document *document, struct hf_slice bytes);

/* Has anything changed since it was opened? */
bool hf_document_is_changed(struct hf_document *document);

/* Items that are in it now: spans, data points, log records. */
uint32_t hf_document_items(struct hf_document *document);

/*
 * Removes scopes without items, resources without scopes, metrics without points, of those that
 * were looked into. A part of the request that was never looked into stays as it is.
 */
void hf_document_prune(struct hf_document *document);

/* Appends the request to `out`. HF_NOMEM, HF_INVALID, HF_TOO_LARGE: more than a protobuf message
 * can be. `out` is as before then. */
HF_MUST_USE enum hf_status hf_document_write(struct hf_document *document, struct hf_bytes *out);

/*
 * What a processor returns: `batch` itself with a reference taken when nothing changed, NULL when
 * no item is left, or a new batch with its metadata and time of receipt. `batch` is the one whose
 * `raw` was opened; or any other whose metadata the new one is to have.
 */
HF_MUST_USE enum hf_status hf_document_batch(struct hf_document *document, struct hf_batch *batch,
                                             struct hf_batch **ret_batch);
