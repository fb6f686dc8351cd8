/*
 * replay_make: finds where in a scrape's requests each of its values stands. The points stand in
 * the order in which the gatherer has written them.
 */
#include <stdlib.h>
#include <string.h>

#include "gather_internal.h"
#include "pdata/metric_fields.h"
#include "pdata/wire_find.h"
#include "replay_internal.h"

#define QUANTILE_VALUE 2 /* in ValueAtQuantile */

struct making {
    /* The next point of what was gathered. */
    const struct gather_resource *resource;
    const struct gather_scope *scope;
    const struct gather_family *family;
    const struct gather_group *group; /* NULL: none is left */

    const struct hf_expo_values *values;
    const uint8_t *bytes; /* of the request that is looked at */
    struct replay_step *steps;
    size_t count, capacity;
    bool failed; /* it cannot be replayed, or there is no memory */
};

/* ---- what was gathered, point by point ---- */

/* Steps to a group that is there, through what has none. */
static void settle(struct making *making)
{
    while (making->group == NULL) {
        if (making->family != NULL) {
            making->family = making->family->next;
        } else if (making->scope != NULL) {
            making->scope = making->scope->next;
            making->family = making->scope != NULL ? making->scope->families : NULL;
        } else if (making->resource != NULL) {
            making->resource = making->resource->next;
            making->scope = making->resource != NULL ? making->resource->scopes : NULL;
            making->family = making->scope != NULL ? making->scope->families : NULL;
        } else {
            return;
        }
        making->group = making->family != NULL ? making->family->groups : NULL;
    }
}

static void find_point(struct making *making)
{
    settle(making);
    while (making->group != NULL && !hf_prom_gather_is_point(making->family, making->group)) {
        making->group = making->group->next;
        settle(making);
    }
}

/* ---- steps ---- */

static void add_step(struct making *making, struct replay_step step)
{
    if (making->count == making->capacity) {
        size_t capacity = making->capacity != 0 ? 2 * making->capacity : 256;
        struct replay_step *steps = realloc(making->steps, capacity * sizeof(*steps));
        if (steps == NULL) {
            making->failed = true;
            return;
        }
        making->steps = steps;
        making->capacity = capacity;
    }
    making->steps[making->count++] = step;
}

static void add(struct making *making, enum replay_action action, const uint8_t *at, uint32_t value)
{
    making->failed |= value >= making->values->count;
    add_step(making,
             (struct replay_step){.action = action & 15,
                                  .at = (uint32_t)(at - making->bytes) & (REPLAY_BYTES_MAX - 1),
                                  .value = value});
}

/* The eight bytes of a field of that number; NULL: there is none. */
static const uint8_t *find(struct hf_slice message, uint32_t number)
{
    struct hf_wire_field field;
    bool is_there = hf_wire_find(message, number, &field) && field.wire == HF_WIRE_64;
    return is_there ? field.whole.data + field.whole.size - sizeof(uint64_t) : NULL;
}

/* A value in a field that is left out when it is 0. */
static void add_field(struct making *making, enum replay_action action, const uint8_t *at,
                      uint32_t value)
{
    add(making, at != NULL ? action : REPLAY_ZERO, at != NULL ? at : making->bytes, value);
}

/* Its start time is the value of a sample, too, which seldom changes. */
static void add_created(struct making *making, const struct gather_group *group)
{
    struct replay_step bits;
    _Static_assert(sizeof(bits) == sizeof(double), "the bits of a value take a step");
    if (!group->has_created) {
        return;
    }
    add(making, REPLAY_SAME, making->bytes, group->created_from);
    if (!making->failed) {
        memcpy(&bits, &making->values->items[group->created_from], sizeof(bits));
        add_step(making, bits);
    }
}

static void add_number(struct making *making, struct hf_slice point,
                       const struct gather_group *group)
{
    const uint8_t *time = find(point, HF_POINT_TIME);
    const uint8_t *value = find(point, HF_NUMBER_DOUBLE);
    if (time == NULL || value != time + REPLAY_NUMBER_OFFSET) {
        making->failed = true;
        return;
    }
    add(making, REPLAY_NUMBER, time, group->value_from);
}

static void add_histogram(struct making *making, struct hf_slice point,
                          const struct gather_group *group)
{
    struct hf_slice buckets = hf_wire_find_bytes(point, HF_HISTOGRAM_COUNTS);
    size_t bound_count = hf_prom_gather_bounds(group);
    if (buckets.size != (bound_count + 1) * sizeof(uint64_t)) {
        making->failed = true;
        return;
    }
    const uint8_t *at = buckets.data;
    for (size_t i = 0; i < bound_count; i++, at += sizeof(uint64_t)) {
        add(making, REPLAY_BUCKET, at, group->pairs[i].from);
    }
    add(making, REPLAY_BUCKET, at, group->count_from);
}

