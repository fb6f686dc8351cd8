#include "emf_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bulk/walk.h"
#include "pdata/json_value.h"
#include "pdata/json_write.h"
#include "json/json.h"

#define SCOPE_LABEL "OTelLib"
#define RESOLUTION_LABEL "aws.emf.storage_resolution"
#define RESOLUTION 60

/* ---- sets of dimensions ---- */

struct set {
    struct hf_slice *names; /* sorted, but for the one of all labels, which is sorted as well */
    size_t count;
};

struct sets {
    struct hf_arena *arena;
    struct set *items;
    size_t count, capacity;
    bool failed;
};

static bool is_same(const struct set *a, const struct set *b)
{
    bool is_equal = a->count == b->count;
    for (size_t i = 0; is_equal && i < a->count; i++) {
        is_equal = hf_slice_equal(a->names[i], b->names[i]);
    }
    return is_equal;
}

/* NULL: no memory. */
static struct set *append_set(struct sets *sets, size_t names)
{
    struct set *made = NULL;
    if (sets->count == sets->capacity) {
        size_t capacity = sets->capacity != 0 ? 2 * sets->capacity : 16;
        struct set *moved = hf_arena_take(sets->arena, capacity * sizeof(*moved));
        if (moved != NULL && sets->count != 0) {
            memcpy(moved, sets->items, sets->count * sizeof(*moved));
        }
        sets->items = moved != NULL ? moved : sets->items;
        sets->capacity = moved != NULL ? capacity : sets->capacity;
    }
    if (sets->count < sets->capacity) {
        made = &sets->items[sets->count];
        *made =
            (struct set){.names = hf_arena_take(sets->arena, (names + 1) * sizeof(*made->names))};
    }
    if (made == NULL || made->names == NULL) {
        sets->failed = true;
        return NULL;
    }
    sets->count++;
    return made;
}

static void drop_if_known(struct sets *sets)
{
    for (size_t i = 0; i + 1 < sets->count; i++) {
        if (is_same(&sets->items[i], &sets->items[sets->count - 1])) {
            sets->count--;
            return;
        }
    }
}

static bool is_dimension(const struct emf_label *label)
{
    return !hf_slice_is(label->key, RESOLUTION_LABEL);
}

static bool is_scope(const struct emf_label *label)
{
    return hf_slice_is(label->key, SCOPE_LABEL);
}

/* Labels that are dimensions, and those among them that are not the scope. */
static size_t count_dimensions(const struct emf_labels *labels, size_t *ret_own)
{
    size_t count = 0;
    *ret_own = 0;
    for (size_t i = 0; i < labels->count; i++) {
        count += is_dimension(&labels->items[i]) ? 1 : 0;
        *ret_own += is_dimension(&labels->items[i]) && !is_scope(&labels->items[i]) ? 1 : 0;
    }
    return count;
}

/* None and each label alone, with the scope. */
static void add_rollups(struct sets *sets, int64_t rollup, const struct emf_labels *labels)
{
    size_t own = 0;
    bool has_scope = count_dimensions(labels, &own) != own;
    if (rollup == EMF_ROLLUP_ZERO_AND_SINGLE && own != 0) {
        struct set *zero = append_set(sets, 1);
        if (zero != NULL && has_scope) {
            zero->names[zero->count++] = hf_slice_text(SCOPE_LABEL);
        }
    }
    for (size_t i = 0; rollup != EMF_ROLLUP_NONE && i < labels->count; i++) {
        const struct emf_label *label = &labels->items[i];
        struct set *one = is_dimension(label) && !is_scope(label) ? append_set(sets, 2) : NULL;
        if (one == NULL) {
            continue;
        }
        bool is_behind = emf_compare_slices(label->key, hf_slice_text(SCOPE_LABEL)) > 0;
        if (has_scope && is_behind) {
            one->names[one->count++] = hf_slice_text(SCOPE_LABEL);
        }
        one->names[one->count++] = label->key;
        if (has_scope && !is_behind) {
            one->names[one->count++] = hf_slice_text(SCOPE_LABEL);
        }
    }
}

