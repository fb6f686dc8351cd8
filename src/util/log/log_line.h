/*
 * log_line: how a line of the log is written, for people and for machines. Pure functions; any
 * thread. What does not fit is cut, and the line stays whole.
 */
#pragma once

#include <stddef.h>

#include <holdfast/field.h>
#include <holdfast/node.h>

#define HF_LOG_LINE_MAX 8192u
#define HF_LOG_FIELDS_MAX 2048u

struct hf_log_line {
    enum hf_log_level level;
    const char *component, *message;
    const char *fields, *initial_fields; /* members of a JSON object without its braces; "": none */
};

/* Both return the size, with the newline. `out` has HF_LOG_LINE_MAX bytes of room. */
size_t hf_log_write_json(const struct hf_log_line *line, char *out);
/* Time, level, component and message, separated by tabs; then the fields as a JSON object. */
size_t hf_log_write_text(const struct hf_log_line *line, char *out);

/* Fields as members of a JSON object, terminated. `out` has HF_LOG_FIELDS_MAX bytes of room; a
 * field that does not fit is cut or left out. */
void hf_log_write_keys(const struct hf_log_key *keys, char *out);
void hf_log_write_map(struct hf_string_map map, char *out);
