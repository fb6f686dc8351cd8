/*
 * log: lines for people and for machines, each with its component.
 *
 * A logger writes whole lines with one write(2) to each of its outputs: human text on a terminal,
 * JSON otherwise, or as configured. Repeats of one line (same component and format) are held back:
 * 10 in a window of 10 s pass, then every 100th. A meeting place: any thread; the lock is held
 * while a line is counted and written, never while it is formatted.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include <holdfast/field.h>
#include <holdfast/node.h>
#include <holdfast/status.h>

struct hf_log;

struct hf_log_options {
    enum hf_log_level level;
    const char *encoding; /* "console", "json"; NULL: console on a terminal, else JSON */
    struct hf_string_list output_paths; /* "stderr", "stdout" or files (appended); none: stderr */
    struct hf_string_map initial_fields;
};

/* HF_IO: an output cannot be opened; `reterr` (HF_ERROR_MAX) says which. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_log_new(const struct hf_log_options *options, struct hf_log **ret_log,
                                      char *reterr);
void hf_log_free(struct hf_log *log);

/* Takes over level, encoding and outputs; lines being written are not torn. Errors as above: the
 * log stays as it was. */
HF_MUST_USE enum hf_status hf_log_change(struct hf_log *log, const struct hf_log_options *options,
                                         char *reterr);

/* Gets each line that is written, with its fields as members of a JSON object without its braces.
 * Called under the log's lock: it must not log and not block. Embed it. */
struct hf_log_sink {
    void (*take)(struct hf_log_sink *sink, enum hf_log_level level, const char *component,
                 const char *message, const char *fields);
};

/* NULL: none. After the change the one before is not called any more. */
void hf_log_set_sink(struct hf_log *log, struct hf_log_sink *sink);

/* Is a line of that level written? */
bool hf_log_would(const struct hf_log *log, enum hf_log_level level);

void hf_log_line(struct hf_log *log, enum hf_log_level level, const char *component,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));
void hf_log_vline(struct hf_log *log, enum hf_log_level level, const char *component,
                  const char *format, va_list arguments);
/* The same with fields; see hf_node_log_keys(). `keys` NULL: none. */
void hf_log_keys(struct hf_log *log, enum hf_log_level level, const char *component,
                 const char *message, const struct hf_log_key *keys);

struct hf_log_ring_line;

/*
 * The lines of the last HF_LOG_RING_LINES after the sequence `since`, oldest first, of all
 * components with `component` NULL; see log_ring.h. Returns the sequence of the newest line there
 * is. `visit` must not log, and is quick: no line is written meanwhile.
 */
uint64_t hf_log_each(struct hf_log *log, uint64_t since, const char *component,
                     void (*visit)(void *user, const struct hf_log_ring_line *line), void *user);