static void add_quantiles(struct making *making, struct hf_slice point,
                          const struct gather_group *group)
{
    struct hf_wire wire = hf_wire_of(point);
    struct hf_slice quantile;
    size_t count = 0;
    for (; hf_wire_each(&wire, HF_SUMMARY_QUANTILES, &quantile); count++) {
        if (count == group->pair_count) {
            break;
        }
        add_field(making, REPLAY_DOUBLE, find(quantile, QUANTILE_VALUE), group->pairs[count].from);
    }
    making->failed |= count != group->pair_count;
}

/* A point of a histogram or summary. */
static void add_counts(struct making *making, struct hf_slice point,
                       const struct gather_group *group)
{
    const uint8_t *time = find(point, HF_POINT_TIME);
    if (time == NULL) {
        making->failed = true;
        return;
    }
    add(making, REPLAY_TIME, time, group->count_from);
    add_field(making, REPLAY_COUNT, find(point, HF_POINT_COUNT), group->count_from);
    if (group->has_sum) {
        add_field(making, REPLAY_DOUBLE, find(point, HF_POINT_SUM), group->sum_from);
    }
    if (making->family->kind == GATHER_HISTOGRAM) {
        add_histogram(making, point, group);
    } else {
        add_quantiles(making, point, group);
    }
}

static void add_point(struct making *making, struct hf_slice point)
{
    const struct gather_group *group = making->group;
    if (group == NULL || making->family->kind == GATHER_NATIVE) {
        making->failed = true;
        return;
    }
    if (making->family->kind == GATHER_HISTOGRAM || making->family->kind == GATHER_SUMMARY) {
        add_counts(making, point, group);
    } else {
        add_number(making, point, group);
    }
    add_created(making, group);
    making->group = group->next;
    find_point(making);
}

/* ---- requests ---- */

enum level { REQUEST = 0, RESOURCE, SCOPE, METRIC, DATA };

/* Is it a field that leads to the points? */
static bool leads_on(enum level level, const struct hf_wire_field *field)
{
    static const uint32_t numbers[] = {[REQUEST] = 1, [RESOURCE] = 2, [SCOPE] = 2, [DATA] = 1};
    if (field->wire != HF_WIRE_BYTES) {
        return false;
    }
    if (level != METRIC) {
        return field->number == numbers[level];
    }
    return field->number == HF_METRIC_GAUGE || field->number == HF_METRIC_SUM ||
           field->number == HF_METRIC_HISTOGRAM || field->number == HF_METRIC_SUMMARY;
}

static void add_message(struct making *making, struct hf_slice message, enum level level)
{
    struct hf_wire wire = hf_wire_of(message);
    struct hf_wire_field field;
    while (!making->failed && !hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &field)) {
            making->failed = true;
        } else if (leads_on(level, &field) && level == DATA) {
            add_point(making, field.bytes);
        } else if (leads_on(level, &field)) {
            add_message(making, field.bytes, level + 1);
        }
    }
}

static bool add_part(struct making *making, struct hf_prom_replay *replay,
                     const struct hf_batch *batch)
{
    struct hf_prom_replay_part *parts =
        realloc(replay->parts, (replay->part_count + 1) * sizeof(*parts));
    struct hf_bytes packed = {0};
    if (parts == NULL) {
        return false;
    }
    replay->parts = parts;
    making->bytes = batch->raw.data;
    making->steps = NULL;
    making->count = making->capacity = 0;
    making->failed = batch->raw.size >= REPLAY_BYTES_MAX || replay->part_count == REPLAY_PARTS_MAX;
    add_message(making, batch->raw, REQUEST);
    if (making->failed || hf_encode(HF_ZSTD, 1, &batch->raw, 1, &packed) != HF_OK) {
        free(making->steps);
        return false;
    }
    uint8_t *trimmed = realloc(packed.data, packed.size);
    struct replay_step *steps = realloc(making->steps, making->count * sizeof(*steps));
    parts[replay->part_count++] = (struct hf_prom_replay_part){
        .packed = trimmed != NULL ? trimmed : packed.data,
        .packed_size = packed.size,
        .size = batch->raw.size,
        .items = batch->items,
        .steps = steps != NULL ? steps : making->steps,
        .step_count = making->count,
    };
    return true;
}

void hf_prom_replay_make(struct hf_prom_replay *replay, const struct hf_prom_gather *gather,
                         const struct hf_builder *builder, const struct hf_expo_values *values)
{
    const struct gather_resource before = {.next = gather->resources};
    struct making making = {.resource = &before, .values = values};
    /* What leaves out points, or sets a time, by a value. */
    bool is_plain = gather->skipped == 0 && gather->options.is_start_time == NULL;
    hf_prom_replay_release(replay);
    replay->shape = values->shape;
    replay->value_count = values->count;
    find_point(&making);
    const struct hf_batch *batch = hf_build_next(builder, NULL);
    while (is_plain && batch != NULL && add_part(&making, replay, batch)) {
        batch = hf_build_next(builder, batch);
    }
    if (!is_plain || batch != NULL || making.group != NULL) {
        hf_prom_replay_release(replay);
    }
}
