/*
 * remote_work: what the files that read remote write share: memory, refusals, labels.
 */
#include <stdio.h>
#include <string.h>

#include "pdata/wire_find.h"
#include "remote_internal.h"

#define SCOPE_PREFIX "otel_scope_"

enum hf_status remote_invalid(struct remote_work *work, const char *why)
{
    snprintf(work->reterr, HF_PROM_REMOTE_ERROR_MAX, "%s", why);
    return HF_INVALID;
}

void remote_refuse(struct remote_work *work, struct hf_slice name, const char *what)
{
    struct hf_prom_remote_result *result = work->result;
    if (result->refused++ == 0) {
        int size = (int)(name.size < 100 ? name.size : 100);
        snprintf(result->why, sizeof(result->why), "%.*s%s%s", size, (const char *)name.data,
                 name.size != 0 ? ": " : "", what);
    }
}

/* Zeroed. NULL: the arena's limit, or no memory. */
void *remote_take(struct remote_work *work, size_t size)
{
    void *piece = hf_arena_take(&work->arena, size);
    return piece != NULL ? memset(piece, 0, size) : NULL;
}

enum hf_status remote_no_room(struct remote_work *work)
{
    if (work->arena.size + REMOTE_ARENA_LEAST < work->arena.limit) {
        return HF_NOMEM;
    }
    snprintf(work->reterr, HF_PROM_REMOTE_ERROR_MAX,
             "the request has too many series for its size");
    return HF_TOO_LARGE;
}

/* ---- labels ---- */

bool remote_is_scope_label(struct hf_slice name)
{
    return hf_prom_has_prefix(name, SCOPE_PREFIX, sizeof(SCOPE_PREFIX) - 1);
}

bool remote_is_attribute(struct hf_slice name)
{
    return !hf_slice_is(name, "__name__") && !hf_slice_is(name, "job") &&
           !hf_slice_is(name, "instance");
}

static const char *add_label(struct remote_work *work, struct hf_slice name, struct hf_slice value)
{
    struct hf_prom_labels *labels = &work->labels;
    if (name.size == 0) {
        return "a label has no name";
    }
    for (size_t i = 0; i < labels->count; i++) {
        if (hf_slice_equal(labels->items[i].name, name)) {
            return "a label is there twice";
        }
    }
    if (labels->count == HF_PROM_LABELS_MAX) {
        return "a series has more than 512 labels";
    }
    if (value.size != 0) { /* an empty label is none */
        labels->items[labels->count++] = (struct hf_prom_label){name, value};
    }
    return NULL;
}

static const char *read_labels_1(struct remote_work *work, struct hf_slice message, uint32_t number)
{
    struct hf_wire wire = hf_wire_of(message);
    struct hf_slice label;
    const char *wrong = NULL;
    while (wrong == NULL && hf_wire_each(&wire, number, &label)) {
        wrong = hf_wire_is_whole(label)
                    ? add_label(work, hf_wire_find_bytes(label, 1), hf_wire_find_bytes(label, 2))
                    : "a label is malformed";
    }
    return wrong;
}

/* Pairs of numbers of symbols. */
static const char *read_labels_2(struct remote_work *work, struct hf_slice message, uint32_t number)
{
    struct hf_wire_numbers numbers = hf_wire_numbers(message, number, HF_WIRE_VARINT);
    uint64_t name, value;
    const char *wrong = NULL;
    while (wrong == NULL && hf_wire_next_number(&numbers, &name)) {
        if (!hf_wire_next_number(&numbers, &value)) {
            return "the references of the labels are no pairs";
        }
        if (name >= work->symbol_count || value >= work->symbol_count) {
            return "a label refers to a symbol that is not there";
        }
        wrong = add_label(work, work->symbols[name], work->symbols[value]);
    }
    return wrong;
}

const char *remote_read_labels(struct remote_work *work, struct hf_slice message, uint32_t number)
{
    work->labels.count = 0;
    return work->options->is_2 ? read_labels_2(work, message, number)
                               : read_labels_1(work, message, number);
}
