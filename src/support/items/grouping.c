#include "grouping.h"

#include <stdlib.h>
#include <string.h>

#include "group_table.h"
#include "pdata/walk.h"
#include "util/compress/compress.h"

enum {
    GROUPS = 1,       /* of a request */
    RESOURCE = 1,     /* of those */
    SCOPE_GROUPS = 2, /* of those */
    SCOPE = 1,        /* of those */
    ITEMS = 2,        /* of those: spans, metrics, log records */
    SCHEMA_URL = 3,   /* of both groups */
    POINTS = 1,       /* of Gauge and so on */
    RESOURCE_ATTRIBUTES = 1,
    SCOPE_NAME = 1,
    SCOPE_VERSION = 2,
    SCOPE_ATTRIBUTES = 3,
    METRIC_NAME = 1,
    METRIC_DESCRIPTION = 2,
    METRIC_UNIT = 3,
    METRIC_METADATA = 12,
    TEMPORALITY = 2, /* of Sum, Histogram, ExponentialHistogram */
    MONOTONIC = 3,   /* of Sum */
    GAUGE = 5,
    SUM = 7,
    HISTOGRAM = 9,
    EXPONENTIAL_HISTOGRAM = 10,
    SUMMARY = 11,
};

static const uint8_t kinds[] = {GAUGE, SUM, HISTOGRAM, EXPONENTIAL_HISTOGRAM, SUMMARY};

/* What begins a key in the table. */
enum level { OF_RESOURCE = 'R', OF_SCOPE = 'S', OF_METRIC = 'M' };

struct grouping {
    struct hf_document *document;
    const struct hf_string_list *keys;
    struct hf_group_table table;
    struct hf_bytes key; /* scratch */
    const struct hf_attribute **sorted;
    size_t sorted_capacity;
    struct hf_attribute *taken; /* the grouping attributes of the item; one for each key */
    size_t taken_count;
    struct hf_grouping_counts counts;
    enum hf_status status;
};

/* ---- keys ---- */

static void fail(struct grouping *grouping)
{
    grouping->status = HF_NOMEM;
}

static void put(struct grouping *grouping, struct hf_slice bytes)
{
    const struct hf_slice size = hf_slice_of(&bytes.size, sizeof(bytes.size));
    if (hf_bytes_append(&grouping->key, size) != HF_OK ||
        hf_bytes_append(&grouping->key, bytes) != HF_OK) {
        fail(grouping);
    }
}

static void begin(struct grouping *grouping, enum level level, const struct hf_message *owner)
{
    const char name = (char)level;
    grouping->key.size = 0;
    put(grouping, hf_slice_of(&name, 1));
    put(grouping, hf_slice_of(&owner, sizeof(struct hf_message *)));
}

static int compare(const void *left, const void *right)
{
    struct hf_slice a = (*(const struct hf_attribute *const *)left)->key;
    struct hf_slice b = (*(const struct hf_attribute *const *)right)->key;
    return hf_slice_compare(a, b);
}

static const struct hf_attribute *taken_of(const struct grouping *grouping, struct hf_slice key)
{
    for (size_t i = 0; i < grouping->taken_count; i++) {
        if (hf_slice_equal(grouping->taken[i].key, key)) {
            return &grouping->taken[i];
        }
    }
    return NULL;
}

/* The attributes, with those that were taken instead or beside, whatever their order. */
static void put_attributes(struct grouping *grouping, const struct hf_attributes *attributes)
{
    size_t count = 0, most = (attributes != NULL ? attributes->count : 0) + grouping->taken_count;
    if (most > grouping->sorted_capacity) {
        const struct hf_attribute **sorted =
            reallocarray(grouping->sorted, most, sizeof(struct hf_attribute *));
        if (sorted == NULL) {
            fail(grouping);
            return;
        }
        grouping->sorted = sorted;
        grouping->sorted_capacity = most;
    }
    for (size_t i = 0; attributes != NULL && i < attributes->count; i++) {
        if (taken_of(grouping, attributes->items[i].key) == NULL) {
            grouping->sorted[count++] = &attributes->items[i];
        }
    }
    for (size_t i = 0; i < grouping->taken_count; i++) {
        grouping->sorted[count++] = &grouping->taken[i];
    }
    if (count > 1) {
        qsort(grouping->sorted, count, sizeof(struct hf_attribute *), compare);
    }
    for (size_t i = 0; i < count; i++) {
        put(grouping, grouping->sorted[i]->key);
        put(grouping, grouping->sorted[i]->value);
    }
}

