/*
 * gather_family: which family a series belongs to, by its name and by what TYPE, HELP and UNIT say.
 */
#include <string.h>

#include "gather_internal.h"

#define LITERAL(text) ((struct hf_slice){(const uint8_t *)(text), sizeof(text) - 1})
#define SEED_META UINT64_C(0x2545f4914f6cdd1d)

void *hf_prom_gather_take(struct hf_prom_gather *gather, size_t size)
{
    void *piece = hf_arena_take(gather->arena, size);
    if (piece == NULL) {
        gather->failed = true;
        return NULL;
    }
    return memset(piece, 0, size);
}

/* ---- metadata ---- */

static const struct gather_meta *find_meta(const struct hf_prom_gather *gather,
                                           struct hf_slice name)
{
    return hf_prom_table_get(&gather->metas, hf_prom_hash(name, SEED_META));
}

void hf_prom_gather_metadata(struct hf_prom_gather *gather, enum hf_expo_item item,
                             const struct hf_expo_reader *reader)
{
    bool is_new = false;
    struct hf_prom_table_entry *entry =
        hf_prom_table_put(&gather->metas, hf_prom_hash(reader->name, SEED_META), &is_new);
    if (entry == NULL) {
        gather->failed = true;
        return;
    }
    struct gather_meta *meta = entry->value;
    if (meta == NULL) {
        meta = hf_prom_gather_take(gather, sizeof(*meta));
        if (meta == NULL) {
            return;
        }
        meta->family = reader->name;
        meta->generation = gather->generation;
        entry->value = meta;
    }
    if (meta->generation != gather->generation) {
        return;
    }
    if (item == HF_EXPO_IS_TYPE) {
        meta->type = reader->type;
    } else if (item == HF_EXPO_IS_HELP) {
        meta->help = reader->text;
    } else if (item == HF_EXPO_IS_UNIT) {
        meta->unit = reader->text;
    }
}

void hf_prom_gather_keep_metadata(struct hf_prom_gather *gather)
{
    gather->generation++;
}

/* The series that a scraper makes itself. */
static const struct gather_meta own_metas[] = {
    {LITERAL("up"), LITERAL("The scraping was successful"), {NULL, 0}, HF_EXPO_GAUGE, 0},
    {LITERAL("scrape_duration_seconds"), LITERAL("Duration of the scrape"), LITERAL("seconds"),
     HF_EXPO_GAUGE, 0},
    {LITERAL("scrape_samples_scraped"),
     LITERAL("The number of samples the target exposed"),
     {NULL, 0},
     HF_EXPO_GAUGE,
     0},
    {LITERAL("scrape_series_added"),
     LITERAL("The approximate number of new series in this scrape"),
     {NULL, 0},
     HF_EXPO_GAUGE,
     0},
    {LITERAL("scrape_samples_post_metric_relabeling"),
     LITERAL("The number of samples remaining after metric relabeling was applied"),
     {NULL, 0},
     HF_EXPO_GAUGE,
     0},
};

static const struct gather_meta *find_own_meta(struct hf_slice name)
{
    for (size_t i = 0; i < sizeof(own_metas) / sizeof(own_metas[0]); i++) {
        if (hf_slice_equal(own_metas[i].family, name)) {
            return &own_metas[i];
        }
    }
    return NULL;
}

/* Without the suffix that names a part of a family. */
static struct hf_slice normalize(struct hf_slice name)
{
    static const struct hf_slice suffixes[] = {
        LITERAL("_bucket"), LITERAL("_count"), LITERAL("_sum"),
        LITERAL("_total"),  LITERAL("_info"),  LITERAL("_created"),
    };
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        size_t size = suffixes[i].size;
        if (name.size > size && memcmp(name.data + name.size - size, suffixes[i].data, size) == 0) {
            return hf_slice_of(name.data, name.size - size);
        }
    }
    return name;
}

/* ---- families ---- */

static uint64_t family_hash(const struct gather_family_key *key)
{
    uint64_t seed = (uint64_t)(uintptr_t)key->scope ^ (key->is_native ? SEED_META : 0);
    return hf_prom_hash(key->name, seed);
}

/* Of a counter `foo`, "foo_created" belongs to "foo_total", as OpenMetrics writes them. */
static bool is_counter_created(struct hf_slice name, const struct gather_meta *meta)
{
    return hf_prom_has_suffix(name, "_created", sizeof("_created") - 1) && meta != NULL &&
           meta->type == HF_EXPO_COUNTER;
}

