/*
 * recombine: entries that belong together become one, told by the first or by the last of them.
 */
#include <stdlib.h>

#include "joined.h"
#include "operator.h"
#include "util/time/clock.h"

struct recombine_state {
    struct hf_expr *is_first, *is_last; /* exactly one */
    struct hf_log_field combine, source;
    struct hf_slice between;
    int64_t batch_max, sources_max, bytes_max, unmatched_max;
    bool keeps_newest;
    uint64_t flush_ns;
    struct joined_list list;
};

static enum hf_status open_recombine(struct operator* operator, const struct hf_value * config,
                                     char *reterr)
{
    struct recombine_state *state = operator->state;
    const char *first = text_of(config, "is_first_entry", NULL);
    const char *last = text_of(config, "is_last_entry", NULL);
    const char *overwrite = text_of(config, "overwrite_with", "oldest");
    if ((first == NULL) == (last == NULL)) {
        return invalid(reterr, "is_first_entry or is_last_entry is required, and not both");
    }
    state->between = hf_slice_text(text_of(config, "combine_with", "\n"));
    state->batch_max = int_of(config, "max_batch_size", 1000);
    state->sources_max = int_of(config, "max_sources", 1000);
    state->bytes_max = int_of(config, "max_log_size", 0);
    state->unmatched_max = int_of(config, "max_unmatched_batch_size", 100);
    state->keeps_newest = strcmp(overwrite, "newest") == 0;
    enum hf_status status =
        field_of(operator, config, "combine_field", NULL, &state->combine, reterr);
    if (status == HF_OK) {
        status = field_of(operator, config, "source_identifier", "attributes[\"log.file.path\"]",
                          &state->source, reterr);
    }
    if (status == HF_OK) {
        status =
            duration_of(config, "force_flush_period", 5 * HF_NS_PER_S, &state->flush_ns, reterr);
    }
    return status != HF_OK ? status
           : first != NULL ? expr_of("is_first_entry", first, &state->is_first, reterr)
                           : expr_of("is_last_entry", last, &state->is_last, reterr);
}

static void close_recombine(struct operator* operator)
{
    struct recombine_state *state = operator->state;
    hf_expr_free(state->is_first);
    hf_expr_free(state->is_last);
    joined_clear(&state->list);
}

static void flush(struct hf_log_pipeline *pipeline, struct operator* operator,
                  struct joined * joined)
{
    struct recombine_state *state = operator->state;
    struct hf_slice text = hf_slice_of(joined->text.data, joined->text.size);
    struct hf_log_entry entry = joined->entry;
    /* What is emitted now is held no more, also for a commit that follows at once. */
    joined->offset = UINT64_MAX;
    if (hf_log_field_set(&state->combine, &entry, hf_expr_string(text)) == HF_OK) {
        pass_on(pipeline, operator, & entry);
    }
    joined_remove(&state->list, joined);
}

static struct hf_slice source_of(const struct recombine_state *state, struct hf_log_entry *entry)
{
    const struct hf_expr_value *value = hf_log_field_get(&state->source, entry);
    return value != NULL && value->type == HF_EXPR_STRING
               ? value->text
               : hf_slice_text("DefaultSourceIdentifier");
}

static bool is_full(const struct recombine_state *state, const struct joined *joined)
{
    return (state->batch_max > 0 && joined->count >= (size_t)state->batch_max) ||
           (state->bytes_max > 0 && joined->text.size > (size_t)state->bytes_max) ||
           (!joined->is_matched && state->unmatched_max > 0 &&
            joined->count >= (size_t)state->unmatched_max);
}

/* Adds it to the entries of its source. */
static enum outcome hold(struct run *run, struct joined *joined, struct hf_slice source,
                         struct hf_log_entry *entry, struct hf_slice text, bool matches)
{
    struct recombine_state *state = run->operator->state;
    if (joined == NULL) {
        while (state->sources_max > 0 && state->list.count >= (size_t)state->sources_max) {
            struct joined *oldest = state->list.first;
            while (oldest->next != NULL) {
                oldest = oldest->next;
            }
            flush(run->pipeline, run->operator, oldest);
        }
        joined = joined_add(&state->list, source, hf_clock_monotonic_ns());
    }
    if (joined == NULL ||
        joined_append(joined, entry, text, state->between, state->keeps_newest) != HF_OK) {
        return operator_failed(run, "out of memory");
    }
    joined->is_matched = joined->is_matched || matches;
    if ((matches && state->is_last != NULL) || is_full(state, joined)) {
        flush(run->pipeline, run->operator, joined);
    }
    return OUTCOME_DROPPED;
}

static enum outcome run_recombine(struct run *run, struct hf_log_entry *entry)
{
    struct recombine_state *state = run->operator->state;
    const struct hf_expr_value *value = hf_log_field_get(&state->combine, entry);
    struct hf_slice source = source_of(state, entry);
    struct joined *joined = joined_find(&state->list, source);
    bool matches = false;
    if (entry_test(state->is_first != NULL ? state->is_first : state->is_last, entry, &matches,
                   run->why) != HF_OK) {
        return OUTCOME_FAILED;
    }
    if (value == NULL || value->type != HF_EXPR_STRING) {
        return operator_failed(run, "combine_field is no text");
    }
    if (state->is_first != NULL && matches && joined != NULL) {
        flush(run->pipeline, run->operator, joined);
        joined = NULL;
    }
    return hold(run, joined, source, entry, value->text, matches);
}

static void tick_recombine(struct hf_log_pipeline *pipeline, struct operator* operator,
                           uint64_t now_ns)
{
    struct recombine_state *state = operator->state;
    struct joined *next = NULL;
    for (struct joined *joined = state->list.first; joined != NULL; joined = next) {
        next = joined->next;
        if (state->flush_ns != 0 && now_ns - joined->since_ns >= state->flush_ns &&
            now_ns > joined->since_ns) {
            flush(pipeline, operator, joined);
        }
    }
}

static uint64_t held_recombine(const struct operator* operator, const void * source)
{
    return joined_held(&((const struct recombine_state *)operator->state)->list, source);
}

static void forget_recombine(struct hf_log_pipeline *pipeline, struct operator* operator,
                             const void * source)
{
    struct recombine_state *state = operator->state;
    (void)pipeline;
    for (struct joined *joined = state->list.first; joined != NULL; joined = joined->next) {
        joined->source = joined->source == source ? NULL : joined->source;
    }
}

static const char *const keys[] = {"is_first_entry",
                                   "is_last_entry",
                                   "combine_field",
                                   "combine_with",
                                   "max_batch_size",
                                   "max_sources",
                                   "max_log_size",
                                   "overwrite_with",
                                   "force_flush_period",
                                   "source_identifier",
                                   "max_unmatched_batch_size",
                                   NULL};

const struct operator_kind operator_recombine = {
    .type = "recombine",
    .keys = keys,
    .size = sizeof(struct recombine_state),
    .open = open_recombine,
    .close = close_recombine,
    .run = run_recombine,
    .tick = tick_recombine,
    .held = held_recombine,
    .forget = forget_recombine,
};
