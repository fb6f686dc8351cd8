/*
 * tail_words: the words of `tail`.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "node/taps.h"

struct hf_tail_words {
    struct hf_tap_options point;
    const char *where; /* NULL: everything */
    uint64_t percent;  /* of a core that it may take */
    uint64_t limit;    /* batches shown; UINT64_MAX: no limit */
    uint64_t for_ns;   /* UINT64_MAX: until the reader goes */
    bool json;
};

/* False, with one sentence in `reterr` (HF_ERROR_MAX). `words` begin with the command's name; the
 * result points into them. */
bool hf_tail_parse(int count, char *const *words, struct hf_tail_words *ret_words, char *reterr);
