/*
 * ask: commands of the control protocol for slow pages, and their answers as JSON. The worker's
 * thread. All that is returned lives in the arena that is given, until it is released.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/control.h>

#include "view.h"
#include "json/json.h"

#define HF_CONSOLE_ANSWER_BYTES_MAX (32u << 20)

struct hf_console_reply {
    struct hf_slice text;
    int exit_code;
};

/* HF_TOO_LARGE: the answer does not fit the arena or HF_CONSOLE_ANSWER_BYTES_MAX; HF_CLOSED;
 * HF_NOMEM. `words` end with NULL. */
HF_MUST_USE enum hf_status hf_console_ask(const struct hf_node *node, const char *const *words,
                                          struct hf_arena *arena,
                                          struct hf_console_reply *ret_reply);

/* The lines of a text that are JSON maps: at most `most`; returns how many. */
size_t hf_console_read_lines(struct hf_slice text, struct hf_arena *arena,
                             const struct hf_json **ret_lines, size_t most);

/* The records of a queue from a sequence on, as `ls --json` has them; returns how many. Of dead
 * letters those that wait. */
size_t hf_console_list(const struct hf_node *node, const char *queue, uint64_t from, size_t most,
                       struct hf_arena *arena, const struct hf_json **ret_lines);
/* Their contents as OTLP/JSON, as `cat` has them: a tree for each record, NULL for one that cannot
 * be read. HF_TOO_LARGE. */
HF_MUST_USE enum hf_status hf_console_read(const struct hf_node *node, const char *queue,
                                           uint64_t from, size_t most, struct hf_arena *arena,
                                           const struct hf_json **ret_trees, size_t *ret_count);
