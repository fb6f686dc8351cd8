#include "state_store.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state_internal.h"

#define TABLE_FIRST 256u

/* ---- life ---- */

enum hf_status hf_state_new(const struct hf_state_options *options, struct hf_state **ret_state)
{
    struct hf_state *state = calloc(1, sizeof(*state));
    if (state == NULL) {
        return HF_NOMEM;
    }
    *state = (struct hf_state){.format = options->format,
                               .keys_max = options->keys_max,
                               .bytes_max = options->bytes_max,
                               .fd = -1};
    state->path = options->path != NULL ? strdup(options->path) : NULL;
    state->table = calloc(TABLE_FIRST, sizeof(struct hf_state_entry *));
    state->table_size = TABLE_FIRST;
    if (state->table == NULL || (options->path != NULL && state->path == NULL)) {
        hf_state_free(state);
        return HF_NOMEM;
    }
    *ret_state = state;
    return HF_OK;
}

static void free_entry(struct hf_state_entry *entry)
{
    free(entry->value);
    free(entry->staged);
    free(entry);
}

void hf_state_clear(struct hf_state *state)
{
    struct hf_state_entry *entry = state->oldest;
    while (entry != NULL) {
        struct hf_state_entry *newer = entry->newer;
        free_entry(entry);
        entry = newer;
    }
    memset(state->table, 0, state->table_size * sizeof(struct hf_state_entry *));
    state->oldest = state->newest = state->staged = state->dirty = NULL;
    state->count = state->bytes = state->removed_count = 0;
    state->live_bytes = 0;
}

void hf_state_free(struct hf_state *state)
{
    if (state == NULL) {
        return;
    }
    if (state->table != NULL) {
        hf_state_clear(state);
    }
    if (state->fd >= 0) {
        close(state->fd);
    }
    free(state->table);
    free(state->removed);
    free(state->path);
    free(state);
}

char *hf_state_path(const char *directory, const char *name)
{
    char file[NAME_MAX], *path = NULL;
    size_t size = 0;
    for (; *name != '\0' && size + sizeof(".state.new") + 4 < sizeof(file); name++) {
        bool is_plain = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
                        (*name >= '0' && *name <= '9') || *name == '_' || *name == '-';
        size += (size_t)snprintf(file + size, sizeof(file) - size, is_plain ? "%c" : "%%%02x",
                                 (unsigned char)*name);
    }
    return directory != NULL && asprintf(&path, "%s/%.*s.state", directory, (int)size, file) >= 0
               ? path
               : NULL;
}

/* ---- the table and the order ---- */

static struct hf_state_entry **place_of(const struct hf_state *state, struct hf_hash key)
{
    struct hf_state_entry **at = &state->table[key.low & (state->table_size - 1)];
    while (*at != NULL && !hf_hash_equal((*at)->key, key)) {
        at = &(*at)->bucket;
    }
    return at;
}

/* Twice the places; without memory the buckets get longer. */
static void grow_table(struct hf_state *state)
{
    size_t size = 2 * state->table_size;
    struct hf_state_entry **table = calloc(size, sizeof(struct hf_state_entry *));
    if (table == NULL) {
        return;
    }
    for (struct hf_state_entry *entry = state->oldest; entry != NULL; entry = entry->newer) {
        struct hf_state_entry **at = &table[entry->key.low & (size - 1)];
        entry->bucket = *at;
        *at = entry;
    }
    free(state->table);
    state->table = table;
    state->table_size = size;
}

static void unlink_entry(struct hf_state *state, struct hf_state_entry *entry)
{
    *(entry->older != NULL ? &entry->older->newer : &state->oldest) = entry->newer;
    *(entry->newer != NULL ? &entry->newer->older : &state->newest) = entry->older;
}

static void link_newest(struct hf_state *state, struct hf_state_entry *entry)
{
    entry->older = state->newest;
    entry->newer = NULL;
    *(state->newest != NULL ? &state->newest->newer : &state->oldest) = entry;
    state->newest = entry;
}