static struct hf_message **look_up(struct grouping *grouping)
{
    struct hf_message **found =
        grouping->status == HF_OK
            ? hf_group_table_at(&grouping->table, grouping->document,
                                hf_slice_of(grouping->key.data, grouping->key.size))
            : NULL;
    if (found == NULL) {
        fail(grouping);
    }
    return found;
}

/* What is made when there is none yet; `model` is what it is to be like. */
typedef struct hf_message *make_message(struct grouping *grouping, struct hf_message *parent,
                                        struct hf_message *model);

/* The message of the key, which is `own` when there was none, or else is made. */
static struct hf_message *found_or_made(struct grouping *grouping, struct hf_message *own,
                                        make_message *make, struct hf_message *parent,
                                        struct hf_message *model)
{
    struct hf_message **found = look_up(grouping);
    if (found == NULL) {
        return NULL;
    }
    if (*found == NULL) {
        *found = own != NULL ? own : make(grouping, parent, model);
    }
    if (*found == NULL) {
        fail(grouping);
    }
    return *found;
}

/* ---- resources ---- */

/* Makes pruning look into a message that was made: nothing may come into it. */
static void look_into(struct hf_message *message, uint32_t number)
{
    (void)hf_message_first(message, number);
}

static void copy_bytes(struct hf_message *from, struct hf_message *to, uint32_t number)
{
    if (hf_message_has(from, number)) {
        hf_message_set_bytes(to, number, hf_message_bytes(from, number));
    }
}

static struct hf_message *make_group(struct grouping *grouping, struct hf_message *parent,
                                     struct hf_message *model)
{
    struct hf_message *group = hf_message_append(parent, GROUPS);
    struct hf_message *resource = hf_message_one(model, RESOURCE);
    if (group == NULL) {
        return NULL;
    }
    resource = resource != NULL ? hf_message_copy(resource, group, RESOURCE)
                                : hf_message_need(group, RESOURCE);
    struct hf_attributes *attributes = hf_message_attributes(resource, RESOURCE_ATTRIBUTES);
    if (attributes == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < grouping->taken_count; i++) {
        hf_attributes_set(attributes, grouping->taken[i].key, grouping->taken[i].value);
    }
    copy_bytes(model, group, SCHEMA_URL);
    look_into(group, SCOPE_GROUPS);
    return group;
}

/* The group of items that came in `group` and have what was taken as well. */
static struct hf_message *group_of(struct grouping *grouping, struct hf_message *group)
{
    struct hf_message *resource = hf_message_one(group, RESOURCE);
    begin(grouping, OF_RESOURCE, NULL);
    put(grouping, hf_message_bytes(group, SCHEMA_URL));
    put_attributes(grouping, hf_message_attributes(resource, RESOURCE_ATTRIBUTES));
    return found_or_made(grouping, grouping->taken_count == 0 ? group : NULL, make_group,
                         hf_document_root(grouping->document), group);
}

/* ---- scopes ---- */

static struct hf_message *make_scope(struct grouping *grouping, struct hf_message *parent,
                                     struct hf_message *model)
{
    struct hf_message *scope_group = hf_message_append(parent, SCOPE_GROUPS);
    struct hf_message *scope = hf_message_one(model, SCOPE);
    (void)grouping;
    if (scope_group == NULL || (scope != NULL && !hf_message_copy(scope, scope_group, SCOPE))) {
        return NULL;
    }
    copy_bytes(model, scope_group, SCHEMA_URL);
    look_into(scope_group, ITEMS);
    return scope_group;
}

/* The group of the same scope in `group`; `is_own`: in which `scope_group` came. */
static struct hf_message *scope_of(struct grouping *grouping, struct hf_message *scope_group,
                                   struct hf_message *group, bool is_own)
{
    struct hf_message *scope = hf_message_one(scope_group, SCOPE);
    size_t taken = grouping->taken_count;
    grouping->taken_count = 0; /* resources have it */
    begin(grouping, OF_SCOPE, group);
    put(grouping, hf_message_bytes(scope_group, SCHEMA_URL));
    put(grouping, hf_message_bytes(scope, SCOPE_NAME));
    put(grouping, hf_message_bytes(scope, SCOPE_VERSION));
    put_attributes(grouping, hf_message_attributes(scope, SCOPE_ATTRIBUTES));
    grouping->taken_count = taken;
    return found_or_made(grouping, is_own ? scope_group : NULL, make_scope, group, scope_group);
}

