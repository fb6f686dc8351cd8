/*
 * log_ring: the last lines of the log, kept in memory for people who look at the running process.
 *
 * Bounded in lines and, since each line is cut, in bytes. The owner brings the lock.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/node.h>

#define HF_LOG_RING_LINES 1000u
#define HF_LOG_RING_TEXT_MAX 1024u /* of a message, and of its fields */

struct hf_log_ring_line {
    uint64_t sequence; /* from 1 */
    uint64_t time_ns;  /* Unix time */
    enum hf_log_level level;
    const char *component, *message;
    const char *fields; /* a JSON object */
};

struct hf_log_ring {
    struct hf_log_ring_line lines[HF_LOG_RING_LINES]; /* line N is at N % HF_LOG_RING_LINES */
    uint64_t next;                                    /* the sequence of the next line, less 1 */
};

/* `fields` are members of a JSON object without its braces; too long ones are left out. Copies; out
 * of memory: the line is missing. */
void hf_log_ring_add(struct hf_log_ring *ring, enum hf_log_level level, const char *component,
                     const char *message, const char *fields);

/* The lines after the sequence `since` that are still there, oldest first; NULL `component`: all.
 */
void hf_log_ring_each(const struct hf_log_ring *ring, uint64_t since, const char *component,
                      void (*visit)(void *user, const struct hf_log_ring_line *line), void *user);

void hf_log_ring_release(struct hf_log_ring *ring);