/* Without declarations: all labels, and the rollups. */
static void all_sets(struct sets *sets, int64_t rollup, const struct emf_labels *labels)
{
    size_t own = 0, count = count_dimensions(labels, &own);
    bool is_single = count <= 1 || (count == 2 && own == 1);
    bool is_rolled_up = own != 0 && rollup != EMF_ROLLUP_NONE;
    if (!(is_single && is_rolled_up)) { /* one of the rollups is the same */
        struct set *all = append_set(sets, count);
        for (size_t i = 0; all != NULL && i < labels->count; i++) {
            if (is_dimension(&labels->items[i])) {
                all->names[all->count++] = labels->items[i].key;
            }
        }
    }
    add_rollups(sets, rollup, labels);
}

static void add_declared(struct sets *sets, const struct emf_declaration *declaration,
                         const struct emf_labels *labels)
{
    for (size_t i = 0; i < declaration->set_count; i++) {
        const struct emf_dimensions *wanted = &declaration->sets[i];
        bool has_all = true;
        for (size_t at = 0; has_all && at < wanted->count; at++) {
            const struct emf_label *label =
                emf_labels_find(labels, hf_slice_text(wanted->names[at]));
            has_all = label != NULL && is_dimension(label);
        }
        struct set *made = has_all ? append_set(sets, wanted->count) : NULL;
        for (size_t at = 0; made != NULL && at < wanted->count; at++) {
            made->names[made->count++] = hf_slice_text(wanted->names[at]);
        }
        if (made != NULL) {
            drop_if_known(sets);
        }
    }
}

/* ---- declarations ---- */

/* Does one of the label matchers match? */
static bool matches_labels(const struct emf_declaration *declaration,
                           const struct emf_labels *labels)
{
    const struct emf_matcher_config *matchers = declaration->config->label_matchers.items;
    size_t count = declaration->config->label_matchers.count;
    for (size_t i = 0; i < count; i++) {
        struct hf_bytes joined = {0};
        bool good = true;
        for (size_t at = 0; good && at < matchers[i].label_names.count; at++) {
            const struct emf_label *label =
                emf_labels_find(labels, hf_slice_text(matchers[i].label_names.items[at]));
            const char *separator = matchers[i].separator;
            separator = separator != NULL && separator[0] != '\0' ? separator : ";";
            good = at == 0 || hf_bytes_append(&joined, hf_slice_text(separator)) == HF_OK;
            good = good && (label == NULL || !is_dimension(label) ||
                            hf_bytes_append(&joined, label->value) == HF_OK);
        }
        bool matched =
            good && hf_regex_matches(declaration->labels[i], hf_slice_of(joined.data, joined.size));
        hf_bytes_release(&joined);
        if (matched) {
            return true;
        }
    }
    return count == 0;
}

static bool matches_name(const struct emf_declaration *declaration, struct hf_slice name)
{
    for (size_t i = 0; i < declaration->config->name_selectors.count; i++) {
        if (hf_regex_matches(declaration->names[i], name)) {
            return true;
        }
    }
    return false;
}

/* Metrics to which the same declarations apply. */
struct measured {
    bool *applies; /* of each declaration */
    const struct emf_metric **metrics;
    size_t count;
};

struct measures {
    struct measured *items;
    size_t count;
    size_t rules;
};

static bool put_measured(struct measures *measures, struct hf_arena *arena, const bool *applies,
                         const struct emf_group *group, const struct emf_metric *metric)
{
    size_t at = 0;
    while (at < measures->count &&
           memcmp(measures->items[at].applies, applies, measures->rules * sizeof(*applies)) != 0) {
        at++;
    }
    struct measured *of = &measures->items[at];
    if (at == measures->count) {
        of->applies = hf_arena_take(arena, measures->rules * sizeof(*applies));
        of->metrics = hf_arena_take(arena, group->metric_count * sizeof(*of->metrics));
        of->count = 0;
        if (of->applies == NULL || of->metrics == NULL) {
            return false;
        }
        memcpy(of->applies, applies, measures->rules * sizeof(*applies));
        measures->count++;
    }
    of->metrics[of->count++] = metric;
    return true;
}

