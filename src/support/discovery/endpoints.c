#include "endpoints.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/grow.h"
#include "util/hash.h"

#define DRAFT_BYTES_MAX ((size_t)4 << 20)

/* An endpoint and the memory of its texts. */
struct made {
    struct hf_endpoint endpoint;
    struct hf_arena arena;
};

struct hf_endpoints_owner {
    struct hf_endpoint **items;
    size_t count, bytes;
    size_t name_size;
    char name[];
};

/* ---- drafts ---- */

static void *take(struct hf_endpoint_draft *draft, size_t size)
{
    void *piece = draft->failed ? NULL : hf_arena_take(&draft->arena, size);
    draft->failed = draft->failed || piece == NULL;
    return piece;
}

static const char *copy(struct hf_endpoint_draft *draft, struct hf_slice text)
{
    char *piece = take(draft, text.size + 1);
    if (piece == NULL) {
        return "";
    }
    if (text.size != 0) {
        memcpy(piece, text.data, text.size);
    }
    piece[text.size] = '\0';
    return piece;
}

static void make_map(struct hf_endpoint_draft *draft, struct hf_value *map, size_t capacity)
{
    struct hf_value *items = take(draft, (capacity + 1) * sizeof(*items));
    const char **keys = take(draft, (capacity + 1) * sizeof(*keys));
    *map = (struct hf_value){.type = HF_VALUE_MAP, .items = items, .keys = keys};
}

void hf_draft_begin(struct hf_endpoint_draft *draft, const char *type, size_t capacity)
{
    *draft = (struct hf_endpoint_draft){
        .arena.limit = DRAFT_BYTES_MAX, .type = type, .id = "", .target = ""};
    make_map(draft, &draft->variables, capacity);
}

/* The map's memory is the draft's: what is const for readers is written here. */
static struct hf_value *put(struct hf_endpoint_draft *draft, struct hf_value *map, const char *key)
{
    static struct hf_value nowhere; /* never read */
    const char *copied = copy(draft, hf_slice_text(key));
    if (draft->failed || map == NULL) {
        return &nowhere;
    }
    ((const char **)(uintptr_t)map->keys)[map->count] = copied;
    return (struct hf_value *)(uintptr_t)&map->items[map->count++];
}

struct hf_value *hf_draft_map(struct hf_endpoint_draft *draft, struct hf_value *map,
                              const char *key, size_t capacity)
{
    struct hf_value made;
    make_map(draft, &made, capacity);
    if (draft->failed) {
        return NULL;
    }
    struct hf_value *at = put(draft, map, key);
    if (draft->failed) {
        return NULL;
    }
    *at = made;
    return at;
}

static void put_value(struct hf_endpoint_draft *draft, struct hf_value *map, const char *key,
                      struct hf_value value)
{
    struct hf_value *at = put(draft, map, key);
    if (!draft->failed) {
        *at = value;
    }
}

void hf_draft_text(struct hf_endpoint_draft *draft, struct hf_value *map, const char *key,
                   struct hf_slice text)
{
    put_value(draft, map, key,
              (struct hf_value){.type = HF_VALUE_STRING, .string = copy(draft, text)});
}

void hf_draft_number(struct hf_endpoint_draft *draft, struct hf_value *map, const char *key,
                     int64_t number)
{
    put_value(draft, map, key,
              (struct hf_value){.type = HF_VALUE_INT,
                                .integer = number,
                                .number = (double)number,
                                .string = hf_draft_print(draft, "%lld", (long long)number)});
}

void hf_draft_flag(struct hf_endpoint_draft *draft, struct hf_value *map, const char *key,
                   bool flag)
{
    put_value(draft, map, key,
              (struct hf_value){
                  .type = HF_VALUE_BOOL, .boolean = flag, .string = flag ? "true" : "false"});
}

const char *hf_draft_print(struct hf_endpoint_draft *draft, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    char *text = size >= 0 ? take(draft, (size_t)size + 1) : NULL;
    if (text != NULL) {
        vsnprintf(text, (size_t)size + 1, format, again);
    }
    va_end(again);
    va_end(arguments);
    return text != NULL ? text : "";
}

