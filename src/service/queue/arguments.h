/*
 * arguments: the arguments of `holdfast queue`. They are checked before a directory is
 * opened or asked, and again by the process that is asked.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "selection.h"

enum hf_queue_verb {
    HF_QUEUE_STAT,
    HF_QUEUE_LS,
    HF_QUEUE_CAT,
    HF_QUEUE_VERIFY,
    HF_QUEUE_EXPORT,
    HF_QUEUE_DROP,
    HF_QUEUE_REQUEUE,
    HF_QUEUE_ADOPT,
    HF_QUEUE_COUNT,
    HF_QUEUE_SAMPLE,
};

struct hf_queue_arguments {
    enum hf_queue_verb verb;
    /* Its plain word: a queue, an exporter to requeue, a directory to adopt; NULL: none. */
    const char *queue;
    const char *exporter, *endpoint;
    uint64_t most; /* records; at least 1 */
    struct hf_selection_options selection;
    bool json, progress;
};

/* `words` are the command's name and its arguments; the result points into them. False, with one
 * sentence in `reterr` (HF_ERROR_MAX), when they make no command. */
bool hf_queue_parse(int count, char *const *words, struct hf_queue_arguments *ret, char *reterr);

/* Does the command of that name change a queue? False also when there is none. */
bool hf_queue_changes(const char *name);

extern const char hf_queue_usage[];