/* Sorts the metrics of the group by the declarations that apply to them. */
static bool measure(const struct emf_rules *rules, const struct emf_group *group,
                    struct hf_arena *arena, struct measures *ret_measures)
{
    bool *by_labels = hf_arena_take(arena, rules->count * sizeof(bool));
    bool *applies = hf_arena_take(arena, rules->count * sizeof(bool));
    *ret_measures = (struct measures){
        .items = hf_arena_take(arena, group->metric_count * sizeof(struct measured)),
        .rules = rules->count};
    if (by_labels == NULL || applies == NULL || ret_measures->items == NULL) {
        return false;
    }
    for (size_t i = 0; i < rules->count; i++) {
        by_labels[i] = matches_labels(&rules->declarations[i], &group->labels);
    }
    for (const struct emf_metric *metric = group->metrics; metric != NULL; metric = metric->next) {
        bool is_any = false;
        for (size_t i = 0; i < rules->count; i++) {
            applies[i] = by_labels[i] && matches_name(&rules->declarations[i], metric->name);
            is_any |= applies[i];
        }
        if (is_any && !put_measured(ret_measures, arena, applies, group, metric)) {
            return false;
        }
    }
    return true;
}

/* ---- measurements ---- */

static void put_sets(struct hf_json_writer *writer, const struct sets *sets)
{
    HF_JSON_WRITE_KEY(writer, "Dimensions");
    hf_json_write_open(writer, '[');
    for (size_t i = 0; i < sets->count; i++) {
        hf_json_write_open(writer, '[');
        for (size_t at = 0; at < sets->items[i].count; at++) {
            hf_json_write_text(writer, sets->items[i].names[at]);
        }
        hf_json_write_close(writer, ']');
    }
    hf_json_write_close(writer, ']');
}

static int64_t resolution_of(const struct emf_labels *labels)
{
    const struct emf_label *label = emf_labels_find(labels, hf_slice_text(RESOLUTION_LABEL));
    int64_t seconds;
    return label != NULL && hf_json_read_i64(label->value, &seconds) ? seconds : RESOLUTION;
}

static void put_metric_info(struct hf_json_writer *writer, const struct emf_metric *metric,
                            int64_t resolution)
{
    hf_json_write_open(writer, '{');
    HF_JSON_WRITE_KEY(writer, "Name");
    hf_json_write_text(writer, metric->name);
    HF_JSON_WRITE_KEY(writer, "Unit");
    hf_json_write_text(writer, metric->unit);
    HF_JSON_WRITE_KEY(writer, "StorageResolution");
    hf_json_write_i64(writer, resolution);
    hf_json_write_close(writer, '}');
}

static void put_measurement(struct hf_json_writer *writer, const struct emf_group *group,
                            const struct sets *sets, const struct measured *measured)
{
    int64_t resolution = resolution_of(&group->labels);
    hf_json_write_open(writer, '{');
    HF_JSON_WRITE_KEY(writer, "Namespace");
    hf_json_write_text(writer, group->place.namespace);
    put_sets(writer, sets);
    HF_JSON_WRITE_KEY(writer, "Metrics");
    hf_json_write_open(writer, '[');
    const struct emf_metric *metric = group->metrics;
    for (size_t i = 0; measured != NULL ? i < measured->count : metric != NULL; i++) {
        put_metric_info(writer, measured != NULL ? measured->metrics[i] : metric, resolution);
        metric = metric != NULL ? metric->next : NULL;
    }
    hf_json_write_close(writer, ']');
    hf_json_write_close(writer, '}');
}

/* The list of measurements as JSON; empty: there are none. HF_NOMEM. */
static enum hf_status write_measurements(const struct emf_config *config,
                                         const struct emf_rules *rules,
                                         const struct emf_group *group, struct hf_arena *arena,
                                         struct hf_bytes *out)
{
    struct hf_json_writer writer = {.out = out};
    struct measures measures = {0};
    bool is_any = false, failed = false;
    hf_json_write_open(&writer, '[');
    if (rules->count == 0) {
        struct sets sets = {.arena = arena};
        all_sets(&sets, config->rollup, &group->labels);
        put_measurement(&writer, group, &sets, NULL);
        failed = sets.failed;
        is_any = true;
    } else {
        failed = !measure(rules, group, arena, &measures);
    }
    for (size_t i = 0; !failed && i < measures.count; i++) {
        struct sets sets = {.arena = arena};
        for (size_t at = 0; at < rules->count; at++) {
            if (measures.items[i].applies[at]) {
                add_declared(&sets, &rules->declarations[at], &group->labels);
            }
        }
        struct sets rollups = {.arena = arena};
        add_rollups(&rollups, config->rollup, &group->labels);
        for (size_t at = 0; at < rollups.count; at++) {
            struct set *made = append_set(&sets, rollups.items[at].count);
            if (made != NULL) {
                *made = rollups.items[at];
                drop_if_known(&sets);
            }
        }
        failed = sets.failed || rollups.failed;
        if (sets.count != 0) {
            put_measurement(&writer, group, &sets, &measures.items[i]);
            is_any = true;
        }
    }
    hf_json_write_close(&writer, ']');
    out->size = is_any ? out->size : 0;
    return failed || writer.failed ? HF_NOMEM : HF_OK;
}