/* ---- metrics ---- */

/* The number of the metric's kind among its fields; 0: it has none that is known. */
static uint32_t kind_of(struct hf_message *metric)
{
    for (size_t i = 0; i < sizeof(kinds); i++) {
        if (hf_message_has(metric, kinds[i])) {
            return kinds[i];
        }
    }
    return 0;
}

static struct hf_message *make_metric(struct grouping *grouping, struct hf_message *parent,
                                      struct hf_message *model)
{
    static const uint8_t texts[] = {METRIC_NAME, METRIC_DESCRIPTION, METRIC_UNIT};
    uint32_t kind = kind_of(model);
    struct hf_message *from = hf_message_one(model, kind);
    struct hf_message *metric = hf_message_append(parent, ITEMS);
    struct hf_message *to = hf_message_need(metric, kind);
    (void)grouping;
    if (to == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof(texts); i++) {
        copy_bytes(model, metric, texts[i]);
    }
    if (hf_message_has(model, METRIC_METADATA)) {
        const struct hf_attributes *metadata = hf_message_attributes(model, METRIC_METADATA);
        struct hf_attributes *copies = hf_message_attributes(metric, METRIC_METADATA);
        for (size_t i = 0; copies != NULL && metadata != NULL && i < metadata->count; i++) {
            hf_attributes_set(copies, metadata->items[i].key, metadata->items[i].value);
        }
    }
    if (kind != GAUGE && kind != SUMMARY) {
        hf_message_set_i64(to, TEMPORALITY, hf_message_i64(from, TEMPORALITY));
    }
    look_into(to, POINTS);
    if (kind == SUM) {
        hf_message_set_i64(to, MONOTONIC, hf_message_i64(from, MONOTONIC));
    }
    return metric;
}

/* The same metric in `scope_group`; `is_own`: in which `metric` came. */
static struct hf_message *metric_of(struct grouping *grouping, struct hf_message *metric,
                                    struct hf_message *scope_group, bool is_own)
{
    uint32_t kind = kind_of(metric);
    struct hf_message *data = hf_message_one(metric, kind);
    const uint8_t traits[] = {
        (uint8_t)kind,
        (uint8_t)(kind != GAUGE && kind != SUMMARY ? hf_message_i64(data, TEMPORALITY) : 0),
        (uint8_t)(kind == SUM ? hf_message_i64(data, MONOTONIC) : 0)};
    begin(grouping, OF_METRIC, scope_group);
    put(grouping, hf_message_bytes(metric, METRIC_NAME));
    put(grouping, hf_message_bytes(metric, METRIC_UNIT));
    put(grouping, hf_slice_of(traits, sizeof(traits)));
    return found_or_made(grouping, is_own ? metric : NULL, make_metric, scope_group, metric);
}

/* ---- items ---- */

/* Takes the grouping attributes out of an item. False: it has none. */
static bool take(struct grouping *grouping, struct hf_message *item)
{
    grouping->taken_count = 0;
    if (grouping->keys->count == 0) {
        return false;
    }
    struct hf_attributes *attributes =
        hf_message_attributes(item, hf_message_attributes_number(hf_message_type(item)));
    if (attributes == NULL) {
        fail(grouping);
        return false;
    }
    for (size_t i = 0; i < grouping->keys->count; i++) {
        struct hf_slice key = hf_slice_text(grouping->keys->items[i]);
        const struct hf_attribute *found = hf_attributes_find(attributes, key);
        if (found != NULL) {
            grouping->taken[grouping->taken_count++] = *found;
            hf_attributes_remove(attributes, key);
        }
    }
    return grouping->taken_count > 0;
}

/* The group of scopes to which the item goes, whose grouping attributes were taken. */
static struct hf_message *target_of(struct grouping *grouping, const struct hf_place *place,
                                    struct hf_message *plain)
{
    if (grouping->taken_count == 0) {
        return plain;
    }
    struct hf_message *group = group_of(grouping, place->resource_group);
    return group == NULL ? NULL : scope_of(grouping, place->scope_group, group, false);
}

static void count(struct grouping *grouping, bool is_grouped)
{
    grouping->counts.grouped += is_grouped;
    grouping->counts.not_grouped += !is_grouped;
}