static struct hf_hash digest_of(const struct hf_value *value)
{
    struct hf_hash digest = hf_hash_of(hf_slice_text(value->string != NULL ? value->string : ""));
    digest.low += (uint64_t)value->type;
    for (size_t i = 0; i < value->count; i++) {
        digest = hf_hash_mix(digest, hf_hash_of(hf_slice_text(value->keys[i])));
        digest = hf_hash_mix(digest, digest_of(&value->items[i]));
    }
    return digest;
}

static void free_made(struct hf_ref *ref)
{
    struct made *made = HF_CONTAINER(ref, struct made, endpoint.ref);
    hf_arena_release(&made->arena);
    free(made);
}

struct hf_endpoint *hf_draft_end(struct hf_endpoint_draft *draft)
{
    struct made *made = draft->failed ? NULL : calloc(1, sizeof(*made));
    if (made == NULL) {
        hf_arena_release(&draft->arena);
        return NULL;
    }
    struct hf_hash digest =
        hf_hash_mix(hf_hash_pair(hf_slice_text(draft->id), hf_slice_text(draft->target)),
                    digest_of(&draft->variables));
    made->arena = draft->arena;
    made->endpoint = (struct hf_endpoint){.id = draft->id,
                                          .type = draft->type,
                                          .target = draft->target,
                                          .variables = draft->variables,
                                          .digest = {digest.low, digest.high}};
    hf_ref_init(&made->endpoint.ref, free_made);
    *draft = (struct hf_endpoint_draft){0};
    return &made->endpoint;
}

static size_t bytes_of(const struct hf_endpoint *endpoint)
{
    return HF_CONTAINER(endpoint, const struct made, endpoint)->arena.size + sizeof(struct made);
}

/* ---- the table; under its lock ---- */

static void free_owner(struct hf_endpoints *table, struct hf_endpoints_owner *owner)
{
    for (size_t i = 0; i < owner->count; i++) {
        hf_ref_drop(&owner->items[i]->ref);
    }
    table->count -= owner->count;
    table->bytes -= owner->bytes;
    free(owner->items);
    free(owner);
}

static struct hf_slice name_of(const struct hf_endpoints_owner *owner)
{
    return hf_slice_of(owner->name, owner->name_size);
}

/* Where the owner stands, or would have to stand. */
static size_t place_of(const struct hf_endpoints *table, struct hf_slice name, bool *ret_found)
{
    size_t from = 0, to = table->owner_count;
    *ret_found = false;
    while (from < to && !*ret_found) {
        size_t middle = from + (to - from) / 2;
        int order = hf_slice_compare(name, name_of(table->owners[middle]));
        *ret_found = order == 0;
        from = order > 0 ? middle + 1 : order == 0 ? middle : from;
        to = order < 0 ? middle : to;
    }
    return from;
}

static void remove_at(struct hf_endpoints *table, size_t place)
{
    free_owner(table, table->owners[place]);
    table->owner_count--;
    memmove(&table->owners[place], &table->owners[place + 1],
            (table->owner_count - place) * sizeof(struct hf_endpoints_owner *));
}

static bool grow(struct hf_endpoints *table)
{
    return hf_grow(&table->owners, &table->owner_capacity, table->owner_count + 1,
                   sizeof(struct hf_endpoints_owner *));
}

/* An owner with those of the items that there is room for; takes their references over. NULL: there
 * is no memory. */
static struct hf_endpoints_owner *new_owner(struct hf_endpoints *table, struct hf_slice name,
                                            struct hf_endpoint **items, size_t count,
                                            size_t *ret_left_out)
{
    struct hf_endpoints_owner *owner = malloc(sizeof(*owner) + name.size + 1);
    struct hf_endpoint **kept = calloc(count + 1, sizeof(struct hf_endpoint *));
    bool has_memory = owner != NULL && kept != NULL;
    if (has_memory) {
        *owner = (struct hf_endpoints_owner){.items = kept, .name_size = name.size};
        if (name.size != 0) {
            memcpy(owner->name, name.data, name.size);
        }
    }
    for (size_t i = 0; i < count; i++) {
        size_t bytes = items[i] != NULL ? bytes_of(items[i]) : 0;
        if (has_memory && items[i] != NULL && table->count < HF_ENDPOINTS_MAX &&
            bytes <= HF_ENDPOINTS_BYTES_MAX - table->bytes) {
            kept[owner->count++] = items[i];
            owner->bytes += bytes;
            table->count++;
            table->bytes += bytes;
            continue;
        }
        (*ret_left_out)++;
        hf_ref_drop(items[i] != NULL ? &items[i]->ref : NULL);
    }
    if (!has_memory) {
        free(owner);
        free(kept);
        return NULL;
    }
    return owner;
}

