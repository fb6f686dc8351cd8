/*
 * suggest: the known word nearest to a wrong one. Pure; any thread.
 */
#pragma once

#include <stddef.h>

struct hf_suggestion {
    const char *word; /* the one to be matched, borrowed */
    const char *best; /* the nearest candidate so far, borrowed; NULL: none is near enough */
    size_t distance;
};

/* Offers one candidate. Case, '-' and '_' do not count. */
void hf_suggest(struct hf_suggestion *suggestion, const char *candidate);
