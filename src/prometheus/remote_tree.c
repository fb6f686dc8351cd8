/*
 * remote_tree: series put together by resource, scope and metric.
 */
#include <string.h>

#include "remote_internal.h"

#define LITERAL(text) ((struct hf_slice){(const uint8_t *)(text), sizeof(text) - 1})

/* Seeds of the hashes in the table. */
enum { SEED_RESOURCE = 1, SEED_SCOPE, SEED_METRIC, SEED_SERIES };

/* ---- the tree ---- */

/* The place of a hash in the table, whose value NULL is new. NULL: out of memory. */
static struct hf_prom_table_entry *place(struct remote_work *work, uint64_t hash)
{
    bool is_new;
    return hf_prom_table_put(&work->table, hash, &is_new);
}

static uint64_t below(const void *parent, uint64_t hash, unsigned seed)
{
    const uint64_t parts[] = {(uint64_t)(uintptr_t)parent, hash};
    return hf_prom_hash(hf_slice_of(parts, sizeof(parts)), seed);
}

enum hf_status remote_find_resource(struct remote_work *work, struct remote_resource **ret)
{
    struct hf_slice job = hf_prom_labels_get(&work->labels, LITERAL("job"));
    struct hf_slice instance = hf_prom_labels_get(&work->labels, LITERAL("instance"));
    uint64_t key = remote_target_key(job, instance);
    struct hf_prom_table_entry *entry = place(work, below(NULL, key, SEED_RESOURCE));
    if (entry == NULL) {
        return HF_NOMEM;
    }
    if (entry->value == NULL) {
        struct remote_resource *resource = remote_take(work, sizeof(*resource));
        if (resource == NULL) {
            return remote_no_room(work);
        }
        resource->job = job;
        resource->instance = instance;
        if (work->options->memory.targets != NULL &&
            hf_prom_memory_get(work->options->memory.targets, key, &work->arena, &resource->info) !=
                HF_OK) {
            return remote_no_room(work);
        }
        if (work->last_resource != NULL) {
            work->last_resource->next = resource;
        } else {
            work->resources = resource;
        }
        work->last_resource = resource;
        entry->value = resource;
    }
    *ret = entry->value;
    return HF_OK;
}

enum hf_status remote_find_scope(struct remote_work *work, struct remote_resource *resource,
                                 struct remote_scope **ret)
{
    uint64_t hash = 0;
    size_t count = 0;
    for (size_t i = 0; i < work->labels.count; i++) {
        if (remote_is_scope_label(work->labels.items[i].name)) {
            hash += hf_prom_label_hash(&work->labels.items[i]);
            count++;
        }
    }
    struct hf_prom_table_entry *entry = place(work, below(resource, hash, SEED_SCOPE));
    if (entry == NULL) {
        return HF_NOMEM;
    }
    if (entry->value == NULL) {
        struct remote_scope *scope = remote_take(work, sizeof(*scope));
        struct hf_prom_label *labels = remote_take(work, (count + 1) * sizeof(*labels));
        if (scope == NULL || labels == NULL) {
            return remote_no_room(work);
        }
        *scope = (struct remote_scope){.next = resource->scopes, .hash = hash, .labels = labels};
        for (size_t i = 0; i < work->labels.count; i++) {
            if (remote_is_scope_label(work->labels.items[i].name)) {
                labels[scope->label_count++] = work->labels.items[i];
            }
        }
        resource->scopes = scope;
        entry->value = scope;
    }
    *ret = entry->value;
    return HF_OK;
}

static enum hf_status find_metric(struct remote_work *work, const struct remote_key *key,
                                  struct remote_metric **ret)
{
    uint64_t hash = hf_prom_hash(key->about.unit, hf_prom_hash(key->name, (uint64_t)key->kind));
    hash = hf_prom_hash(hf_slice_of(&key->about.type, sizeof(key->about.type)), hash);
    struct hf_prom_table_entry *entry = place(work, below(key->scope, hash, SEED_METRIC));
    if (entry == NULL) {
        return HF_NOMEM;
    }
    struct remote_metric *metric = entry->value;
    if (metric == NULL) {
        metric = remote_take(work, sizeof(*metric));
        if (metric == NULL) {
            return remote_no_room(work);
        }
        *metric = (struct remote_metric){.name = key->name, .kind = key->kind, .about = key->about};
        if (key->scope->last_metric != NULL) {
            key->scope->last_metric->next = metric;
        } else {
            key->scope->metrics = metric;
        }
        key->scope->last_metric = metric;
        entry->value = metric;
    }
    if (metric->about.help.size < key->about.help.size) {
        metric->about.help = key->about.help; /* the longest counts */
    }
    *ret = metric;
    return HF_OK;
}

enum hf_status remote_add_node(struct remote_work *work, const struct remote_key *key,
                               struct remote_series *series)
{
    struct remote_metric *metric;
    enum hf_status status = series->has[key->kind] ? HF_OK : find_metric(work, key, &metric);
    if (status != HF_OK || series->has[key->kind]) {
        return status;
    }
    struct remote_node *node = remote_take(work, sizeof(*node));
    if (node == NULL) {
        return remote_no_room(work);
    }
    node->series = series;
    if (metric->last_node != NULL) {
        metric->last_node->next = node;
    } else {
        metric->nodes = node;
    }
    metric->last_node = node;
    series->has[key->kind] = true;
    return HF_OK;
}

enum hf_status remote_add_piece(struct remote_work *work, const struct remote_resource *resource,
                                struct hf_slice wire, struct remote_series **ret)
{
    uint64_t hash = hf_prom_labels_hash(work->labels.items, work->labels.count);
    struct hf_prom_table_entry *entry = place(work, below(resource, hash, SEED_SERIES));
    struct remote_piece *piece = remote_take(work, sizeof(*piece));
    if (entry == NULL) {
        return HF_NOMEM;
    }
    if (entry->value == NULL) {
        entry->value = remote_take(work, sizeof(struct remote_series));
    }
    struct remote_series *series = entry->value;
    if (piece == NULL || series == NULL) {
        return remote_no_room(work);
    }
    piece->wire = wire;
    if (series->last_piece != NULL) {
        series->last_piece->next = piece;
    } else {
        series->pieces = piece;
    }
    series->last_piece = piece;
    *ret = series;
    return HF_OK;
}
