/*
 * blank: which bytes are white space, without regard to a locale. Any thread; no state.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Blanks within a line: of HTTP headers and expositions. */
static inline bool hf_is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

/* What isspace() tells in the locale C. */
static inline bool hf_is_space(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* Around the values of JSON. */
static inline bool hf_is_json_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
}
