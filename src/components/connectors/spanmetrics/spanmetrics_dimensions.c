#include "spanmetrics_dimensions.h"

#include <stdlib.h>
#include <string.h>

#include "ottl/glob.h"
#include "pdata/any_make.h"
#include "pdata/wire.h"
#include "util/regex/regex.h"

#define FALLBACK_BYTES_MAX (1u << 20)

/* ---- making ---- */

static size_t slot_of(struct spanmetrics_dimensions *dimensions, const char *name)
{
    size_t slot = 0;
    while (slot < dimensions->slot_count && !hf_slice_is(dimensions->names[slot], name)) {
        slot++;
    }
    if (slot == dimensions->slot_count) {
        dimensions->names[dimensions->slot_count++] = hf_slice_text(name);
    }
    return slot;
}

static enum hf_status add(struct spanmetrics_dimensions *dimensions, struct spanmetrics_list *list,
                          const struct spanmetrics_dimension_config *config)
{
    char why[HF_REGEX_ERROR_MAX];
    struct hf_any_maker maker = {.arena = &dimensions->arena};
    if (config->glob != NULL && config->glob[0] != '\0') {
        enum hf_status status = hf_ottl_glob_new_separated(hf_slice_text(config->glob), '.',
                                                           &list->globs[list->glob_count], why);
        list->glob_count += status == HF_OK ? 1 : 0;
        dimensions->has_globs = true;
        return status;
    }
    struct spanmetrics_named *named = &list->named[list->named_count++];
    named->slot = slot_of(dimensions, config->name);
    named->has_fallback = config->has_fallback;
    if (config->has_fallback) {
        const char *text = config->fallback != NULL ? config->fallback : "";
        named->fallback = hf_any_make_string(&maker, hf_slice_text(text));
    }
    return config->has_fallback && named->fallback.data == NULL ? HF_NOMEM : HF_OK;
}

static enum hf_status make(struct spanmetrics_dimensions *dimensions, struct spanmetrics_list *list,
                           const struct hf_struct_list *configs)
{
    const struct spanmetrics_dimension_config *all = configs->items;
    list->named = calloc(configs->count + 1, sizeof(*list->named));
    list->globs = calloc(configs->count + 1, sizeof(struct hf_regex *));
    enum hf_status status = list->named != NULL && list->globs != NULL ? HF_OK : HF_NOMEM;
    for (size_t i = 0; i < configs->count && status == HF_OK; i++) {
        status = add(dimensions, list, &all[i]);
    }
    return status;
}

enum hf_status spanmetrics_dimensions_init(struct spanmetrics_dimensions *dimensions,
                                           const struct spanmetrics_config *config)
{
    static const struct hf_struct_list none = {0};
    const struct hf_struct_list *events =
        config->events.enabled ? &config->events.dimensions : &none;
    size_t count = config->dimensions.count + config->calls_dimensions.count +
                   config->histogram.dimensions.count + events->count;
    dimensions->arena.limit = FALLBACK_BYTES_MAX;
    dimensions->names = calloc(count + 1, sizeof(*dimensions->names));
    enum hf_status status = dimensions->names != NULL ? HF_OK : HF_NOMEM;
    if (status == HF_OK) {
        status = make(dimensions, &dimensions->common, &config->dimensions);
    }
    if (status == HF_OK) {
        status = make(dimensions, &dimensions->more[SPANMETRICS_CALLS], &config->calls_dimensions);
    }
    if (status == HF_OK) {
        status = make(dimensions, &dimensions->more[SPANMETRICS_DURATION],
                      &config->histogram.dimensions);
    }
    return status == HF_OK ? make(dimensions, &dimensions->more[SPANMETRICS_EVENTS], events)
                           : status;
}

static void release_list(struct spanmetrics_list *list)
{
    for (size_t i = 0; i < list->glob_count; i++) {
        hf_regex_free(list->globs[i]);
    }
    free(list->globs);
    free(list->named);
}

void spanmetrics_dimensions_release(struct spanmetrics_dimensions *dimensions)
{
    release_list(&dimensions->common);
    for (size_t i = 0; i < SPANMETRICS_METRIC_COUNT; i++) {
        release_list(&dimensions->more[i]);
    }
    free(dimensions->names);
    hf_arena_release(&dimensions->arena);
}

bool spanmetrics_is_common(const struct spanmetrics_dimensions *dimensions,
                           enum spanmetrics_metric metric)
{
    return dimensions->more[metric].named_count == 0 && dimensions->more[metric].glob_count == 0;
}

/* ---- values ---- */

enum hf_status spanmetrics_values_init(struct spanmetrics_values *values,
                                       const struct spanmetrics_dimensions *dimensions)
{
    values->slots = calloc(dimensions->slot_count + 1, sizeof(*values->slots));
    return values->slots != NULL ? HF_OK : HF_NOMEM;
}

void spanmetrics_values_release(struct spanmetrics_values *values)
{
    free(values->slots);
    free(values->pairs);
}

void spanmetrics_values_clear(struct spanmetrics_values *values,
                              const struct spanmetrics_dimensions *dimensions)
{
    memset(values->slots, 0, dimensions->slot_count * sizeof(*values->slots));
    values->pair_count = 0;
}

static bool has_pair(const struct spanmetrics_values *values, struct hf_slice key)
{
    for (size_t i = 0; i < values->pair_count; i++) {
        if (hf_slice_equal(values->pairs[i].key, key)) {
            return true;
        }
    }
    return false;
}