static void move_items(struct grouping *grouping, const struct hf_place *place,
                       struct hf_message *plain)
{
    struct hf_message *item = hf_message_first(place->scope_group, ITEMS);
    struct hf_message *last = NULL; /* of those that came */
    for (struct hf_message *at = item; at != NULL; at = hf_message_next(at)) {
        last = at;
    }
    while (item != NULL && grouping->status == HF_OK) {
        bool is_last = item == last;
        struct hf_message *next = hf_message_next(item);
        count(grouping, take(grouping, item));
        struct hf_message *target = target_of(grouping, place, plain);
        if (target != NULL && target != place->scope_group) {
            hf_message_move(item, target, ITEMS);
        }
        item = is_last ? NULL : next;
    }
}

static void move_points(struct grouping *grouping, const struct hf_place *place,
                        struct hf_message *plain)
{
    uint32_t kind = kind_of(place->metric);
    struct hf_message *own = metric_of(grouping, place->metric, plain, plain == place->scope_group);
    struct hf_message *point = hf_message_first(hf_message_one(place->metric, kind), POINTS);
    while (point != NULL && grouping->status == HF_OK) {
        struct hf_message *next = hf_message_next(point);
        bool is_grouped = take(grouping, point);
        struct hf_message *target = own;
        count(grouping, is_grouped);
        if (is_grouped) {
            struct hf_message *scope_group = target_of(grouping, place, plain);
            target =
                scope_group == NULL ? NULL : metric_of(grouping, place->metric, scope_group, false);
        }
        if (target != NULL && target != place->metric) {
            hf_message_move(point, hf_message_need(target, kind), POINTS);
        }
        point = next;
    }
}

static void move_metrics(struct grouping *grouping, struct hf_place *place,
                         struct hf_message *plain)
{
    struct hf_message *metric = hf_message_first(place->scope_group, ITEMS);
    struct hf_message *last = NULL; /* of those that came */
    for (struct hf_message *at = metric; at != NULL; at = hf_message_next(at)) {
        last = at;
    }
    while (metric != NULL && grouping->status == HF_OK) {
        bool is_last = metric == last;
        place->metric = metric;
        struct hf_message *next = hf_message_next(metric);
        if (kind_of(metric) != 0) {
            move_points(grouping, place, plain);
        } else if (plain != place->scope_group) {
            hf_message_move(metric, plain, ITEMS); /* of a kind that is not known: as it is */
        }
        metric = is_last ? NULL : next;
    }
    place->metric = NULL;
}

static void move_group(struct grouping *grouping, struct hf_message *group)
{
    struct hf_place place = {.document = grouping->document, .resource_group = group};
    struct hf_message *scope_group = hf_message_first(group, SCOPE_GROUPS), *last = NULL;
    bool of_metrics = hf_document_signal(grouping->document) == HF_METRICS;
    grouping->taken_count = 0;
    struct hf_message *plain_group = group_of(grouping, group);
    for (struct hf_message *at = scope_group; at != NULL; at = hf_message_next(at)) {
        last = at;
    }
    while (scope_group != NULL && grouping->status == HF_OK) {
        bool is_last = scope_group == last;
        place.scope_group = scope_group;
        struct hf_message *plain =
            scope_of(grouping, scope_group, plain_group, plain_group == group);
        if (plain != NULL) {
            (of_metrics ? move_metrics(grouping, &place, plain)
                        : move_items(grouping, &place, plain));
        }
        scope_group = is_last ? NULL : hf_message_next(scope_group);
    }
}

enum hf_status hf_group(struct hf_document *document, const struct hf_string_list *keys,
                        struct hf_grouping_counts *ret_counts)
{
    struct hf_message *root = hf_document_root(document);
    struct hf_message *group = hf_message_first(root, GROUPS), *last = NULL;
    struct grouping grouping = {.document = document, .keys = keys};
    grouping.taken = calloc(keys->count + 1, sizeof(*grouping.taken));
    grouping.status = grouping.taken != NULL ? HF_OK : HF_NOMEM;
    for (struct hf_message *at = group; at != NULL; at = hf_message_next(at)) {
        last = at;
    }
    while (group != NULL && grouping.status == HF_OK) {
        bool is_last = group == last; /* those behind it were made here */
        move_group(&grouping, group);
        group = is_last ? NULL : hf_message_next(group);
    }
    hf_document_prune(document);
    grouping.counts.groups = hf_message_count(root, GROUPS);
    hf_group_table_release(&grouping.table);
    hf_bytes_release(&grouping.key);
    free(grouping.sorted);
    free(grouping.taken);
    *ret_counts = grouping.counts;
    return grouping.status;
}
