#include "load_memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN 16u
#define CHUNK_BYTES 65536u

struct chunk {
    struct chunk *next;
    size_t used, size; /* of the room behind this header */
};

struct hf_config_memory {
    struct chunk *chunks; /* the first one is being filled */
    size_t limit_bytes, taken_bytes;
    bool failed;
};

#define HEADER_BYTES ((sizeof(struct chunk) + ALIGN - 1) / ALIGN * ALIGN)

struct hf_config_memory *hf_config_memory_new(size_t limit_bytes)
{
    struct hf_config_memory *memory = calloc(1, sizeof(*memory));

    if (memory != NULL) {
        memory->limit_bytes = limit_bytes;
    }
    return memory;
}

void hf_config_memory_free(struct hf_config_memory *memory)
{
    if (memory == NULL) {
        return;
    }
    while (memory->chunks != NULL) {
        struct chunk *next = memory->chunks->next;
        free(memory->chunks);
        memory->chunks = next;
    }
    free(memory);
}

static struct chunk *add_chunk(struct hf_config_memory *memory, size_t size)
{
    size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;
    size_t left = memory->limit_bytes - memory->taken_bytes;

    if (room > left) {
        room = left; /* the last chunk may be a small one, so that any limit can be used up */
    }
    if (room < size) {
        return NULL;
    }
    struct chunk *chunk = calloc(1, HEADER_BYTES + room);
    if (chunk == NULL) {
        return NULL;
    }
    chunk->size = room;
    chunk->next = memory->chunks;
    memory->chunks = chunk;
    memory->taken_bytes += room;
    return chunk;
}

void *hf_config_alloc(struct hf_config_memory *memory, size_t size)
{
    size_t rounded = size == 0 ? ALIGN : (size + ALIGN - 1) / ALIGN * ALIGN;
    struct chunk *chunk = memory->chunks;

    if (memory->failed || size > memory->limit_bytes) {
        memory->failed = true;
        return NULL;
    }
    if (chunk == NULL || chunk->size - chunk->used < rounded) {
        chunk = add_chunk(memory, rounded);
    }
    if (chunk == NULL) {
        memory->failed = true;
        return NULL;
    }
    void *piece = (char *)chunk + HEADER_BYTES + chunk->used;
    chunk->used += rounded;
    return piece;
}

void *hf_config_array(struct hf_config_memory *memory, size_t count, size_t size)
{
    size_t bytes = 0;

    if (__builtin_mul_overflow(count, size, &bytes)) {
        memory->failed = true;
        return NULL;
    }
    return hf_config_alloc(memory, bytes);
}

char *hf_config_text(struct hf_config_memory *memory, const char *text, size_t size)
{
    char *copy = hf_config_alloc(memory, size + 1);

    if (copy != NULL && size > 0) {
        memcpy(copy, text, size);
    }
    return copy;
}

char *hf_config_format(struct hf_config_memory *memory, const char *format, ...)
{
    va_list arguments, again;
    char *text = NULL;

    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    if (size >= 0) {
        text = hf_config_alloc(memory, (size_t)size + 1);
    }
    if (text != NULL) {
        vsnprintf(text, (size_t)size + 1, format, again);
    }
    va_end(again);
    va_end(arguments);
    return text;
}

bool hf_config_memory_failed(const struct hf_config_memory *memory)
{
    return memory->failed;
}
