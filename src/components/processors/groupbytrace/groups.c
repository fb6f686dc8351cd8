#include "groups_internal.h"

#include <stdlib.h>
#include <string.h>

#include "pdata/wire_find.h"
#include "support/state/table_hash.h"
#include "util/grow.h"

enum { RESOURCE_SPANS = 1, SCOPE_SPANS = 2, SPANS = 2 };

/* ---- what an input says ---- */

/* Room for as many traces as the request has spans. */
static bool make_room(struct groups *groups, size_t items)
{
    if (!hf_grow(&groups->entries, &groups->entry_room, items, sizeof(*groups->entries))) {
        return false;
    }
    size_t size = 16;
    while (size < 2 * items) {
        size *= 2;
    }
    if (size > groups->entry_table_size) {
        uint32_t *table = realloc(groups->entry_table, size * sizeof(*table));
        if (table == NULL) {
            return false;
        }
        groups->entry_table = table;
        groups->entry_table_size = size;
    }
    memset(groups->entry_table, 0, groups->entry_table_size * sizeof(*groups->entry_table));
    groups->entry_count = 0;
    return true;
}

static struct group_entry *entry_of(struct groups *groups, const uint8_t *id)
{
    size_t mask = groups->entry_table_size - 1;
    size_t at = (size_t)groups_hash(groups, id) & mask;
    while (groups->entry_table[at] != 0) {
        struct group_entry *entry = &groups->entries[groups->entry_table[at] - 1];
        if (memcmp(entry->id, id, GROUPS_ID_SIZE) == 0) {
            return entry;
        }
        at = (at + 1) & mask;
    }
    struct group_entry *entry = &groups->entries[groups->entry_count++];
    groups->entry_table[at] = (uint32_t)groups->entry_count;
    *entry = (struct group_entry){0};
    memcpy(entry->id, id, GROUPS_ID_SIZE);
    return entry;
}

/* At most as many spans as the request is said to have. */
static void note(struct groups *groups, const struct hf_batch *batch)
{
    struct hf_wire groups_wire = hf_wire_of(batch->raw);
    struct hf_slice group, scope, span;
    uint32_t left = batch->items;
    while (hf_wire_each(&groups_wire, RESOURCE_SPANS, &group)) {
        struct hf_wire scopes = hf_wire_of(group);
        while (hf_wire_each(&scopes, SCOPE_SPANS, &scope)) {
            struct hf_wire spans = hf_wire_of(scope);
            for (; left > 0 && hf_wire_each(&spans, SPANS, &span); left--) {
                uint8_t id[GROUPS_ID_SIZE];
                groups_id_of(span, id);
                entry_of(groups, id)->spans++;
            }
        }
    }
}

/* Finds or makes the trace of each entry. One that is on its way takes no more spans: those are a
 * trace of their own. */
static enum hf_status find_traces(struct groups *groups)
{
    for (size_t i = 0; i < groups->entry_count; i++) {
        struct group_entry *entry = &groups->entries[i];
        entry->trace = groups_find(groups, entry->id, false);
        if (entry->trace == NULL) {
            entry->trace = groups_add(groups, entry->id);
            entry->is_new = entry->trace != NULL;
        }
        if (entry->trace == NULL) {
            while (i-- > 0) {
                if (groups->entries[i].is_new) {
                    groups_forget(groups, groups->entries[i].trace);
                }
            }
            return HF_NOMEM;
        }
    }
    return HF_OK;
}

static void attach(struct groups *groups, const struct group_entry *entry,
                   struct group_input *input, uint64_t received_ns)
{
    struct group_trace *trace = entry->trace;
    struct group_place *place = &input->places[input->place_count++];
    *place = (struct group_place){.input = input, .spans = entry->spans};
    *(trace->last_place != NULL ? &trace->last_place->next : &trace->places) = place;
    trace->last_place = place;
    if (entry->is_new) {
        trace->received_ns = received_ns;
        *(groups->last != NULL ? &groups->last->next : &groups->first) = trace;
        groups->last = trace;
        groups->waiting++;
    }
}

