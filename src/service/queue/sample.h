/*
 * sample: `queue sample`: some records, evenly spread over those that are chosen. Without a choice
 * only what is shown is read; with one, all are looked at once.
 */
#pragma once

#include <stdio.h>

#include "arguments.h"
#include "selection.h"
#include "service/service.h"

/* `arguments->most` records as hf_queue_cat(). HF_EXIT_DAMAGED: some could not be read. */
enum hf_exit hf_queue_sample(struct wal *wal, const struct hf_queue_arguments *arguments,
                             struct hf_selection *selection, FILE *out);