static enum hf_status add_pair(struct spanmetrics_values *values, struct hf_slice key,
                               struct hf_slice value)
{
    if (values->pair_count == values->pair_room) {
        size_t room = values->pair_room == 0 ? 32 : 2 * values->pair_room;
        struct spanmetrics_pair *pairs = realloc(values->pairs, room * sizeof(*pairs));
        if (pairs == NULL) {
            return HF_NOMEM;
        }
        values->pairs = pairs;
        values->pair_room = room;
    }
    values->pairs[values->pair_count++] = (struct spanmetrics_pair){key, value};
    return HF_OK;
}

/* The key of a KeyValue as it nearly always stands: first, and short. */
static inline struct hf_slice first_key(struct hf_slice pair)
{
    const size_t head = 2;
    if (pair.size >= head && pair.data[0] == 0x0a && pair.data[1] < 0x80 &&
        pair.data[1] <= pair.size - head) {
        return hf_slice_of(pair.data + head, pair.data[1]);
    }
    return HF_EMPTY_SLICE;
}

/* Can none of the slots be meant? Says no in doubt. */
static inline bool is_of_no_slot(const struct spanmetrics_dimensions *dimensions,
                                 struct hf_slice pair)
{
    struct hf_slice key = first_key(pair);
    if (key.data == NULL || (key.size + 2 < pair.size && pair.data[key.size + 2] != 0x12)) {
        return false;
    }
    for (size_t i = 0; i < dimensions->slot_count; i++) {
        if (dimensions->names[i].size == key.size &&
            memcmp(dimensions->names[i].data, key.data, key.size) == 0) {
            return false;
        }
    }
    return true;
}

enum hf_status spanmetrics_values_note(struct spanmetrics_values *values,
                                       const struct spanmetrics_dimensions *dimensions,
                                       struct hf_slice pair)
{
    struct hf_slice key, value;
    if (!dimensions->has_globs && is_of_no_slot(dimensions, pair)) {
        return HF_OK;
    }
    if (!hf_attribute_read(pair, &key, &value)) {
        return HF_OK;
    }
    value.data = value.data != NULL ? value.data : pair.data; /* there, and empty */
    for (size_t i = 0; i < dimensions->slot_count; i++) {
        if (values->slots[i].data == NULL && hf_slice_equal(dimensions->names[i], key)) {
            values->slots[i] = value;
        }
    }
    return dimensions->has_globs && !has_pair(values, key) ? add_pair(values, key, value) : HF_OK;
}

enum hf_status spanmetrics_values_lay(struct spanmetrics_values *values,
                                      const struct spanmetrics_dimensions *dimensions,
                                      const struct spanmetrics_values *over)
{
    for (size_t i = 0; i < dimensions->slot_count; i++) {
        values->slots[i] = over->slots[i].data != NULL ? over->slots[i] : values->slots[i];
    }
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < over->pair_count && status == HF_OK; i++) {
        size_t at = 0;
        while (at < values->pair_count &&
               !hf_slice_equal(values->pairs[at].key, over->pairs[i].key)) {
            at++;
        }
        if (at < values->pair_count) {
            values->pairs[at] = over->pairs[i];
        } else {
            status = add_pair(values, over->pairs[i].key, over->pairs[i].value);
        }
    }
    return status;
}

/* ---- what a metric has ---- */

static bool matches(const struct spanmetrics_list *list, struct hf_slice key)
{
    for (size_t i = 0; i < list->glob_count; i++) {
        if (hf_regex_matches(list->globs[i], key)) {
            return true;
        }
    }
    return false;
}

static enum hf_status each_glob(const struct spanmetrics_list *list,
                                struct spanmetrics_values *span, struct spanmetrics_values *outer,
                                struct spanmetrics_show *show)
{
    enum hf_status status = HF_OK;
    if (span->pair_count > 1) {
        qsort(span->pairs, span->pair_count, sizeof(*span->pairs), hf_slice_order);
    }
    if (outer->pair_count > 1) {
        qsort(outer->pairs, outer->pair_count, sizeof(*outer->pairs), hf_slice_order);
    }
    for (size_t i = 0; i < span->pair_count && status == HF_OK; i++) {
        if (matches(list, span->pairs[i].key)) {
            status = show->show(show, span->pairs[i].key, span->pairs[i].value);
        }
    }
    for (size_t i = 0; i < outer->pair_count && status == HF_OK; i++) {
        if (!has_pair(span, outer->pairs[i].key) && matches(list, outer->pairs[i].key)) {
            status = show->show(show, outer->pairs[i].key, outer->pairs[i].value);
        }
    }
    return status;
}

static enum hf_status each_of(const struct spanmetrics_dimensions *dimensions,
                              const struct spanmetrics_list *list, struct spanmetrics_values *span,
                              struct spanmetrics_values *outer, struct spanmetrics_show *show)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < list->named_count && status == HF_OK; i++) {
        const struct spanmetrics_named *named = &list->named[i];
        struct hf_slice value = span->slots[named->slot];
        value = value.data == NULL ? outer->slots[named->slot] : value;
        if (value.data == NULL && named->has_fallback) {
            value = named->fallback;
        }
        if (value.data != NULL) {
            status = show->show(show, dimensions->names[named->slot], value);
        }
    }
    return status == HF_OK && list->glob_count != 0 ? each_glob(list, span, outer, show) : status;
}

enum hf_status spanmetrics_dimensions_each(const struct spanmetrics_dimensions *dimensions,
                                           enum spanmetrics_metric metric,
                                           struct spanmetrics_values *span,
                                           struct spanmetrics_values *outer,
                                           struct spanmetrics_show *show)
{
    enum hf_status status = each_of(dimensions, &dimensions->common, span, outer, show);
    return status == HF_OK ? each_of(dimensions, &dimensions->more[metric], span, outer, show)
                           : status;
}
