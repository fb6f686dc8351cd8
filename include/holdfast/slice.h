/*
 * slice: bytes of another owner. Borrowed: it is valid as long as its owner says.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct hf_slice {
    const uint8_t *data; /* may be NULL when size is 0 */
    size_t size;
};

#define HF_EMPTY_SLICE ((struct hf_slice){NULL, 0})

static inline struct hf_slice hf_slice_of(const void *data, size_t size)
{
    return (struct hf_slice){(const uint8_t *)data, size};
}

static inline struct hf_slice hf_slice_text(const char *text)
{
    return (struct hf_slice){(const uint8_t *)text, strlen(text)};
}

static inline bool hf_slice_equal(struct hf_slice a, struct hf_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool hf_slice_is(struct hf_slice a, const char *text)
{
    return hf_slice_equal(a, hf_slice_text(text));
}

/* Has it zeros alone, as an id that is not set? An empty one has. */
static inline bool hf_slice_is_zero(struct hf_slice a)
{
    for (size_t i = 0; i < a.size; i++) {
        if (a.data[i] != 0) {
            return false;
        }
    }
    return true;
}

/* By bytes; of two that begin alike the shorter one comes first. Below 0: a is before b; 0: equal.
 */
static inline int hf_slice_compare(struct hf_slice a, struct hf_slice b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size != 0 ? memcmp(a.data, b.data, size) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* The same for qsort() and bsearch() over struct hf_slice, or over structs that begin with one. */
static inline int hf_slice_order(const void *a, const void *b)
{
    return hf_slice_compare(*(const struct hf_slice *)a, *(const struct hf_slice *)b);
}
