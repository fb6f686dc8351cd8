/*
 * listing: prints the records of a queue: one line each, their content, and
 * whether they are whole. The queue is not changed. Any thread.
 */
#pragma once

#include <stdio.h>

#include "arguments.h"
#include "service/service.h"
#include "storage/storage.h"

/* Lists the records that are chosen, at most `most`, to `out`; ends early when `out` has no reader
 * any more. HF_EXIT_DAMAGED: some could not be shown. */
enum hf_exit hf_queue_ls(struct wal *wal, const struct hf_queue_arguments *arguments,
                         struct hf_selection *selection, FILE *out);
enum hf_exit hf_queue_cat(struct wal *wal, const struct hf_queue_arguments *arguments,
                          struct hf_selection *selection, FILE *out);

/* One record that is chosen, as hf_queue_cat() shows it. False: it is damaged. */
bool hf_queue_cat_one(const struct wal_record *record, bool damaged,
                      const struct hf_queue_arguments *arguments, struct hf_selection *selection,
                      FILE *out);

/* Reads and checks every record; one line to `out`. HF_EXIT_DAMAGED: some are damaged, or were. */
enum hf_exit hf_queue_verify(struct wal *wal, const char *kind, const char *id,
                             const struct hf_queue_arguments *arguments, FILE *out);