static struct hf_state_entry *add_entry(struct hf_state *state, struct hf_hash key)
{
    struct hf_state_entry *entry = calloc(1, sizeof(*entry));
    if (entry == NULL) {
        return NULL;
    }
    if (state->count >= state->table_size) {
        grow_table(state);
    }
    entry->key = key;
    struct hf_state_entry **at = place_of(state, key);
    *at = entry;
    link_newest(state, entry);
    state->count++;
    return entry;
}

/* Takes it out of everything but the list of dirty ones. */
static void take_out(struct hf_state *state, struct hf_state_entry *entry)
{
    *place_of(state, entry->key) = entry->bucket;
    unlink_entry(state, entry);
    state->count--;
    state->bytes -= entry->size;
    if (entry->has_value) {
        state->live_bytes -= HF_STATE_ENTRY_HEAD + entry->size;
    }
}

static void undirty(struct hf_state *state, struct hf_state_entry *entry)
{
    struct hf_state_entry **at = &state->dirty;
    while (entry->is_dirty && *at != entry) {
        at = &(*at)->next_dirty;
    }
    if (entry->is_dirty) {
        *at = entry->next_dirty;
    }
}

/* ---- reading and staging ---- */

bool hf_state_find(const struct hf_state *state, struct hf_hash key, struct hf_slice *ret_value)
{
    const struct hf_state_entry *entry = *place_of(state, key);
    if (entry == NULL || (!entry->has_value && !entry->is_staged)) {
        return false;
    }
    *ret_value = entry->is_staged ? hf_slice_of(entry->staged, entry->staged_size)
                                  : hf_slice_of(entry->value, entry->size);
    return true;
}

static uint8_t *copy_of(struct hf_slice value)
{
    uint8_t *copy = malloc(value.size + 1);
    if (copy != NULL && value.size > 0) {
        memcpy(copy, value.data, value.size);
    }
    return copy;
}

enum hf_status hf_state_put(struct hf_state *state, struct hf_hash key, struct hf_slice value,
                            uint64_t touched_ns)
{
    struct hf_state_entry *entry = *place_of(state, key);
    if ((entry == NULL && state->count >= state->keys_max) ||
        state->bytes + value.size > state->bytes_max || value.size >= UINT32_MAX) {
        return HF_FULL;
    }
    uint8_t *copy = copy_of(value);
    if (copy == NULL) {
        return HF_NOMEM;
    }
    entry = entry != NULL ? entry : add_entry(state, key);
    if (entry == NULL) {
        free(copy);
        return HF_NOMEM;
    }
    if (entry->is_staged) {
        state->bytes -= entry->staged_size;
        free(entry->staged);
    } else {
        entry->is_staged = true;
        entry->next_staged = state->staged;
        state->staged = entry;
    }
    entry->staged = copy;
    entry->staged_size = (uint32_t)value.size;
    entry->staged_ns = touched_ns;
    state->bytes += value.size;
    return HF_OK;
}

void hf_state_apply(struct hf_state *state)
{
    while (state->staged != NULL) {
        struct hf_state_entry *entry = state->staged;
        state->staged = entry->next_staged;
        state->bytes -= entry->size;
        state->live_bytes -= entry->has_value ? HF_STATE_ENTRY_HEAD + entry->size : 0;
        free(entry->value);
        entry->value = entry->staged;
        entry->size = entry->staged_size;
        entry->touched_ns = entry->staged_ns;
        entry->staged = NULL;
        entry->is_staged = false;
        entry->has_value = true;
        state->live_bytes += HF_STATE_ENTRY_HEAD + entry->size;
        unlink_entry(state, entry);
        link_newest(state, entry);
        if (!entry->is_dirty) {
            entry->is_dirty = true;
            entry->next_dirty = state->dirty;
            state->dirty = entry;
        }
    }
}

