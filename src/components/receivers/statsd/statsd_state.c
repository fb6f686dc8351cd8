/*
 * statsd_state: the store in a file, so that a kill costs no more than what was read since it was
 * written last.
 */
#include <stdlib.h>

#include "statsd_store.h"

/* The fixed part of a series; in the byte order of the machine, as all of the file. */
struct saved_series {
    uint32_t shape, type, is_float, size_max;
    uint64_t time_ns;
    int64_t integer;
    double number;
    uint64_t count;
    double weight, sum, min, max;
    uint64_t value_count, bound_count;
    uint32_t has_positive, has_negative;
};

static void save_series(const struct statsd_series *series, struct hf_state_writer *writer)
{
    const struct saved_series saved = {.shape = (uint32_t)series->shape,
                                       .type = (uint32_t)series->type,
                                       .is_float = series->is_float,
                                       .size_max = series->form.size_max,
                                       .time_ns = series->time_ns,
                                       .integer = series->integer,
                                       .number = series->number,
                                       .count = series->count,
                                       .weight = series->weight,
                                       .sum = series->sum,
                                       .min = series->min,
                                       .max = series->max,
                                       .value_count = series->value_count,
                                       .bound_count = series->bound_count,
                                       .has_positive = series->positive != NULL,
                                       .has_negative = series->negative != NULL};
    hf_state_file_put(writer, &saved, sizeof(saved));
    hf_state_file_put_bytes(writer, series->name);
    hf_state_file_put_bytes(writer, series->tags);
    if (series->shape == STATSD_EXPLICIT) {
        hf_state_file_put(writer, series->bounds, series->bound_count * sizeof(series->bounds[0]));
        hf_state_file_put(writer, series->counts,
                          (series->bound_count + 1) * sizeof(series->counts[0]));
    }
    for (const struct statsd_values *at = series->first_values; at != NULL; at = at->next) {
        hf_state_file_put(writer, at->items, at->count * sizeof(at->items[0]));
    }
    if (series->positive != NULL) {
        hf_distribution_save(series->positive, writer);
    }
    if (series->negative != NULL) {
        hf_distribution_save(series->negative, writer);
    }
}

void statsd_store_save(const struct statsd_store *store, struct hf_state_writer *writer)
{
    hf_state_put_u64(writer, store->begun_ns);
    for (const struct statsd_sender *sender = store->first; sender != NULL; sender = sender->next) {
        for (const struct statsd_series *series = sender->first; series != NULL;
             series = series->next) {
            hf_state_put_u64(writer, 1);
            hf_state_file_put_bytes(writer, hf_slice_text(sender->text));
            save_series(series, writer);
        }
    }
    hf_state_put_u64(writer, 0);
}

/* ---- loading ---- */

struct load {
    struct statsd_store *store;
    struct hf_state_reader *reader;
    struct saved_series saved;
    struct hf_bytes sender, name, tags;
    double *bounds;
    uint64_t *counts;
};

static bool fail(struct load *load, enum hf_status status)
{
    load->reader->status = load->reader->status == HF_OK ? status : load->reader->status;
    return false;
}

static bool load_bounds(struct load *load)
{
    size_t count = (size_t)load->saved.bound_count;
    if (load->saved.shape != STATSD_EXPLICIT) {
        return load->saved.bound_count == 0 || fail(load, HF_CORRUPT);
    }
    if (load->saved.bound_count > HF_DISTRIBUTION_BOUNDS_MAX) {
        return fail(load, HF_CORRUPT);
    }
    load->bounds = calloc(count + 1, sizeof(*load->bounds));
    load->counts = calloc(count + 1, sizeof(*load->counts));
    if (load->bounds == NULL || load->counts == NULL) {
        return fail(load, HF_NOMEM);
    }
    return hf_state_file_get(load->reader, load->bounds, count * sizeof(*load->bounds)) &&
           hf_state_file_get(load->reader, load->counts, (count + 1) * sizeof(*load->counts));
}