static bool is_same(const struct hf_endpoints_owner *owner, struct hf_endpoint *const *items,
                    size_t count)
{
    bool same = owner->count == count;
    for (size_t i = 0; i < count && same; i++) {
        same = items[i] != NULL &&
               memcmp(owner->items[i]->digest, items[i]->digest, sizeof(items[i]->digest)) == 0;
    }
    return same;
}

static void drop_all(struct hf_endpoint **items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hf_ref_drop(items[i] != NULL ? &items[i]->ref : NULL);
    }
}

static void set(struct hf_endpoints *table, struct hf_slice name, struct hf_endpoint **items,
                size_t count, size_t *ret_left_out)
{
    bool found;
    size_t place = place_of(table, name, &found);
    if (found ? is_same(table->owners[place], items, count) : count == 0) {
        drop_all(items, count);
        return;
    }
    if (found) {
        remove_at(table, place);
    }
    atomic_fetch_add(&table->version, 1);
    if (count == 0) {
        return;
    }
    if (!grow(table)) {
        *ret_left_out = count;
        drop_all(items, count);
        return;
    }
    struct hf_endpoints_owner *owner = new_owner(table, name, items, count, ret_left_out);
    if (owner != NULL) {
        memmove(&table->owners[place + 1], &table->owners[place],
                (table->owner_count - place) * sizeof(struct hf_endpoints_owner *));
        table->owners[place] = owner;
        table->owner_count++;
    }
}

/* ---- any thread ---- */

void hf_endpoints_init(struct hf_endpoints *table, const struct hf_node *node)
{
    *table = (struct hf_endpoints){.node = node};
    pthread_mutex_init(&table->lock, NULL);
    atomic_init(&table->version, 1);
}

void hf_endpoints_release(struct hf_endpoints *table)
{
    for (size_t i = 0; i < table->owner_count; i++) {
        free_owner(table, table->owners[i]);
    }
    free(table->owners);
    pthread_mutex_destroy(&table->lock);
}

void hf_endpoints_set(struct hf_endpoints *table, struct hf_slice owner, struct hf_endpoint **items,
                      size_t count)
{
    size_t left_out = 0;
    pthread_mutex_lock(&table->lock);
    set(table, owner, items, count, &left_out);
    bool says = left_out != 0 && !table->is_full;
    table->is_full = left_out != 0 || (table->is_full && table->count == HF_ENDPOINTS_MAX);
    pthread_mutex_unlock(&table->lock);
    if (says) {
        hf_node_log(table->node, HF_LOG_ERROR,
                    "endpoints are left out: there are more than %u, or they take more than %zu "
                    "MiB; observe fewer, by namespaces or by node",
                    HF_ENDPOINTS_MAX, HF_ENDPOINTS_BYTES_MAX >> 20);
    }
}

void hf_endpoints_keep(struct hf_endpoints *table, bool (*stays)(void *user, struct hf_slice owner),
                       void *user)
{
    pthread_mutex_lock(&table->lock);
    for (size_t i = table->owner_count; i > 0; i--) {
        if (!stays(user, name_of(table->owners[i - 1]))) {
            remove_at(table, i - 1);
            atomic_fetch_add(&table->version, 1);
        }
    }
    pthread_mutex_unlock(&table->lock);
}

uint64_t hf_endpoints_version(const struct hf_endpoints *table)
{
    return atomic_load(&table->version);
}

void hf_endpoints_each(struct hf_endpoints *table,
                       void (*visit)(void *user, struct hf_endpoint *endpoint), void *user)
{
    pthread_mutex_lock(&table->lock);
    for (size_t i = 0; i < table->owner_count; i++) {
        for (size_t k = 0; k < table->owners[i]->count; k++) {
            visit(user, table->owners[i]->items[k]);
        }
    }
    pthread_mutex_unlock(&table->lock);
}
