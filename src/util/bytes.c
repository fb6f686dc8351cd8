/*
 * bytes: a growing buffer of bytes; see compress.h.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/compress/compress.h"

#define CAPACITY_LEAST 256u

enum hf_status hf_bytes_reserve(struct hf_bytes *bytes, size_t capacity)
{
    if (capacity <= bytes->capacity) {
        return HF_OK;
    }
    /* Grown by half at least, so that many small appends copy little; exact when asked for much. */
    size_t grown = bytes->capacity + bytes->capacity / 2;
    if (grown < capacity) {
        grown = capacity;
    }
    if (grown < CAPACITY_LEAST) {
        grown = CAPACITY_LEAST;
    }
    if (grown > PTRDIFF_MAX) {
        return HF_NOMEM;
    }
    uint8_t *data = realloc(bytes->data, grown);
    if (data == NULL) {
        return HF_NOMEM;
    }
    bytes->data = data;
    bytes->capacity = grown;
    return HF_OK;
}

enum hf_status hf_bytes_append(struct hf_bytes *bytes, struct hf_slice more)
{
    assert(bytes->size <= bytes->capacity);
    if (more.size == 0) {
        return HF_OK;
    }
    if (more.size > PTRDIFF_MAX - bytes->size) {
        return HF_NOMEM;
    }
    enum hf_status status = hf_bytes_reserve(bytes, bytes->size + more.size);
    if (status != HF_OK) {
        return status;
    }
    memcpy(bytes->data + bytes->size, more.data, more.size);
    bytes->size += more.size;
    return HF_OK;
}

void hf_bytes_release(struct hf_bytes *bytes)
{
    if (bytes == NULL) {
        return;
    }
    free(bytes->data);
    *bytes = (struct hf_bytes){0};
}
