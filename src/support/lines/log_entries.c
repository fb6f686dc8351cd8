#include "log_entries.h"

#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "util/time/clock.h"

#define KEPT_BYTES ((size_t)1 << 20)
#define ENTRY_BYTES_MAX ((size_t)256 << 20) /* what an entry may need while it is worked on */
#define SAY_AGAIN_NS (60 * HF_NS_PER_S)

/* ---- operators ---- */

static void emit(void *user, struct hf_log_entry *entry)
{
    struct hf_log_entries *entries = user;
    hf_log_write(&entries->writer, entry);
    hf_arena_rewind(&entries->scratch, KEPT_BYTES);
}

void hf_log_entries_say(struct hf_log_entries *entries, const char *operator_id, const char *why,
                        bool quiet)
{
    if (hf_log_limiter_allows(&entries->said, operator_id, why, hf_clock_coarse_ns())) {
        hf_node_log(entries->node, quiet ? HF_LOG_DEBUG : HF_LOG_ERROR, "operator %s: %s",
                    operator_id, why);
    }
}

static void say_failure(void *user, const char *operator_id, const char *why, bool quiet)
{
    hf_log_entries_say(user, operator_id, why, quiet);
}

/* The operators before, then those of the configuration, as one list; the items are copied. */
static enum hf_status open_pipeline(struct hf_log_entries *entries,
                                    const struct hf_log_entries_options *options, char *reterr)
{
    static const struct hf_log_pipeline_ops ops = {.emit = emit, .failed = say_failure};
    const struct hf_value *own = &options->config->operators;
    size_t before_count = options->before_count;
    if (own->type != HF_VALUE_NONE && own->type != HF_VALUE_LIST) {
        snprintf(reterr, HF_ERROR_MAX, "operators: a list is expected");
        return HF_INVALID;
    }
    struct hf_value *items = calloc(before_count + own->count + 1, sizeof(*items));
    if (items == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < before_count + own->count; i++) {
        items[i] = i < before_count ? options->before[i] : own->items[i - before_count];
    }
    const struct hf_value all = {
        .type = HF_VALUE_LIST, .items = items, .count = before_count + own->count};
    enum hf_status status = hf_log_pipeline_new(&all, &ops, entries, &entries->pipeline, reterr);
    free(items);
    return status;
}

enum hf_status hf_log_entries_open(struct hf_log_entries *entries,
                                   const struct hf_log_entries_options *options, char *reterr)
{
    *entries = (struct hf_log_entries){.node = options->node};
    entries->arena.limit = entries->scratch.limit = ENTRY_BYTES_MAX;
    hf_builder_init(&entries->builder, HF_LOGS, options->build_bytes_max);
    entries->writer = (struct hf_log_writer){.builder = &entries->builder,
                                             .scratch = &entries->scratch,
                                             .kept = {.limit = ENTRY_BYTES_MAX}};
    hf_log_limiter_init(&entries->said, SAY_AGAIN_NS);
    enum hf_status status = hf_log_labels_init(&entries->labels, &options->config->attributes,
                                               &options->config->resource, reterr);
    return status == HF_OK ? open_pipeline(entries, options, reterr) : status;
}

void hf_log_entries_close(struct hf_log_entries *entries)
{
    if (entries->node == NULL) {
        return; /* never opened */
    }
    hf_log_pipeline_free(entries->pipeline);
    hf_log_labels_release(&entries->labels);
    hf_builder_release(&entries->builder);
    hf_log_writer_release(&entries->writer);
    hf_arena_release(&entries->arena);
    hf_arena_release(&entries->scratch);
    hf_log_limiter_release(&entries->said);
}

/* ---- entries ---- */

enum hf_status hf_log_entries_begin(struct hf_log_entries *entries, size_t attributes,
                                    struct hf_log_entry *ret_entry)
{
    enum hf_status status =
        hf_log_entry_init(ret_entry, &entries->arena, attributes + entries->labels.count + 10);
    if (status == HF_OK) {
        ret_entry->observed_ns = hf_clock_unix_ns();
    }
    return status;
}

enum hf_status hf_log_entries_label(struct hf_log_entries *entries, struct hf_log_entry *entry)
{
    char why[HF_LOG_ERROR_MAX];
    enum hf_status status = hf_log_labels_set(&entries->labels, entry, why);
    if (status == HF_INVALID) {
        hf_log_entries_say(entries, "attributes", why, false);
        return HF_OK;
    }
    return status;
}

void hf_log_entries_end(struct hf_log_entries *entries, struct hf_log_entry *entry,
                        enum hf_status status)
{
    if (status == HF_OK) {
        hf_log_pipeline_process(entries->pipeline, entry);
    } else {
        hf_node_log(entries->node, HF_LOG_ERROR, "no memory for an entry: it is dropped");
    }
    hf_arena_rewind(&entries->arena, KEPT_BYTES);
}

struct hf_batch *hf_log_entries_take(struct hf_log_entries *entries)
{
    hf_log_writer_break(&entries->writer);
    if (hf_build_items(&entries->builder) != 0 && hf_build_finish(&entries->builder) != HF_OK) {
        hf_node_log(entries->node, HF_LOG_ERROR, "no memory for a batch of entries");
    }
    return hf_build_take(&entries->builder);
}
