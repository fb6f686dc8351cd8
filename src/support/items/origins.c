#include "origins.h"

#include <stdlib.h>
#include <string.h>

#define TABLE_FIRST 64u

/* The same numbers for every signal. */
enum { RESOURCES = 1, HEAD = 1, SCOPES = 2, SCHEMA_URL = 3 };

enum hf_status hf_origins_init(struct hf_origins *origins)
{
    *origins = (struct hf_origins){.size = TABLE_FIRST};
    origins->table = calloc(TABLE_FIRST, sizeof(struct hf_origin *));
    origins->end = &origins->first;
    return origins->table != NULL ? HF_OK : HF_NOMEM;
}

static void free_text(struct hf_slice text)
{
    free((void *)(uintptr_t)text.data);
}

static void free_origin(struct hf_origin *origin)
{
    free_text(origin->resource);
    free_text(origin->resource_url);
    free_text(origin->scope);
    free_text(origin->scope_url);
    free(origin);
}

void hf_origins_clear(struct hf_origins *origins, void (*free_item)(struct hf_origin_item *item))
{
    while (origins->first != NULL) {
        struct hf_origin *next = origins->first->next;
        while (origins->first->first != NULL) {
            struct hf_origin_item *next_item = origins->first->first->next;
            free_item(origins->first->first);
            origins->first->first = next_item;
        }
        free_origin(origins->first);
        origins->first = next;
    }
    origins->end = &origins->first;
    origins->bytes = origins->count = 0;
    if (origins->table != NULL) {
        memset(origins->table, 0, origins->size * sizeof(struct hf_origin *));
    }
}

void hf_origins_release(struct hf_origins *origins)
{
    free(origins->table);
    *origins = (struct hf_origins){.table = NULL};
}

struct hf_slice hf_origin_copy(struct hf_slice bytes)
{
    uint8_t *data = malloc(bytes.size + 1);
    if (data != NULL && bytes.size > 0) {
        memcpy(data, bytes.data, bytes.size);
    }
    return (struct hf_slice){data, data != NULL ? bytes.size : 0};
}

/* Twice the places; without memory the buckets get longer. */
static void grow(struct hf_origins *origins)
{
    size_t size = 2 * origins->size;
    struct hf_origin **table = calloc(size, sizeof(struct hf_origin *));
    if (table == NULL) {
        return;
    }
    for (struct hf_origin *origin = origins->first; origin != NULL; origin = origin->next) {
        origin->bucket = table[origin->key.low & (size - 1)];
        table[origin->key.low & (size - 1)] = origin;
    }
    free(origins->table);
    origins->table = table;
    origins->size = size;
}

static bool copy_texts(struct hf_origin *origin, const struct hf_place *place)
{
    struct hf_message *resource = hf_place_resource(place), *scope = hf_place_scope(place);
    struct hf_slice of_resource = resource != NULL ? hf_message_content(resource) : HF_EMPTY_SLICE;
    struct hf_slice of_scope = scope != NULL ? hf_message_content(scope) : HF_EMPTY_SLICE;
    origin->resource = hf_origin_copy(of_resource);
    origin->scope = hf_origin_copy(of_scope);
    origin->resource_url = hf_origin_copy(hf_message_bytes(place->resource_group, SCHEMA_URL));
    origin->scope_url = hf_origin_copy(hf_message_bytes(place->scope_group, SCHEMA_URL));
    return origin->resource.data != NULL && origin->scope.data != NULL &&
           origin->resource_url.data != NULL && origin->scope_url.data != NULL;
}

struct hf_origin *hf_origins_need(struct hf_origins *origins, struct hf_hash key,
                                  const struct hf_place *place)
{
    struct hf_origin *found = origins->table[key.low & (origins->size - 1)];
    while (found != NULL && !hf_hash_equal(found->key, key)) {
        found = found->bucket;
    }
    if (found != NULL) {
        return found;
    }
    struct hf_origin *origin = calloc(1, sizeof(*origin));
    if (origin == NULL || !copy_texts(origin, place)) {
        if (origin != NULL) {
            free_origin(origin);
        }
        return NULL;
    }
    if (origins->count >= origins->size) {
        grow(origins);
    }
    struct hf_origin **bucket = &origins->table[key.low & (origins->size - 1)];
    origin->key = key;
    origin->end = &origin->first;
    origin->bucket = *bucket;
    *bucket = origin;
    *origins->end = origin;
    origins->end = &origin->next;
    origins->count++;
    origins->bytes += sizeof(*origin) + origin->resource.size + origin->scope.size;
    return origin;
}

void hf_origin_add(struct hf_origin *origin, struct hf_origin_item *item)
{
    item->next = NULL;
    *origin->end = item;
    origin->end = &item->next;
}

static void put_optional(struct hf_wire_writer *writer, uint32_t number, struct hf_slice text)
{
    if (text.size > 0) {
        hf_wire_put_bytes(writer, number, text);
    }
}

void hf_origin_open(struct hf_wire_writer *writer, const struct hf_origin *origin,
                    size_t expected_size, struct hf_origin_open *ret_open)
{
    ret_open->resource = hf_wire_open(writer, RESOURCES, expected_size);
    put_optional(writer, HEAD, origin->resource);
    put_optional(writer, SCHEMA_URL, origin->resource_url);
    ret_open->scope = hf_wire_open(writer, SCOPES, expected_size);
    put_optional(writer, HEAD, origin->scope);
    put_optional(writer, SCHEMA_URL, origin->scope_url);
}

void hf_origin_close(struct hf_wire_writer *writer, const struct hf_origin_open *open)
{
    hf_wire_close(writer, open->scope);
    hf_wire_close(writer, open->resource);
}
