/*
 * status_line: one line on the terminal: received, queued, delivered, oldest. Owned by one
 * thread.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

struct hf_storage;

/* The values of the last line. */
struct hf_status_line {
    uint64_t received, delivered, at_ns;
};

/* From here on the first line counts. */
void hf_status_line_begin(struct hf_status_line *line, struct hf_storage *store);

/* Sums all queues and prints the rates since the last call. */
void hf_status_line_print(struct hf_status_line *line, struct hf_storage *store, FILE *out);