static bool load_values(struct load *load, struct statsd_series *series)
{
    for (uint64_t i = 0; i < load->saved.value_count; i++) {
        struct statsd_value value;
        if (!hf_state_file_get(load->reader, &value, sizeof(value))) {
            return false;
        }
        if (!statsd_series_put(load->store, series, value)) {
            return fail(load, HF_NOMEM);
        }
    }
    return true;
}

static bool load_distribution(struct load *load, struct statsd_series *series,
                              struct hf_distribution **ret_distribution)
{
    *ret_distribution = hf_distribution_load(&series->form, load->reader);
    load->store->distribution_bytes += hf_distribution_bytes(&series->form);
    return *ret_distribution != NULL;
}

static void set_saved(struct statsd_series *series, const struct saved_series *saved)
{
    series->time_ns = saved->time_ns;
    series->integer = saved->integer;
    series->number = saved->number;
    series->count = saved->count;
    series->weight = saved->weight;
    series->sum = saved->sum;
    series->min = saved->min;
    series->max = saved->max;
}

static bool load_series(struct load *load)
{
    const struct saved_series *saved = &load->saved;
    bool is_new = false;
    if (!hf_state_file_get_bytes(load->reader, &load->sender) ||
        !hf_state_file_get(load->reader, &load->saved, sizeof(load->saved)) ||
        !hf_state_file_get_bytes(load->reader, &load->name) ||
        !hf_state_file_get_bytes(load->reader, &load->tags)) {
        return false;
    }
    if (saved->shape >= STATSD_SHAPES || saved->type > HF_STATSD_DISTRIBUTION ||
        saved->size_max > HF_DISTRIBUTION_SIZE_MAX || load->sender.size >= STATSD_SENDER_MAX) {
        return fail(load, HF_CORRUPT);
    }
    if (!load_bounds(load)) {
        return false;
    }
    char address[STATSD_SENDER_MAX] = "";
    if (load->sender.size != 0) {
        memcpy(address, load->sender.data, load->sender.size);
    }
    const struct statsd_identity identity = {.shape = (enum statsd_shape)saved->shape,
                                             .type = (enum hf_statsd_type)saved->type,
                                             .name = hf_slice_of(load->name.data, load->name.size),
                                             .tags = hf_slice_of(load->tags.data, load->tags.size),
                                             .bounds = load->bounds,
                                             .bound_count = (size_t)saved->bound_count,
                                             .size_max = saved->size_max,
                                             .is_float = saved->is_float != 0};
    struct statsd_sender *sender = statsd_store_sender(load->store, address);
    struct statsd_series *series =
        sender != NULL ? statsd_store_need(load->store, sender, &identity, &is_new) : NULL;
    if (series == NULL || !is_new) {
        return fail(load, series == NULL ? HF_NOMEM : HF_CORRUPT);
    }
    set_saved(series, saved);
    if (saved->shape == STATSD_EXPLICIT) {
        memcpy(series->counts, load->counts,
               ((size_t)saved->bound_count + 1) * sizeof(series->counts[0]));
    }
    return load_values(load, series) &&
           (saved->has_positive == 0 || load_distribution(load, series, &series->positive)) &&
           (saved->has_negative == 0 || load_distribution(load, series, &series->negative));
}

void statsd_store_load(struct statsd_store *store, struct hf_state_reader *reader)
{
    struct load load = {.store = store, .reader = reader};
    uint64_t begun_ns = hf_state_get_u64(reader);
    while (reader->status == HF_OK && hf_state_get_u64(reader) == 1) {
        bool go_on = load_series(&load);
        free(load.bounds);
        free(load.counts);
        load.bounds = NULL;
        load.counts = NULL;
        if (!go_on) {
            (void)fail(&load, HF_CORRUPT);
        }
    }
    store->begun_ns = reader->status == HF_OK ? begun_ns : store->begun_ns;
    hf_bytes_release(&load.sender);
    hf_bytes_release(&load.name);
    hf_bytes_release(&load.tags);
}
