/*
 * load_memory: the memory of one configuration. Parts are never freed alone; all are freed with
 * the configuration. It has a hard limit, so that no input can make the loader grow without end.
 *
 * Owned by one thread while loading, immutable after.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct hf_config_memory;

/* NULL: out of memory. */
struct hf_config_memory *hf_config_memory_new(size_t limit_bytes);
void hf_config_memory_free(struct hf_config_memory *memory);

/* Zeroed and aligned for any type. NULL when out of memory or over the limit; from then on
 * hf_config_memory_failed() is true. */
void *hf_config_alloc(struct hf_config_memory *memory, size_t size);
void *hf_config_array(struct hf_config_memory *memory, size_t count, size_t size);

/* A copy that ends with a NUL. */
char *hf_config_text(struct hf_config_memory *memory, const char *text, size_t size);
char *hf_config_format(struct hf_config_memory *memory, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

bool hf_config_memory_failed(const struct hf_config_memory *memory);
