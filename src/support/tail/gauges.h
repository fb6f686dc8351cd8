/*
 * gauges: how many files receivers of files have open, and how many have unread lines. Those that
 * count under one id add up. Owned by one thread.
 */
#pragma once

#include <holdfast/node.h>
#include <holdfast/status.h>

#include "tail.h"

struct hf_series;

/* Zeroed at first. */
struct hf_tail_gauges {
    struct hf_series *open_files, *reading_files;
    struct hf_tail_stat shown; /* this one's part of them */
};

/* HF_NOMEM. */
HF_MUST_USE enum hf_status hf_tail_gauges_init(struct hf_tail_gauges *gauges,
                                               const struct hf_node *node);
void hf_tail_gauges_show(struct hf_tail_gauges *gauges, const struct hf_tail_stat *stat);
/* Its part is zero from then on. Nothing when they are not there. */
void hf_tail_gauges_release(struct hf_tail_gauges *gauges);
