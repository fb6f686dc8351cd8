/*
 * status_line: one line on the terminal: received, queued, delivered, oldest; and behind it what
 * a person may want to do next: nothing came yet, or an exporter fails. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct hf_graph;
struct hf_storage;

/* The values of the last line. */
struct hf_status_line {
    uint64_t received, delivered, at_ns;
    bool has_hinted; /* that nothing came yet: once */
};

/* From here on the first line counts. */
void hf_status_line_begin(struct hf_status_line *line, struct hf_storage *store);

/* Sums all queues and prints the rates since the last call. `graph`: whose exporters are looked at.
 */
void hf_status_line_print(struct hf_status_line *line, struct hf_storage *store,
                          const struct hf_graph *graph, FILE *out);
