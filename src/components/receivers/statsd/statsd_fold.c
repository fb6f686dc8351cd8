/* statsd_fold: what a line adds to the store. */
#include <math.h>
#include <stdlib.h>

#include "statsd_store.h"

#define TAG_BYTES_MAX ((size_t)64 << 10)

/* ---- tags ---- */

static int compare_tags(const void *a, const void *b)
{
    const struct hf_statsd_tag *one = a, *other = b;
    int order = hf_slice_compare(one->key, other->key);
    /* Of a key that is there twice the last one counts: they keep their order in memory. */
    return order != 0 ? order : one->value.data < other->value.data ? -1 : 1;
}

static uint8_t *put_text(uint8_t *at, struct hf_slice text)
{
    uint32_t size = (uint32_t)text.size;
    at = mempcpy(at, &size, sizeof(size));
    return text.size != 0 ? mempcpy(at, text.data, text.size) : at;
}

/* Sorted pairs, each text behind its size of 4 bytes. False: they are too long. */
static bool write_tags(const struct statsd_store *store, const struct hf_statsd_line *line,
                       uint8_t *room, struct hf_slice *ret_tags)
{
    struct hf_statsd_tag tags[HF_STATSD_TAGS_MAX + 1];
    size_t count = line->tag_count, size = 0;
    uint8_t *at = room;
    memcpy(tags, line->tags, count * sizeof(tags[0]));
    if (count > 1) {
        qsort(tags, count, sizeof(tags[0]), compare_tags);
    }
    for (size_t i = 0; i < count; i++) {
        bool is_type = store->config->adds_type && hf_slice_is(tags[i].key, "metric_type");
        size_t more = tags[i].key.size + tags[i].value.size + 8;
        if (is_type || (i + 1 < count && hf_slice_equal(tags[i].key, tags[i + 1].key))) {
            continue;
        }
        size += more;
        if (size > TAG_BYTES_MAX) {
            return false;
        }
        at = put_text(put_text(at, tags[i].key), tags[i].value);
    }
    *ret_tags = hf_slice_of(room, size);
    return true;
}

/* ---- one line ---- */

/* 0 to below 1, by xorshift. */
static double draw(struct statsd_store *store)
{
    store->random ^= store->random << 13;
    store->random ^= store->random >> 7;
    store->random ^= store->random << 17;
    return (double)(store->random >> 11) * 0x1p-53;
}

/* As Go converts; what does not fit is the nearest that does. */
static int64_t whole(double number)
{
    return number >= 0x1p63 ? INT64_MAX : number <= -0x1p63 ? INT64_MIN : (int64_t)number;
}

static void add_counter(struct statsd_store *store, struct statsd_series *series,
                        const struct hf_statsd_line *line, bool is_new)
{
    double value = line->rate > 0 && line->rate < 1 ? line->value / line->rate : line->value;
    double below = floor(value);
    int64_t more = whole(value);
    if (store->config->counter == STATSD_STOCHASTIC) {
        more = whole(below) + (draw(store) < value - below ? 1 : 0);
    }
    series->number += value;
    if (__builtin_add_overflow(series->integer, more, &series->integer)) {
        series->integer = more < 0 ? INT64_MIN : INT64_MAX;
    }
    if (is_new) {
        series->time_ns = line->time_ns;
    }
}

static void add_gauge(struct statsd_series *series, const struct hf_statsd_line *line, bool is_new,
                      uint64_t now_ns)
{
    if (line->is_change && !is_new) {
        series->number += line->value;
        return;
    }
    series->number = line->value;
    series->time_ns = now_ns;
}

static void count_value(struct statsd_series *series, double value, uint64_t count)
{
    series->min = series->count == 0 || value < series->min ? value : series->min;
    series->max = series->count == 0 || value > series->max ? value : series->max;
    series->count += count;
    series->sum += value * (double)count;
}

static void add_explicit(struct statsd_series *series, double value, uint64_t count)
{
    size_t low = 0, high = series->bound_count; /* the first bound that is not below */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (series->bounds[middle] < value) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    series->counts[low] += count;
    count_value(series, value, count);
}

