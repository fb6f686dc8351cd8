/*
 * counting: how many records of a queue are chosen, and an even sample of them. The queue is not
 * changed. Any thread.
 */
#pragma once

#include <stdio.h>

#include "arguments.h"
#include "selection.h"
#include "service/service.h"

/* One line, or a JSON map. HF_EXIT_DAMAGED: some could not be read. */
enum hf_exit hf_queue_count(struct wal *wal, const struct hf_queue_arguments *arguments,
                            struct hf_selection *selection, FILE *out);