/* ---- the object ---- */

struct field {
    struct hf_slice key;
    const struct emf_data *data; /* a metric's; NULL: */
    struct hf_slice text, made;  /* a text, or JSON */
    size_t order;                /* of the same key the last one counts */
};

static int compare_fields(const void *left, const void *right)
{
    const struct field *a = left, *b = right;
    int order = emf_compare_slices(a->key, b->key);
    return order != 0 ? order : a->order < b->order ? -1 : 1;
}

static void put_number(struct hf_json_writer *writer, double number)
{
    char room[HF_JSON_DIGITS_MAX];
    hf_json_write_made(writer, hf_slice_of(room, hf_json_print_double(number, room)));
}

static void put_list(struct hf_json_writer *writer, const double *numbers, size_t count)
{
    hf_json_write_open(writer, '[');
    for (size_t i = 0; i < count; i++) {
        put_number(writer, numbers[i]);
    }
    hf_json_write_close(writer, ']');
}

static void put_data(struct hf_json_writer *writer, const struct emf_data *data)
{
    if (data->kind == EMF_NUMBER) {
        put_number(writer, data->number);
        return;
    }
    if (data->kind == EMF_COUNT) {
        hf_json_write_u64(writer, data->count);
        return;
    }
    hf_json_write_open(writer, '{');
    if (data->kind == EMF_HISTOGRAM) {
        HF_JSON_WRITE_KEY(writer, "Values");
        put_list(writer, data->values, data->value_count);
        HF_JSON_WRITE_KEY(writer, "Counts");
        put_list(writer, data->counts, data->value_count);
    }
    HF_JSON_WRITE_KEY(writer, "Max");
    put_number(writer, data->max);
    HF_JSON_WRITE_KEY(writer, "Min");
    put_number(writer, data->min);
    HF_JSON_WRITE_KEY(writer, "Count");
    hf_json_write_u64(writer, data->count);
    HF_JSON_WRITE_KEY(writer, "Sum");
    put_number(writer, data->sum);
    hf_json_write_close(writer, '}');
}

/* The label's text as JSON, when it is some. */
static struct hf_slice parse(const struct emf_config *config, const struct emf_label *label)
{
    bool is_wanted = false;
    for (size_t i = 0; i < config->parse_json.count; i++) {
        is_wanted |= hf_slice_is(label->key, config->parse_json.items[i]);
    }
    if (!is_wanted || label->value.size == 0) {
        return HF_EMPTY_SLICE;
    }
    struct hf_arena arena = {.limit = (size_t)8 << 20};
    const struct hf_json *root = NULL;
    char why[HF_JSON_ERROR_MAX];
    bool good = hf_json_read(label->value, &arena, &root, why) == HF_OK;
    hf_arena_release(&arena);
    return good ? label->value : HF_EMPTY_SLICE;
}

static const char *prometheus_type(uint32_t kind)
{
    switch (kind) {
    case HF_BULK_GAUGE:
        return "gauge";
    case HF_BULK_SUM:
        return "counter";
    case HF_BULK_HISTOGRAM:
        return "histogram";
    case HF_BULK_SUMMARY:
        return "summary";
    default:
        return "";
    }
}

static void add_field(struct field *fields, size_t *count, const char *key, struct hf_slice text,
                      struct hf_slice made)
{
    fields[*count] =
        (struct field){.key = hf_slice_text(key), .text = text, .made = made, .order = *count};
    (*count)++;
}

