#include "tail_ids.h"

#include <stdlib.h>
#include <string.h>

#define SIZE_LEAST 16u

enum hf_status hf_sampling_tail_ids_reset(struct hf_sampling_tail_ids *ids, size_t count)
{
    size_t size = SIZE_LEAST;
    while (size < 2 * count) {
        size *= 2;
    }
    if (size > ids->room) {
        uint32_t *slots = reallocarray(ids->slots, size, sizeof(*slots));
        if (slots == NULL) {
            return HF_NOMEM;
        }
        ids->slots = slots;
        ids->room = size;
    }
    ids->size = size;
    memset(ids->slots, 0, size * sizeof(*ids->slots));
    return HF_OK;
}

void hf_sampling_tail_ids_release(struct hf_sampling_tail_ids *ids)
{
    free(ids->slots);
    *ids = (struct hf_sampling_tail_ids){0};
}
