/*
 * answer: what a backend says of each document of a bulk request, as outcomes of items.
 *
 * A document that is there already (409) is delivered: it is what an attempt before this one wrote.
 * Of an item with several documents the worst counts, and what may be tried again wins over what
 * may not: at the next attempt the others are there already. Owned by one thread: zeroed at first,
 * hf_bulk_answer_release() at last.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/export.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "bulk.h"
#include "util/arena.h"

#define HF_BULK_ERROR_MAX 256u

struct hf_bulk_answer {
    struct hf_arena arena; /* the words, until the next answer */
    struct hf_item_outcome *items;
    size_t count;
};

/* Status codes of documents to be tried again, beside 429 and 5xx. */
struct hf_bulk_retry {
    const int *codes;
    size_t count;
};

/* Can the answer be all good? Then nothing need be read of it: `"errors":false` stands at its
 * beginning. */
HF_MUST_USE bool hf_bulk_answer_is_good(struct hf_slice body);

/*
 * The outcomes of the request that `bulk` built, with the items that had no room as HF_CLOSED.
 * HF_OK with `answer->items`; HF_INVALID: no answer to that request, `reterr` (HF_BULK_ERROR_MAX)
 * says why. HF_NOMEM. `body` NULL: all documents were taken.
 */
HF_MUST_USE enum hf_status hf_bulk_answer_read(struct hf_bulk_answer *answer,
                                               const struct hf_bulk *bulk,
                                               const struct hf_bulk_retry *retry,
                                               const struct hf_slice *body, char *reterr);

/* The reason of a failed request as a whole, "type: reason"; "" when the body has none. */
void hf_bulk_answer_reason(struct hf_slice body, char *ret_text, size_t room);

void hf_bulk_answer_release(struct hf_bulk_answer *answer);