void hf_state_discard(struct hf_state *state)
{
    while (state->staged != NULL) {
        struct hf_state_entry *entry = state->staged;
        state->staged = entry->next_staged;
        state->bytes -= entry->staged_size;
        free(entry->staged);
        entry->staged = NULL;
        entry->is_staged = false;
        if (!entry->has_value) {
            take_out(state, entry);
            free_entry(entry);
        }
    }
}

/* ---- dropping ---- */

/* Notes it for the journal; without memory the journal is written again. */
static void note_removed(struct hf_state *state, struct hf_hash key)
{
    if (state->removed_count == state->removed_room) {
        size_t room = 2 * state->removed_room + 64;
        struct hf_hash *removed = realloc(state->removed, room * sizeof(*removed));
        if (removed == NULL) {
            state->must_rewrite = true;
            return;
        }
        state->removed = removed;
        state->removed_room = room;
    }
    state->removed[state->removed_count++] = key;
}

static void drop(struct hf_state *state, struct hf_state_entry *entry)
{
    note_removed(state, entry->key);
    undirty(state, entry);
    take_out(state, entry);
    free_entry(entry);
}

size_t hf_state_expire(struct hf_state *state, uint64_t before_ns)
{
    size_t count = 0;
    assert(state->staged == NULL);
    while (state->oldest != NULL && state->oldest->touched_ns < before_ns) {
        drop(state, state->oldest);
        count++;
    }
    return count;
}

bool hf_state_evict(struct hf_state *state)
{
    struct hf_state_entry *entry = state->oldest;
    while (entry != NULL && entry->is_staged) {
        entry = entry->newer;
    }
    if (entry != NULL) {
        drop(state, entry);
    }
    return entry != NULL;
}

size_t hf_state_count(const struct hf_state *state)
{
    return state->count;
}

uint64_t hf_state_born_ns(const struct hf_state *state)
{
    return state->born_ns;
}

bool hf_state_is_dirty(const struct hf_state *state)
{
    return state->dirty != NULL || state->removed_count > 0 || state->must_rewrite;
}

/* ---- for the journal ---- */

enum hf_status hf_state_restore(struct hf_state *state, struct hf_hash key, struct hf_slice value,
                                uint64_t touched_ns)
{
    struct hf_state_entry *entry = *place_of(state, key);
    uint8_t *copy = copy_of(value);
    if (copy != NULL && entry == NULL) {
        entry = add_entry(state, key);
    }
    if (copy == NULL || entry == NULL) {
        free(copy);
        return HF_NOMEM;
    }
    state->bytes -= entry->size;
    state->live_bytes -= entry->has_value ? HF_STATE_ENTRY_HEAD + entry->size : 0;
    free(entry->value);
    entry->value = copy;
    entry->size = (uint32_t)value.size;
    entry->has_value = true;
    entry->touched_ns = touched_ns;
    state->bytes += value.size;
    state->live_bytes += HF_STATE_ENTRY_HEAD + entry->size;
    unlink_entry(state, entry);
    link_newest(state, entry);
    /* A limit that was lowered. */
    while (state->count > state->keys_max || state->bytes > state->bytes_max) {
        if (!hf_state_evict(state)) {
            break;
        }
    }
    return HF_OK;
}

void hf_state_forget(struct hf_state *state, struct hf_hash key)
{
    struct hf_state_entry *entry = *place_of(state, key);
    if (entry != NULL) {
        take_out(state, entry);
        free_entry(entry);
    }
}

void hf_state_settle(struct hf_state *state)
{
    while (state->dirty != NULL) {
        struct hf_state_entry *entry = state->dirty;
        state->dirty = entry->next_dirty;
        entry->next_dirty = NULL;
        entry->is_dirty = false;
    }
    state->removed_count = 0;
    state->must_rewrite = false;
}
