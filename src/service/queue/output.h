/*
 * output: the output of a command: standard output, or the socket of a client that asked
 * a running process.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A JSON string, quotes included. */
void hf_queue_put_text(FILE *out, const char *text);

/* A line, or a part of one when the format has no newline at its end: names and words of others in
 * it are escaped. */
void hf_queue_say(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* False when `out` has no reader any more, or this process ends: then a long command ends too. */
bool hf_queue_is_read(FILE *out);
/* The same for those who look at many records one after the other: it is asked at some of them. */
static inline bool hf_queue_is_read_at(FILE *out, uint64_t sequence)
{
    return sequence % 64 != 0 || hf_queue_is_read(out);
}