/* What says which metrics there are, in the configured version. `room` is for a time. */
static void add_format(const struct emf_config *config, const struct emf_group *group,
                       struct hf_slice measurements, struct hf_bytes *made, char room[32],
                       struct field *fields, size_t *count)
{
    size_t size = (size_t)snprintf(room, 32, "%lld", (long long)group->place.time_ms);
    if (config->version != 0) {
        add_field(fields, count, "Timestamp", hf_slice_of(room, size), HF_EMPTY_SLICE);
        if (measurements.size != 0) {
            add_field(fields, count, "Version", hf_slice_text("0"), HF_EMPTY_SLICE);
            add_field(fields, count, "CloudWatchMetrics", HF_EMPTY_SLICE, measurements);
        }
        return;
    }
    if (measurements.size != 0) {
        struct hf_json_writer writer = {.out = made};
        hf_json_write_open(&writer, '{');
        HF_JSON_WRITE_KEY(&writer, "CloudWatchMetrics");
        hf_json_write_made(&writer, measurements);
        HF_JSON_WRITE_KEY(&writer, "Timestamp");
        hf_json_write_made(&writer, hf_slice_of(room, size));
        hf_json_write_close(&writer, '}');
        add_field(fields, count, "Version", hf_slice_text("1"), HF_EMPTY_SLICE);
        add_field(fields, count, "_aws", HF_EMPTY_SLICE, hf_slice_of(made->data, made->size));
    }
}

#define FORMAT_FIELDS 4u

/* NULL: no memory. */
static struct field *list_fields(const struct emf_config *config, const struct emf_group *group,
                                 struct hf_arena *arena, size_t *ret_count)
{
    size_t room = group->labels.count + group->metric_count + FORMAT_FIELDS, count = 0;
    struct field *fields = hf_arena_take(arena, room * sizeof(*fields));
    if (fields == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < group->labels.count; i++) {
        const struct emf_label *label = &group->labels.items[i];
        if (is_dimension(label)) {
            fields[count] = (struct field){.key = label->key,
                                           .text = label->value,
                                           .made = parse(config, label),
                                           .order = count};
            count++;
        }
    }
    for (const struct emf_metric *metric = group->metrics; metric != NULL; metric = metric->next) {
        fields[count] = (struct field){.key = metric->name, .data = &metric->data, .order = count};
        count++;
    }
    if (group->place.is_prometheus) {
        add_field(fields, &count, "prom_metric_type",
                  hf_slice_text(prometheus_type(group->place.metric_kind)), HF_EMPTY_SLICE);
    }
    *ret_count = count;
    return fields;
}

static void put_fields(struct hf_json_writer *writer, const struct field *fields, size_t count)
{
    hf_json_write_open(writer, '{');
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && hf_slice_equal(fields[i].key, fields[i + 1].key)) {
            continue;
        }
        hf_json_write_key(writer, fields[i].key);
        if (fields[i].data != NULL) {
            put_data(writer, fields[i].data);
        } else if (fields[i].made.size != 0) {
            hf_json_write_made(writer, fields[i].made);
        } else {
            hf_json_write_text(writer, fields[i].text);
        }
    }
    hf_json_write_close(writer, '}');
}

enum hf_status emf_write(const struct emf_config *config, const struct emf_rules *rules,
                         const struct emf_group *group, struct hf_arena *arena,
                         struct hf_bytes *out)
{
    struct hf_bytes measurements = {0}, made = {0};
    struct hf_json_writer writer = {.out = out};
    char room[32];
    size_t count = 0;
    enum hf_status status = write_measurements(config, rules, group, arena, &measurements);
    struct field *fields = status == HF_OK ? list_fields(config, group, arena, &count) : NULL;
    if (fields != NULL) {
        add_format(config, group, hf_slice_of(measurements.data, measurements.size), &made, room,
                   fields, &count);
        qsort(fields, count, sizeof(*fields), compare_fields);
        put_fields(&writer, fields, count);
    }
    hf_bytes_release(&measurements);
    hf_bytes_release(&made);
    return fields == NULL ? HF_NOMEM : hf_json_write_status(&writer);
}
