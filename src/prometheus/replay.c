#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "exemplar.h"
#include "gather_internal.h"
#include "replay_internal.h"

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static void put(uint8_t *at, uint64_t bits)
{
    bits = htole64(bits);
    memcpy(at, &bits, sizeof(bits));
}

/* Does the steps of one request. False: a value does not fit. */
static bool put_values(const struct hf_prom_replay_part *part, const double *values,
                       uint64_t time_ns, uint8_t *bytes)
{
    double before = 0;
    for (size_t i = 0; i < part->step_count; i++) {
        const struct replay_step *step = &part->steps[i];
        double value = values[step->value];
        uint8_t *at = bytes + step->at;
        uint64_t expected = 0;
        switch ((enum replay_action)step->action) {
        case REPLAY_NUMBER:
            put(at, time_ns);
            put(at + REPLAY_NUMBER_OFFSET, bits_of(value));
            break;
        case REPLAY_TIME:
            put(at, time_ns);
            before = 0;
            break;
        case REPLAY_DOUBLE:
            put(at, bits_of(value));
            break;
        case REPLAY_COUNT:
            put(at, hf_prom_gather_count(value));
            break;
        case REPLAY_BUCKET:
            if (!(value >= before)) {
                return false;
            }
            put(at, hf_prom_gather_count(value - before));
            before = value;
            break;
        case REPLAY_SAME:
            memcpy(&expected, &part->steps[++i], sizeof(expected));
            /* fall through */
        case REPLAY_ZERO:
            if (bits_of(value) != expected) {
                return false;
            }
            break;
        }
    }
    return true;
}

bool hf_prom_replay_write(const struct hf_prom_replay *replay, const struct hf_expo_values *values,
                          int64_t time_ms, struct hf_builder *builder)
{
    struct hf_bytes made[REPLAY_PARTS_MAX] = {0};
    bool fits = replay->parts != NULL && replay->shape == values->shape &&
                replay->value_count == values->count;
    for (size_t i = 0; fits && i < replay->part_count; i++) {
        const struct hf_prom_replay_part *part = &replay->parts[i];
        fits = hf_decode(HF_ZSTD, hf_slice_of(part->packed, part->packed_size), part->size,
                         &made[i]) == HF_OK &&
               made[i].size == part->size &&
               put_values(part, values->items, hf_prom_time_ns(time_ms), made[i].data);
    }
    for (size_t i = 0; i < replay->part_count; i++) {
        if (fits) {
            hf_build_add(builder, &made[i], replay->parts[i].items);
        }
        hf_bytes_release(&made[i]);
    }
    return fits;
}

void hf_prom_replay_release(struct hf_prom_replay *replay)
{
    for (size_t i = 0; i < replay->part_count; i++) {
        free(replay->parts[i].packed);
        free(replay->parts[i].steps);
    }
    free(replay->parts);
    *replay = (struct hf_prom_replay){0};
}