static bool add_exponential(struct statsd_store *store, struct statsd_series *series, double value,
                            uint64_t count)
{
    struct hf_distribution **to = value < 0 ? &series->negative : &series->positive;
    if (*to == NULL) {
        size_t bytes = hf_distribution_bytes(&series->form);
        if (store->distribution_bytes + bytes > STATSD_BYTES_MAX) {
            return false;
        }
        *to = hf_distribution_new(&series->form);
        if (*to == NULL) {
            return false;
        }
        store->distribution_bytes += bytes;
    }
    hf_distribution_observe(&series->form, *to, fabs(value), count);
    count_value(series, value, count);
    return true;
}

/* How the line is kept. False: not at all. */
static bool identify(const struct statsd_store *store, const struct hf_statsd_line *line,
                     struct statsd_identity *identity)
{
    const struct statsd_rule *rule =
        line->type == HF_STATSD_TIMING ? &store->rules->timing : &store->rules->histogram;
    identity->type = line->type;
    identity->name = line->name;
    identity->is_float = store->config->counter == STATSD_FLOAT;
    if (line->type == HF_STATSD_COUNTER || line->type == HF_STATSD_GAUGE) {
        identity->shape = line->type == HF_STATSD_COUNTER ? STATSD_SUM : STATSD_LAST;
        return true;
    }
    identity->size_max = rule->size_max;
    identity->shape = rule->observer == STATSD_AS_GAUGE     ? STATSD_POINTS
                      : rule->observer == STATSD_AS_SUMMARY ? STATSD_SUMMARY
                                                            : STATSD_EXPONENTIAL;
    for (size_t i = 0; identity->shape == STATSD_EXPONENTIAL && i < rule->bounds_count; i++) {
        if (hf_regex_matches(rule->bounds[i].pattern, line->name)) {
            identity->shape = STATSD_EXPLICIT;
            identity->bounds = rule->bounds[i].bounds;
            identity->bound_count = rule->bounds[i].count;
        }
    }
    return rule->observer != STATSD_NONE;
}

static bool add_to(struct statsd_store *store, struct statsd_series *series,
                   const struct hf_statsd_line *line, bool is_new, uint64_t now_ns)
{
    double weight = line->rate > 0 && line->rate < 1 ? 1 / line->rate : 1;
    /* Very small rates: a count that would not fit is the largest. */
    uint64_t count = weight < 0x1p53 ? (uint64_t)weight : UINT64_C(1) << 53;
    switch (series->shape) {
    case STATSD_SUM:
        add_counter(store, series, line, is_new);
        return true;
    case STATSD_LAST:
        add_gauge(series, line, is_new, now_ns);
        return true;
    case STATSD_POINTS:
        return statsd_series_put(store, series, (struct statsd_value){line->value, 1, now_ns});
    case STATSD_SUMMARY:
        if (!statsd_series_put(store, series, (struct statsd_value){line->value, weight, 0})) {
            return false;
        }
        series->weight += weight;
        series->sum += line->value * weight;
        return true;
    case STATSD_EXPLICIT:
        add_explicit(series, line->value, count);
        return true;
    case STATSD_EXPONENTIAL:
    case STATSD_SHAPES:
        break;
    }
    return add_exponential(store, series, line->value, count);
}

enum hf_status statsd_store_add(struct statsd_store *store, struct statsd_sender *sender,
                                const struct hf_statsd_line *line, uint64_t now_ns)
{
    uint8_t room[TAG_BYTES_MAX];
    struct statsd_identity identity = {0};
    bool is_new = false;
    if (!identify(store, line, &identity)) {
        return HF_OK;
    }
    if (!write_tags(store, line, room, &identity.tags)) {
        return HF_TOO_LARGE;
    }
    struct statsd_series *series = statsd_store_need(store, sender, &identity, &is_new);
    return series != NULL && add_to(store, series, line, is_new, now_ns) ? HF_OK : HF_FULL;
}
