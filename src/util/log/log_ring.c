#include "log_ring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/time/clock.h"

/* The three texts behind each other, in one block that the component points to. */
static char *copy_texts(const char *component, const char *message, const char *fields,
                        struct hf_log_ring_line *line)
{
    size_t component_size = strlen(component) + 1;
    size_t message_size = strlen(message), fields_size = strlen(fields);
    message_size = message_size < HF_LOG_RING_TEXT_MAX ? message_size : HF_LOG_RING_TEXT_MAX;
    fields_size = fields_size <= HF_LOG_RING_TEXT_MAX ? fields_size : 0;
    char *block = malloc(component_size + message_size + 1 + fields_size + 3);
    if (block == NULL) {
        return NULL;
    }
    char *at = block;
    memcpy(at, component, component_size);
    line->component = at;
    at += component_size;
    memcpy(at, message, message_size);
    at[message_size] = '\0';
    line->message = at;
    at += message_size + 1;
    snprintf(at, fields_size + 3, "{%.*s}", (int)fields_size, fields);
    line->fields = at;
    return block;
}

void hf_log_ring_add(struct hf_log_ring *ring, enum hf_log_level level, const char *component,
                     const char *message, const char *fields)
{
    struct hf_log_ring_line *line = &ring->lines[(ring->next + 1) % HF_LOG_RING_LINES];
    struct hf_log_ring_line made = {.level = level, .time_ns = hf_clock_unix_ns()};
    if (copy_texts(component, message, fields, &made) == NULL) {
        return;
    }
    made.sequence = ++ring->next;
    free((char *)line->component);
    *line = made;
}

void hf_log_ring_each(const struct hf_log_ring *ring, uint64_t since, const char *component,
                      void (*visit)(void *user, const struct hf_log_ring_line *line), void *user)
{
    uint64_t oldest = ring->next > HF_LOG_RING_LINES ? ring->next - HF_LOG_RING_LINES : 0;
    for (uint64_t at = since > oldest ? since : oldest; at < ring->next; at++) {
        const struct hf_log_ring_line *line = &ring->lines[(at + 1) % HF_LOG_RING_LINES];
        if (component == NULL || strcmp(line->component, component) == 0) {
            visit(user, line);
        }
    }
}

void hf_log_ring_release(struct hf_log_ring *ring)
{
    for (size_t i = 0; i < HF_LOG_RING_LINES; i++) {
        free((char *)ring->lines[i].component);
    }
}