static struct hf_slice with_total(struct hf_prom_gather *gather, struct hf_slice name)
{
    uint8_t *text = hf_prom_gather_take(gather, name.size + sizeof("_total"));
    if (text == NULL) {
        return name;
    }
    memcpy(text, name.data, name.size);
    memcpy(text + name.size, "_total", sizeof("_total") - 1);
    return hf_slice_of(text, name.size + sizeof("_total") - 1);
}

static enum gather_kind kind_of(struct gather_family *family, bool is_native)
{
    if (is_native) {
        return GATHER_NATIVE;
    }
    switch (family->meta->type) {
    case HF_EXPO_COUNTER:
        family->is_monotonic = true;
        return GATHER_SUM;
    case HF_EXPO_INFO:
    case HF_EXPO_STATESET:
        return GATHER_SUM;
    case HF_EXPO_HISTOGRAM:
        return GATHER_HISTOGRAM;
    case HF_EXPO_SUMMARY:
        return GATHER_SUMMARY;
    case HF_EXPO_GAUGE_HISTOGRAM:
        family->is_other = true;
        return GATHER_GAUGE;
    default:
        return GATHER_GAUGE;
    }
}

static bool includes(const struct gather_family *family, struct hf_slice name)
{
    if (family->kind == GATHER_SUM) {
        return hf_slice_equal(normalize(name), family->meta->family);
    }
    if (family->kind != GATHER_GAUGE || family->is_other) {
        return hf_slice_equal(normalize(name), family->name);
    }
    return hf_slice_equal(name, family->name);
}

/* Finds what is known of the metric, and the name of its family. */
static const struct gather_meta *meta_for(struct hf_prom_gather *gather, struct hf_slice name,
                                          struct hf_slice *ret_family)
{
    const struct gather_meta *meta = find_own_meta(name);
    meta = meta != NULL ? meta : find_meta(gather, name);
    *ret_family = name;
    if (meta != NULL) {
        return meta;
    }
    struct hf_slice normal = normalize(name);
    meta = find_meta(gather, normal);
    if (meta != NULL) {
        bool is_counter = meta->type == HF_EXPO_COUNTER;
        if (is_counter_created(name, meta)) {
            *ret_family = with_total(gather, normal);
        } else if (!is_counter) {
            *ret_family = normal;
        }
        return meta;
    }
    struct gather_meta *unknown = hf_prom_gather_take(gather, sizeof(*unknown));
    if (unknown != NULL) {
        unknown->family = name;
    }
    return unknown;
}

static struct gather_family *make_family(struct hf_prom_gather *gather,
                                         const struct gather_family_key *key)
{
    struct gather_family *family = hf_prom_gather_take(gather, sizeof(*family));
    if (family == NULL) {
        return NULL;
    }
    family->meta = meta_for(gather, key->name, &family->name);
    if (family->meta == NULL) {
        return NULL;
    }
    family->kind = kind_of(family, key->is_native);
    family->id = hf_prom_hash(family->name, (uint64_t)(uintptr_t)family);
    struct gather_scope *scope = key->scope;
    if (scope->last_family != NULL) {
        scope->last_family->next = family;
    } else {
        scope->families = family;
    }
    scope->last_family = family;
    return family;
}

static struct gather_family *put_family(struct hf_prom_gather *gather,
                                        const struct gather_family_key *key,
                                        struct gather_family *family)
{
    bool is_new = false;
    struct hf_prom_table_entry *entry =
        hf_prom_table_put(&gather->families, family_hash(key), &is_new);
    if (entry == NULL) {
        gather->failed = true;
        return NULL;
    }
    entry->value = family;
    return family;
}

struct gather_family *hf_prom_gather_family(struct hf_prom_gather *gather,
                                            const struct gather_family_key *key)
{
    uint64_t hash = family_hash(key);
    if (gather->last_family != NULL && gather->last_name_hash == hash) {
        return gather->last_family;
    }
    struct gather_family *family = hf_prom_table_get(&gather->families, hash);
    if (family == NULL) {
        struct gather_family_key whole = *key;
        if (find_meta(gather, key->name) == NULL) {
            whole.name = normalize(key->name);
            if (is_counter_created(key->name, find_meta(gather, whole.name))) {
                whole.name = with_total(gather, whole.name);
            }
        }
        family = hf_prom_table_get(&gather->families, family_hash(&whole));
        if (family == NULL || !includes(family, key->name)) {
            family = make_family(gather, key);
            if (family == NULL) {
                return NULL;
            }
            whole.name = family->name;
            family = put_family(gather, &whole, family);
        }
        family = family != NULL ? put_family(gather, key, family) : NULL;
    }
    gather->last_family = family;
    gather->last_name_hash = hash;
    return family;
}
