#include "gather.h"

#include <math.h>
#include <string.h>

#include "gather_internal.h"

#define LITERAL(text) ((struct hf_slice){(const uint8_t *)(text), sizeof(text) - 1})
#define HAS_SUFFIX(name, text) hf_prom_has_suffix(name, text, sizeof(text) - 1)
#define SCOPE_PREFIX "otel_scope_"
#define IS_SCOPE(name) hf_prom_has_prefix(name, SCOPE_PREFIX, sizeof(SCOPE_PREFIX) - 1)
#define SEED_RESOURCE UINT64_C(0x6a09e667f3bcc909)

double hf_prom_stale_value(void)
{
    const uint64_t bits = HF_PROM_STALE_NAN;
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

bool hf_prom_is_stale(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits == HF_PROM_STALE_NAN;
}

void hf_prom_gather_init(struct hf_prom_gather *gather, struct hf_arena *arena)
{
    *gather = (struct hf_prom_gather){.arena = arena};
}

void hf_prom_gather_release(struct hf_prom_gather *gather)
{
    hf_prom_table_release(&gather->metas);
    hf_prom_table_release(&gather->families);
    hf_prom_table_release(&gather->groups);
}

void hf_prom_gather_begin(struct hf_prom_gather *gather,
                          const struct hf_prom_gather_options *options)
{
    hf_prom_table_clear(&gather->metas);
    hf_prom_table_clear(&gather->families);
    hf_prom_table_clear(&gather->groups);
    gather->options = *options;
    gather->resources = gather->last_resource = NULL;
    gather->last_family = NULL;
    gather->last_name_hash = 0;
    gather->start_time_s = 0;
    gather->skipped = 0;
    gather->failed = false;
}

/* ---- resources and scopes ---- */

static struct gather_resource *find_resource(struct hf_prom_gather *gather, struct hf_slice job,
                                             struct hf_slice instance)
{
    job = job.size != 0 ? job : gather->options.job;
    instance = instance.size != 0 ? instance : gather->options.instance;
    struct gather_resource *last = gather->last_resource;
    if (last != NULL && hf_slice_equal(last->instance, instance) &&
        hf_slice_equal(last->job, job)) {
        return last;
    }
    bool is_new = false;
    const struct hf_prom_label key = {job, instance};
    struct hf_prom_table_entry *entry =
        hf_prom_table_put(&gather->families, hf_prom_label_hash(&key) ^ SEED_RESOURCE, &is_new);
    if (entry == NULL) {
        gather->failed = true;
        return NULL;
    }
    struct gather_resource *resource = entry->value;
    if (resource == NULL) {
        resource = hf_prom_gather_take(gather, sizeof(*resource));
        if (resource == NULL) {
            return NULL;
        }
        resource->job = job;
        resource->instance = instance;
        resource->next = gather->resources;
        gather->resources = resource;
        entry->value = resource;
    }
    gather->last_resource = resource;
    gather->last_family = NULL;
    return resource;
}

static struct gather_scope *find_scope(struct hf_prom_gather *gather,
                                       struct gather_resource *resource,
                                       const struct hf_prom_sample *sample, uint64_t hash)
{
    struct gather_scope *scope = resource->scopes;
    while (scope != NULL && scope->hash != hash) {
        scope = scope->next;
    }
    if (scope != NULL) {
        return scope;
    }
    scope = hf_prom_gather_take(gather, sizeof(*scope));
    if (scope == NULL) {
        return NULL;
    }
    struct hf_prom_label *attributes =
        hash != 0 ? hf_prom_gather_take(gather, sample->label_count * sizeof(*attributes)) : NULL;
    if (hash != 0 && attributes == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < sample->label_count && hash != 0; i++) {
        struct hf_slice name = sample->labels[i].name;
        if (hf_slice_equal(name, LITERAL("otel_scope_name"))) {
            scope->name = sample->labels[i].value;
        } else if (hf_slice_equal(name, LITERAL("otel_scope_version"))) {
            scope->version = sample->labels[i].value;
        } else if (IS_SCOPE(name) && !hf_slice_equal(name, LITERAL("otel_scope_schema_url"))) {
            size_t size = sizeof(SCOPE_PREFIX) - 1;
            attributes[scope->attribute_count++] = (struct hf_prom_label){
                hf_slice_of(name.data + size, name.size - size), sample->labels[i].value};
        }
    }
    scope->attributes = attributes;
    scope->hash = hash;
    scope->next = resource->scopes;
    resource->scopes = scope;
    return scope;
}

static bool is_resource_label(struct hf_slice name)
{
    return hf_slice_equal(name, LITERAL("job")) || hf_slice_equal(name, LITERAL("instance"));
}

static void add_target_info(struct hf_prom_gather *gather, struct gather_resource *resource,
                            const struct hf_prom_sample *sample)
{
    resource->info_count = 0;
    resource->info =
        hf_prom_gather_take(gather, (sample->label_count + 1) * sizeof(*resource->info));
    for (size_t i = 0; i < sample->label_count && resource->info != NULL; i++) {
        if (!is_resource_label(sample->labels[i].name)) {
            resource->info[resource->info_count++] = sample->labels[i];
        }
    }
}

/* The labels of otel_scope_info are those of the scope, without a prefix but for name and version.
 */
static void add_scope_info(struct hf_prom_gather *gather, struct gather_resource *resource,
                           const struct hf_prom_sample *sample)
{
    struct hf_prom_label *attributes =
        hf_prom_gather_take(gather, (sample->label_count + 1) * sizeof(*attributes));
    size_t count = 0;
    uint64_t hash = 0;
    for (size_t i = 0; i < sample->label_count && attributes != NULL; i++) {
        struct hf_slice name = sample->labels[i].name;
        if (hf_slice_equal(name, LITERAL("otel_scope_name")) ||
            hf_slice_equal(name, LITERAL("otel_scope_version"))) {
            hash += hf_prom_label_hash(&sample->labels[i]);
        } else if (!is_resource_label(name)) {
            attributes[count++] = sample->labels[i];
        }
    }
    struct gather_scope *scope =
        attributes != NULL ? find_scope(gather, resource, sample, hash) : NULL;
    if (scope != NULL) {
        scope->attributes = attributes;
        scope->attribute_count = count;
    }
}

/* ---- points ---- */

/* What the labels of a sample say, found in one pass. */
struct sorted_labels {
    struct hf_slice job, instance, bound; /* le or quantile */
    struct hf_slice le, quantile;
    uint64_t hash; /* of those that are always attributes */
    uint64_t le_hash, quantile_hash, scope_hash;
};

static void sort_label(const struct hf_prom_label *label, uint64_t hash,
                       struct sorted_labels *sorted)
{
    struct hf_slice name = label->name;
    if (hf_slice_equal(name, LITERAL("job"))) {
        sorted->job = label->value;
    } else if (hf_slice_equal(name, LITERAL("instance"))) {
        sorted->instance = label->value;
    } else if (hf_slice_equal(name, LITERAL("le"))) {
        sorted->le = label->value;
        sorted->le_hash = hash;
    } else if (hf_slice_equal(name, LITERAL("quantile"))) {
        sorted->quantile = label->value;
        sorted->quantile_hash = hash;
    } else if (IS_SCOPE(name)) {
        sorted->scope_hash += hash;
    } else if (!hf_slice_equal(name, LITERAL("__scheme__")) &&
               !hf_slice_equal(name, LITERAL("__metrics_path__"))) {
        sorted->hash += hash;
    }
}

static bool is_attribute(const struct gather_family *family, const struct hf_prom_label *label)
{
    struct hf_slice name = label->name;
    bool is_bucket = family->kind == GATHER_HISTOGRAM || family->kind == GATHER_NATIVE;
    return label->value.size != 0 && !is_resource_label(name) && !IS_SCOPE(name) &&
           !(is_bucket && hf_slice_equal(name, LITERAL("le"))) &&
           !(family->kind == GATHER_SUMMARY && hf_slice_equal(name, LITERAL("quantile"))) &&
           !hf_slice_equal(name, LITERAL("__scheme__")) &&
           !hf_slice_equal(name, LITERAL("__metrics_path__"));
}

static struct gather_group *make_group(struct hf_prom_gather *gather, struct gather_family *family,
                                       const struct hf_prom_sample *sample)
{
    struct gather_group *group = hf_prom_gather_take(gather, sizeof(*group));
    struct hf_prom_label *labels =
        hf_arena_take(gather->arena, (sample->label_count + 1) * sizeof(*labels));
    if (group == NULL || labels == NULL) {
        gather->failed = true;
        return NULL;
    }
    for (size_t i = 0; i < sample->label_count; i++) {
        if (is_attribute(family, &sample->labels[i])) {
            labels[group->label_count++] = sample->labels[i];
        }
    }
    hf_arena_trim(gather->arena, labels, group->label_count * sizeof(*labels));
    group->labels = labels;
    group->time_ms = sample->time_ms;
    if (family->last_group != NULL) {
        family->last_group->next = group;
    } else {
        family->groups = group;
    }
    family->last_group = group;
    family->group_count++;
    return group;
}

static struct gather_group *find_group(struct hf_prom_gather *gather, struct gather_family *family,
                                       const struct hf_prom_sample *sample,
                                       const struct sorted_labels *sorted)
{
    uint64_t hash = sorted->hash;
    bool is_bucket = family->kind == GATHER_HISTOGRAM || family->kind == GATHER_NATIVE;
    hash += is_bucket ? 0 : sorted->le_hash;
    hash += family->kind == GATHER_SUMMARY ? 0 : sorted->quantile_hash;
    hash ^= family->id;
    if (family->used_last != NULL && family->last_hash == hash) {
        return family->used_last;
    }
    bool is_new = false;
    struct hf_prom_table_entry *entry = hf_prom_table_put(&gather->groups, hash, &is_new);
    if (entry == NULL) {
        gather->failed = true;
        return NULL;
    }
    if (entry->value == NULL) {
        entry->value = make_group(gather, family, sample);
    }
    family->last_hash = hash;
    family->used_last = entry->value;
    return entry->value;
}

static bool add_pair(struct hf_prom_gather *gather, struct gather_group *group, double bound,
                     const struct hf_prom_sample *sample)
{
    if (group->pair_count == group->pair_capacity) {
        uint32_t capacity = group->pair_capacity != 0 ? 2 * group->pair_capacity : 16;
        struct gather_pair *pairs = hf_arena_take(gather->arena, capacity * sizeof(*pairs));
        if (pairs == NULL) {
            gather->failed = true;
            return false;
        }
        if (group->pair_count != 0) {
            memcpy(pairs, group->pairs, group->pair_count * sizeof(*pairs));
        }
        group->pairs = pairs;
        group->pair_capacity = capacity;
    }
    group->pairs[group->pair_count++] = (struct gather_pair){bound, sample->value, sample->number};
    return true;
}

static void set_created(struct gather_group *group, const struct hf_prom_sample *sample)
{
    group->created_s = sample->value;
    group->created_from = sample->number;
    group->has_created = true;
}

/* A series of a histogram or summary. False: it has no bound. */
static bool add_part(struct hf_prom_gather *gather, struct gather_family *family,
                     struct gather_group *group, const struct hf_prom_sample *sample,
                     struct hf_slice bound_text)
{
    struct hf_slice name = sample->name;
    struct hf_slice base = family->meta->family;
    double bound = 0;
    if (HAS_SUFFIX(name, "_sum")) {
        group->sum = sample->value;
        group->sum_from = sample->number;
        group->has_sum = true;
    } else if (HAS_SUFFIX(name, "_count")) {
        group->count = sample->value;
        group->count_from = sample->number;
        group->has_count = true;
    } else if (HAS_SUFFIX(name, "_created") && name.size == base.size + sizeof("_created") - 1) {
        set_created(group, sample);
    } else {
        return hf_expo_number(bound_text, &bound) && add_pair(gather, group, bound, sample);
    }
    return true;
}

static void add_exemplars(struct hf_prom_gather *gather, struct gather_group *group,
                          const struct hf_prom_sample *sample)
{
    size_t count = group->exemplar_count + sample->exemplar_count;
    if (count > group->exemplar_capacity) {
        struct hf_expo_exemplar *exemplars =
            hf_arena_take(gather->arena, 2 * count * sizeof(*exemplars));
        if (exemplars == NULL) {
            gather->failed = true;
            return;
        }
        if (group->exemplar_count != 0) {
            memcpy(exemplars, group->exemplars, group->exemplar_count * sizeof(*exemplars));
        }
        group->exemplars = exemplars;
        group->exemplar_capacity = 2 * count;
    }
    for (size_t i = 0; i < sample->exemplar_count; i++) {
        group->exemplars[group->exemplar_count++] = sample->exemplars[i];
    }
}

static bool add_to_group(struct hf_prom_gather *gather, struct gather_family *family,
                         struct gather_group *group, const struct hf_prom_sample *sample,
                         const struct sorted_labels *sorted)
{
    struct hf_slice base = family->meta->family;
    bool is_created = HAS_SUFFIX(sample->name, "_created") &&
                      sample->name.size == base.size + sizeof("_created") - 1;
    if (sample->has_created) {
        group->created_s = (double)sample->created_ms / 1000;
    }
    switch (family->kind) {
    case GATHER_HISTOGRAM:
        return add_part(gather, family, group, sample, sorted->le);
    case GATHER_SUMMARY:
        return add_part(gather, family, group, sample, sorted->quantile);
    case GATHER_NATIVE:
        group->native = sample->native;
        group->value = sample->value;
        group->has_value = true;
        return true;
    case GATHER_SUM:
        if (is_created) {
            set_created(group, sample);
            return true;
        }
        break;
    case GATHER_GAUGE:
        break;
    }
    group->value = sample->value;
    group->value_from = sample->number;
    group->has_value = true;
    return true;
}

void hf_prom_gather_sample(struct hf_prom_gather *gather, const struct hf_prom_sample *sample)
{
    struct sorted_labels sorted = {.hash = 1};
    for (size_t i = 0; i < sample->label_count; i++) {
        const struct hf_prom_label *label = &sample->labels[i];
        uint64_t hash =
            sample->label_hashes != NULL ? sample->label_hashes[i] : hf_prom_label_hash(label);
        sort_label(label, hash, &sorted);
    }
    struct gather_resource *resource = find_resource(gather, sorted.job, sorted.instance);
    if (resource == NULL) {
        return;
    }
    if (hf_slice_equal(sample->name, LITERAL("target_info"))) {
        add_target_info(gather, resource, sample);
        return;
    }
    if (hf_slice_equal(sample->name, LITERAL("otel_scope_info"))) {
        add_scope_info(gather, resource, sample);
        return;
    }
    const struct hf_prom_gather_options *options = &gather->options;
    if (options->is_start_time != NULL && sample->native == NULL &&
        options->is_start_time(options->user, sample->name)) {
        gather->start_time_s = sample->value;
    }
    struct gather_scope *scope = find_scope(gather, resource, sample, sorted.scope_hash);
    if (scope == NULL) {
        return;
    }
    const struct gather_family_key key = {sample->name, sample->native != NULL, scope};
    struct gather_family *family = hf_prom_gather_family(gather, &key);
    struct gather_group *group =
        family != NULL ? find_group(gather, family, sample, &sorted) : NULL;
    if (group == NULL) {
        return;
    }
    if (group->time_ms != sample->time_ms ||
        !add_to_group(gather, family, group, sample, &sorted)) {
        gather->skipped++;
        return;
    }
    if (sample->exemplar_count != 0 && family->kind != GATHER_SUMMARY) {
        add_exemplars(gather, group, sample);
    }
}
