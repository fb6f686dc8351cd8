#include "emf_deltas.h"

#include <stdlib.h>
#include <string.h>

struct stored {
    uint64_t time_ns, count;
    double sum;
};

struct emf_change {
    struct hf_hash key;
    struct stored value;
    uint64_t touched_ns;
    uint32_t item;
};

/* The series that was silent longest makes room. */
static enum hf_status put(struct hf_state *state, const struct emf_change *change)
{
    const struct hf_slice value = hf_slice_of(&change->value, sizeof(change->value));
    enum hf_status status = hf_state_put(state, change->key, value, change->touched_ns);
    while (status == HF_FULL && hf_state_evict(state)) {
        status = hf_state_put(state, change->key, value, change->touched_ns);
    }
    return status == HF_FULL ? HF_OK : status; /* it begins again with its next point */
}

static bool note(struct emf_deltas *deltas, const struct emf_change *change)
{
    if (deltas->count == deltas->capacity) {
        size_t capacity = deltas->capacity != 0 ? 2 * deltas->capacity : 64;
        struct emf_change *moved = reallocarray(deltas->changes, capacity, sizeof(*moved));
        if (moved == NULL) {
            return false;
        }
        deltas->changes = moved;
        deltas->capacity = capacity;
    }
    deltas->changes[deltas->count++] = *change;
    return put(deltas->state, change) == HF_OK;
}

enum emf_delta emf_deltas_take(struct emf_deltas *deltas, struct hf_hash key, uint32_t item,
                               uint64_t time_ns, uint64_t now_ns, struct emf_value *value)
{
    struct hf_slice found;
    struct stored before = {0};
    bool is_known = hf_state_find(deltas->state, key, &found) && found.size == sizeof(before);
    if (is_known) {
        memcpy(&before, found.data, sizeof(before));
        if (time_ns != 0 && before.time_ns != 0 && time_ns <= before.time_ns) {
            return EMF_DELTA_OLD;
        }
    }
    const struct emf_change change = {
        .key = key,
        .value = {.time_ns = time_ns, .count = value->count, .sum = value->sum},
        .touched_ns = now_ns,
        .item = item,
    };
    if (!note(deltas, &change)) {
        return EMF_DELTA_NO_MEMORY;
    }
    if (!is_known) {
        return EMF_DELTA_FIRST;
    }
    /* Less than before: the series was reset. */
    if (value->count >= before.count && (value->count != 0 || value->sum >= before.sum)) {
        value->count -= before.count;
        value->sum -= before.sum;
    }
    return EMF_DELTA_FOUND;
}

void emf_deltas_discard(struct emf_deltas *deltas)
{
    hf_state_discard(deltas->state);
    deltas->count = 0;
}

enum hf_status emf_deltas_commit(struct emf_deltas *deltas,
                                 bool (*is_again)(void *user, uint32_t item), void *user)
{
    enum hf_status status = HF_OK;
    hf_state_discard(deltas->state);
    for (size_t i = 0; status == HF_OK && i < deltas->count; i++) {
        if (!is_again(user, deltas->changes[i].item)) {
            status = put(deltas->state, &deltas->changes[i]);
        }
    }
    if (status != HF_OK) {
        hf_state_discard(deltas->state);
        return status;
    }
    hf_state_apply(deltas->state);
    deltas->count = 0;
    return hf_state_is_dirty(deltas->state) ? hf_state_commit(deltas->state) : HF_OK;
}

void emf_deltas_release(struct emf_deltas *deltas)
{
    free(deltas->changes);
    hf_state_free(deltas->state);
}