enum hf_status groups_take(struct groups *groups, struct hf_input *input)
{
    const struct hf_batch *batch = input->batch;
    uint64_t received_ns = batch->received_ns;
    if (groups->waiting >= 2 * groups->options.num_traces || groups->is_closed) {
        return HF_BUSY; /* the releases do not keep up: it waits in front */
    }
    groups->is_fed = true;
    if (!make_room(groups, batch->items)) {
        return HF_NOMEM;
    }
    note(groups, batch);
    struct group_input *own =
        calloc(1, sizeof(*own) + groups->entry_count * sizeof(struct group_place));
    enum hf_status status = own != NULL ? find_traces(groups) : HF_NOMEM;
    if (status != HF_OK) {
        free(own);
        return status;
    }
    own->input = input;
    own->size = batch->raw.size;
    groups->newest_ns = received_ns > groups->newest_ns ? received_ns : groups->newest_ns;
    for (size_t i = 0; i < groups->entry_count; i++) {
        own->open += groups->entries[i].spans;
        attach(groups, &groups->entries[i], own, received_ns);
    }
    hf_series_set(groups->in_memory, (int64_t)groups->count);
    uint32_t unknown = batch->items - own->open; /* it was said to have more than it has */
    if (own->open == 0) {
        free(own);
    }
    if (unknown != 0) {
        hf_input_done_items(input, unknown, unknown);
    }
    groups_release(groups);
    return HF_OK;
}

void groups_tick(struct groups *groups, uint64_t unix_ns)
{
    bool is_behind = groups->is_fed && groups->newest_ns < unix_ns;
    groups->until_ns = is_behind ? groups->newest_ns : unix_ns;
    groups->is_fed = false;
    groups_release(groups);
}

/* ---- life ---- */

static struct hf_series *series(const struct groups *groups, enum hf_metric_type type,
                                const char *name, const char *help)
{
    const struct hf_metric_family family = {.name = name, .type = type, .unit = "", .help = help};
    const struct hf_label labels[] = {{"processor", hf_node_id(groups->node)}, {NULL, NULL}};
    return hf_metrics_series(hf_node_metrics(groups->node), &family, labels);
}

static bool open_counters(struct groups *groups)
{
    groups->released = series(groups, HF_COUNTER, "otelcol_processor_groupbytrace_traces_released",
                              "Traces that were passed on.");
    groups->spans_released =
        series(groups, HF_COUNTER, "otelcol_processor_groupbytrace_spans_released",
               "Spans that were passed on.");
    groups->evicted = series(groups, HF_COUNTER, "otelcol_processor_groupbytrace_traces_evicted",
                             "Traces that were passed on before their wait was over, as more than "
                             "num_traces waited.");
    groups->in_memory =
        series(groups, HF_GAUGE, "otelcol_processor_groupbytrace_num_traces_in_memory",
               "Traces that wait.");
    struct hf_series *limit =
        series(groups, HF_GAUGE, "otelcol_processor_groupbytrace_conf_num_traces", "num_traces.");
    struct hf_series *incomplete = /* a trace that is released twice: there is none here */
        series(groups, HF_COUNTER, "otelcol_processor_groupbytrace_incomplete_releases",
               "Releases without spans.");
    if (limit != NULL) {
        hf_series_set(limit, (int64_t)groups->options.num_traces);
    }
    return limit != NULL && incomplete != NULL && groups->released != NULL &&
           groups->spans_released != NULL && groups->evicted != NULL && groups->in_memory != NULL;
}

enum hf_status groups_new(struct hf_node *node, const struct groups_options *options,
                          struct groups **ret_groups)
{
    struct groups *groups = calloc(1, sizeof(*groups));
    if (groups == NULL) {
        return HF_NOMEM;
    }
    groups->node = node;
    groups->options = *options;
    hf_table_hash_key(&groups->hash_key);
    if (!open_counters(groups)) {
        free(groups);
        return HF_NOMEM;
    }
    *ret_groups = groups;
    return HF_OK;
}

/* An input is freed with its last span. */
static void let_go(struct group_trace *trace)
{
    struct group_place *next = trace->places;
    while (next != NULL) {
        struct group_input *input = next->input;
        uint32_t spans = next->spans;
        next = next->next;
        input->open -= spans;
        if (input->open == 0) {
            free(input);
        }
    }
    free(trace);
}

void groups_free(struct groups *groups)
{
    if (groups == NULL) {
        return;
    }
    for (size_t i = 0; i < groups->size; i++) {
        struct group_trace *next = NULL;
        for (struct group_trace *trace = groups->buckets[i]; trace != NULL; trace = next) {
            next = trace->next_in_bucket;
            let_go(trace);
        }
    }
    free(groups->buckets);
    free(groups->entries);
    free(groups->entry_table);
    free(groups->pieces);
    free(groups);
}
