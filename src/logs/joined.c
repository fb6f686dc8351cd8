#include "joined.h"

#include <stdlib.h>

#define JOINED_BYTES ((size_t)128 << 20)

struct joined *joined_find(const struct joined_list *list, struct hf_slice key)
{
    struct joined *joined = list->first;
    while (joined != NULL && !hf_slice_equal(joined->key, key)) {
        joined = joined->next;
    }
    return joined;
}

struct joined *joined_add(struct joined_list *list, struct hf_slice key, uint64_t now_ns)
{
    struct joined *joined = calloc(1, sizeof(*joined));
    if (joined == NULL) {
        return NULL;
    }
    joined->arena.limit = JOINED_BYTES;
    joined->key = hf_expr_copy_text(&joined->arena, key);
    if (joined->key.data == NULL) {
        hf_arena_release(&joined->arena);
        free(joined);
        return NULL;
    }
    joined->since_ns = now_ns;
    joined->offset = UINT64_MAX;
    joined->next = list->first;
    list->first = joined;
    list->count++;
    return joined;
}

enum hf_status joined_append(struct joined *joined, const struct hf_log_entry *entry,
                             struct hf_slice text, struct hf_slice between, bool keep)
{
    enum hf_status status = HF_OK;
    if (joined->count == 0) {
        joined->source = entry->source;
        joined->offset = entry->offset;
    }
    if (keep || joined->count == 0) {
        status = hf_log_entry_copy(entry, &joined->arena, &joined->entry);
    }
    if (status == HF_OK && joined->count != 0) {
        status = hf_bytes_append(&joined->text, between);
    }
    if (status == HF_OK) {
        status = hf_bytes_append(&joined->text, text);
    }
    joined->count++;
    return status;
}

void joined_remove(struct joined_list *list, struct joined *joined)
{
    struct joined **at = &list->first;
    while (*at != joined) {
        at = &(*at)->next;
    }
    *at = joined->next;
    list->count--;
    hf_bytes_release(&joined->text);
    hf_arena_release(&joined->arena);
    free(joined);
}

void joined_clear(struct joined_list *list)
{
    while (list->first != NULL) {
        joined_remove(list, list->first);
    }
}

uint64_t joined_held(const struct joined_list *list, const void *source)
{
    uint64_t lowest = UINT64_MAX;
    for (const struct joined *joined = list->first; joined != NULL; joined = joined->next) {
        if (joined->source == source && joined->offset < lowest) {
            lowest = joined->offset;
        }
    }
    return lowest;
}
