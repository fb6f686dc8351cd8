#include "read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"
#include "util/compress/compress.h"
#include "util/time/clock.h"

#define LITERAL(text) ((struct hf_slice){(const uint8_t *)(text), sizeof(text) - 1})
#define ARENA_KEPT_BYTES ((size_t)8 << 20)
#define EXPORTED "exported_"
#define SCOPE_NAME                                                                                 \
    "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/prometheusreceiver"

#define KNOWN_HASHES_MAX 16u

/* One answer that is being read. */
struct reading {
    struct prom_receiver *receiver;
    struct prom_target *target;
    const struct prom_job_state *job;
    int64_t now_ms;
    uint64_t scraped, kept, added;
    size_t gone;    /* series of the last scrape that are not there now */
    bool is_old;    /* the body of an older scrape, of which the vanished series are marked */
    bool no_memory; /* the labels or texts of a series did not fit */
    const char *error;
    uint64_t known_hashes[KNOWN_HASHES_MAX]; /* of the target's first labels */
    size_t known_count;
};

/* ---- the labels of a series ---- */

/* A label of the target takes the place of one that the series brings, which gets another name. */
static bool export_label(struct reading *reading, struct hf_prom_labels *labels,
                         struct hf_prom_label *label)
{
    struct hf_slice name = label->name;
    do {
        size_t size = sizeof(EXPORTED) - 1 + name.size;
        uint8_t *text = hf_arena_take(&reading->receiver->arena, size);
        if (text == NULL) {
            return false;
        }
        memcpy(text, EXPORTED, sizeof(EXPORTED) - 1);
        memcpy(text + sizeof(EXPORTED) - 1, name.data, name.size);
        name = hf_slice_of(text, size);
    } while (hf_prom_labels_get(labels, name).size != 0);
    label->name = name;
    return true;
}

static struct hf_prom_label *find(struct hf_prom_labels *labels, struct hf_slice name)
{
    for (size_t i = 0; i < labels->count; i++) {
        if (hf_slice_equal(labels->items[i].name, name)) {
            return &labels->items[i];
        }
    }
    return NULL;
}

static bool add_target_labels(struct reading *reading, struct hf_prom_labels *labels)
{
    const struct prom_target *target = reading->target;
    bool honors = reading->job->config->honor_labels;
    size_t own_count = labels->count;
    for (size_t i = 0; i < target->label_count; i++) {
        const struct hf_prom_label *label = &target->labels[i];
        struct hf_prom_label *own = own_count != 0 ? find(labels, label->name) : NULL;
        if (own != NULL && honors) {
            continue;
        }
        if (own != NULL && own->value.size == 0) {
            own->value = label->value;
            continue;
        }
        if ((own != NULL && !export_label(reading, labels, own)) ||
            labels->count == HF_PROM_LABELS_MAX) {
            return false;
        }
        labels->items[labels->count++] = *label;
    }
    return true;
}

static bool add_external_labels(struct reading *reading, struct hf_prom_labels *labels)
{
    const struct hf_string_map *map = &reading->receiver->config->prometheus.global.external_labels;
    for (size_t i = 0; i < map->count; i++) {
        if (!hf_prom_labels_set(labels, hf_slice_text(map->items[i].key),
                                hf_slice_text(map->items[i].value))) {
            return false;
        }
    }
    return true;
}

/* Applies the rules for series. False: the series is left out, or `error` is set. */
static bool relabel(struct reading *reading, struct hf_slice *name, struct hf_prom_labels *labels)
{
    if (reading->job->metric_relabel == NULL) {
        return true;
    }
    if (!hf_prom_labels_set(labels, LITERAL("__name__"), *name)) {
        reading->no_memory = true;
        return false;
    }
    switch (hf_relabel_apply(reading->job->metric_relabel, labels, &reading->receiver->arena)) {
    case HF_RELABEL_DROPPED:
        return false;
    case HF_RELABEL_NO_MEMORY:
        reading->no_memory = true;
        return false;
    case HF_RELABEL_KEPT:
        break;
    }
    *name = hf_prom_labels_get(labels, LITERAL("__name__"));
    hf_prom_labels_remove(labels, LITERAL("__name__"));
    if (name->size == 0) {
        reading->error = "a rule of metric_relabel_configs removes the name of a series";
    }
    return reading->error == NULL;
}

static bool is_within_limits(struct reading *reading, struct hf_slice name,
                             const struct hf_prom_labels *labels)
{
    const struct prom_limits *limits = &reading->job->limits;
    if (limits->labels != 0 && (int64_t)labels->count + 1 > limits->labels) {
        reading->error = "a series has more labels than label_limit";
    }
    for (size_t i = 0; i < labels->count && limits->label_name + limits->label_value != 0; i++) {
        const struct hf_prom_label *label = &labels->items[i];
        if (limits->label_name != 0 && (int64_t)label->name.size > limits->label_name) {
            reading->error = "the name of a label is longer than label_name_length_limit";
        }
        if (limits->label_value != 0 && (int64_t)label->value.size > limits->label_value) {
            reading->error = "the value of a label is longer than label_value_length_limit";
        }
    }
    if (limits->label_value != 0 && (int64_t)name.size > limits->label_value) {
        reading->error = "the name of a metric is longer than label_value_length_limit";
    }
    return reading->error == NULL;
}

/* ---- which series there are ---- */

static bool track(struct prom_receiver *receiver, uint64_t hash)
{
    if (receiver->tracked_count == receiver->tracked_capacity) {
        size_t capacity = receiver->tracked_capacity != 0 ? 2 * receiver->tracked_capacity : 1024;
        uint64_t *tracked = realloc(receiver->tracked, capacity * sizeof(*tracked));
        if (tracked == NULL) {
            return false;
        }
        receiver->tracked = tracked;
        receiver->tracked_capacity = capacity;
    }
    receiver->tracked[receiver->tracked_count++] = hash;
    return true;
}

/* Of the series of an older scrape: is it gone, and has not been told yet? */
static bool is_to_be_marked(struct prom_receiver *receiver, uint64_t hash)
{
    bool is_new = false;
    if (!hf_prom_table_has(&receiver->gone, hash)) {
        return false;
    }
    struct hf_prom_table_entry *entry = hf_prom_table_put(&receiver->gone, hash, &is_new);
    bool is_first = entry != NULL && entry->value == NULL;
    if (is_first) {
        entry->value = receiver; /* told once */
    }
    return is_first;
}

/* The two that become attributes never get markers. */
static bool is_info(struct hf_slice name)
{
    return hf_slice_equal(name, LITERAL("target_info")) ||
           hf_slice_equal(name, LITERAL("otel_scope_info"));
}

/* Notes the series; false: it is not to be told (it was there already, or has not vanished). */
static bool note_series(struct reading *reading, struct hf_slice name, uint64_t hash, bool has_time)
{
    struct prom_receiver *receiver = reading->receiver;
    bool is_new = false;
    hash &= ~PROM_IS_MARKED;
    if (reading->is_old) {
        return is_to_be_marked(receiver, hash);
    }
    bool is_marked =
        !is_info(name) && (!has_time || reading->job->config->track_timestamps_staleness);
    if (hf_prom_table_put(&receiver->seen, hash, &is_new) == NULL ||
        (is_new && !track(receiver, hash | (is_marked ? PROM_IS_MARKED : 0)))) {
        reading->no_memory = true;
        return false;
    }
    return is_new || has_time;
}

/* ---- samples ---- */

static bool is_same_text(struct hf_slice a, struct hf_slice b)
{
    return a.data == b.data && a.size == b.size;
}

/*
 * A hash of each label; returns that of all. Those of the target are in every series, as the last
 * ones in their order unless a rule says otherwise, and are known.
 */
static uint64_t hash_labels(const struct reading *reading, const struct hf_prom_labels *labels,
                            uint64_t *ret_hashes)
{
    uint64_t sum = 0;
    size_t known = 0;
    for (size_t i = 0; i < labels->count; i++) {
        const struct hf_prom_label *label = &labels->items[i];
        const struct hf_prom_label *expected =
            known < reading->known_count ? &reading->target->labels[known] : NULL;
        if (expected != NULL && is_same_text(label->name, expected->name) &&
            is_same_text(label->value, expected->value)) {
            ret_hashes[i] = reading->known_hashes[known++];
        } else {
            ret_hashes[i] = hf_prom_label_hash(label);
        }
        sum += ret_hashes[i];
    }
    return sum;
}

static void take_sample(struct reading *reading, struct hf_expo_reader *reader, bool is_native)
{
    struct hf_prom_labels *labels = &reader->labels;
    struct hf_slice name = reader->name;
    bool honors_time = reading->job->config->honor_timestamps && reader->has_time;
    reading->scraped++;
    if (!add_target_labels(reading, labels)) {
        reading->no_memory = true;
        return;
    }
    if (!relabel(reading, &name, labels) || !is_within_limits(reading, name, labels)) {
        return;
    }
    reading->kept++;
    if (!add_external_labels(reading, labels)) {
        reading->no_memory = true;
        return;
    }
    uint64_t hashes[HF_PROM_LABELS_MAX];
    uint64_t hash = hf_prom_hash(name, is_native ? 2 : 1) + hash_labels(reading, labels, hashes);
    if (!note_series(reading, name, hash, honors_time)) {
        return;
    }
    struct hf_prom_sample sample = {
        .name = name,
        .labels = labels->items,
        .label_hashes = hashes,
        .label_count = labels->count,
        .value = reading->is_old ? hf_prom_stale_value() : reader->value,
        .time_ms = honors_time && !reading->is_old ? reader->time_ms : reading->now_ms,
    };
    if (is_native) {
        struct hf_expo_native *native = hf_arena_take(&reading->receiver->arena, sizeof(*native));
        if (native == NULL) {
            reading->no_memory = true;
            return;
        }
        *native = reader->native;
        sample.native = native;
        sample.value = reading->is_old ? sample.value : 0;
    }
    if (!reading->is_old) {
        sample.has_created = reader->has_created;
        sample.created_ms = reader->created_ms;
        sample.exemplars = reader->exemplars;
        sample.exemplar_count = reader->exemplar_count;
    }
    hf_prom_gather_sample(&reading->receiver->gather, &sample);
}

static void read_body(struct reading *reading, struct hf_slice body, enum hf_expo_format format)
{
    struct prom_receiver *receiver = reading->receiver;
    struct hf_expo_reader *reader = receiver->reader;
    int64_t limit = reading->job->limits.samples;
    hf_expo_init(reader, format, body, &receiver->arena);
    reader->wants_native = reading->job->wants_native;
    reader->wants_classic = reading->job->wants_classic;
    for (;;) {
        enum hf_expo_item item = hf_expo_next(reader);
        if (item == HF_EXPO_END) {
            return;
        }
        if (item == HF_EXPO_BAD) {
            reading->error = reader->error;
            return;
        }
        if (item == HF_EXPO_IS_SAMPLE || item == HF_EXPO_IS_NATIVE) {
            take_sample(reading, reader, item == HF_EXPO_IS_NATIVE);
        } else {
            hf_prom_gather_metadata(&receiver->gather, item, reader);
        }
        if (!reading->is_old && limit != 0 && (int64_t)reading->kept > limit) {
            reading->error = "there are more samples than sample_limit";
        }
        if (reading->no_memory) {
            reading->error = "out of memory for a scrape, or a series has too many labels";
        }
        if (reading->error != NULL) {
            return;
        }
    }
}

/* ---- series that vanish ---- */

/* Marks those series of the target that are not among those seen now. */
static void mark_vanished(struct reading *reading)
{
    struct prom_receiver *receiver = reading->receiver;
    const struct prom_series *series = &reading->target->series;
    bool is_new = false;
    hf_prom_table_clear(&receiver->gone);
    reading->gone = 0;
    for (size_t i = 0; i < series->count; i++) {
        uint64_t hash = series->hashes[i] & ~PROM_IS_MARKED;
        if (hf_prom_table_has(&receiver->seen, hash)) {
            continue;
        }
        reading->gone++;
        if ((series->hashes[i] & PROM_IS_MARKED) != 0 &&
            hf_prom_table_put(&receiver->gone, hash, &is_new) == NULL) {
            return;
        }
    }
    if (receiver->gone.count == 0) {
        return;
    }
    if (hf_decode(HF_ZSTD, hf_slice_of(series->body, series->body_size), series->body_raw_size,
                  &receiver->old_body) != HF_OK) {
        return; /* only without memory */
    }
    struct reading old = *reading;
    old.is_old = true;
    old.error = NULL;
    old.no_memory = false;
    hf_prom_gather_keep_metadata(&receiver->gather);
    read_body(&old, hf_slice_of(receiver->old_body.data, receiver->old_body.size), series->format);
}

/* Keeps what the next scrape needs in order to mark what vanishes then. Without memory nothing is
 * marked. */
static void keep_series(struct reading *reading, const struct prom_answer *answer)
{
    struct prom_receiver *receiver = reading->receiver;
    struct prom_series *series = &reading->target->series;
    size_t count = receiver->tracked_count;
    if (reading->added == 0 && series->body != NULL) {
        if (reading->gone != 0) { /* some of the same */
            memcpy(series->hashes, receiver->tracked, count * sizeof(*series->hashes));
            series->count = count;
        }
        return;
    }
    struct hf_bytes packed = {0};
    prom_series_release(series);
    uint64_t *hashes = count != 0 ? malloc(count * sizeof(*hashes)) : NULL;
    if (hashes == NULL || hf_encode(HF_ZSTD, 1, &answer->body, 1, &packed) != HF_OK) {
        free(hashes);
        hf_bytes_release(&packed);
        return;
    }
    memcpy(hashes, receiver->tracked, count * sizeof(*hashes));
    uint8_t *body = realloc(packed.data, packed.size);
    *series = (struct prom_series){
        .hashes = hashes,
        .count = count,
        .body = body != NULL ? body : packed.data,
        .body_size = packed.size,
        .body_raw_size = answer->body.size,
        .format = answer->format,
    };
}

/* ---- how it went ---- */

static void report(struct reading *reading, struct hf_slice name, double value)
{
    struct hf_prom_labels *labels = reading->receiver->labels;
    labels->count = 0;
    if (!add_target_labels(reading, labels) || !add_external_labels(reading, labels)) {
        return;
    }
    const struct hf_prom_sample sample = {
        .name = name,
        .labels = labels->items,
        .label_count = labels->count,
        .value = value,
        .time_ms = reading->now_ms,
    };
    hf_prom_gather_sample(&reading->receiver->gather, &sample);
}

static void report_all(struct reading *reading, const struct prom_answer *answer)
{
    const struct prom_job_state *job = reading->job;
    report(reading, LITERAL("up"), reading->error == NULL ? 1 : 0);
    report(reading, LITERAL("scrape_duration_seconds"), (double)answer->duration_ns / 1e9);
    report(reading, LITERAL("scrape_samples_scraped"), (double)reading->scraped);
    report(reading, LITERAL("scrape_samples_post_metric_relabeling"), (double)reading->kept);
    report(reading, LITERAL("scrape_series_added"), (double)reading->added);
    if (job->extra_metrics) {
        report(reading, LITERAL("scrape_timeout_seconds"),
               (double)reading->target->timeout_ns / 1e9);
        report(reading, LITERAL("scrape_sample_limit"), (double)job->limits.samples);
        report(reading, LITERAL("scrape_body_size_bytes"), (double)answer->body.size);
    }
}

/* The series that the scraper makes end with the target. */
static void report_end(struct reading *reading)
{
    static const char *const names[] = {"up", "scrape_duration_seconds", "scrape_samples_scraped",
                                        "scrape_samples_post_metric_relabeling",
                                        "scrape_series_added"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        report(reading, hf_slice_text(names[i]), hf_prom_stale_value());
    }
}

/* ---- all of it ---- */

static bool is_start_time(void *user, struct hf_slice name)
{
    const struct prom_receiver *receiver = user;
    if (receiver->start_regex != NULL) {
        return hf_regex_matches(receiver->start_regex, name);
    }
    return hf_slice_equal(name, LITERAL("process_start_time_seconds"));
}

static void begin(const struct reading *reading)
{
    struct prom_receiver *receiver = reading->receiver;
    const struct prom_target *target = reading->target;
    const struct hf_prom_gather_options options = {
        .job = target->job_name,
        .instance = target->instance,
        .scheme = target->scheme,
        .attributes = target->attributes,
        .attribute_count = target->attribute_count,
        .scope_name = LITERAL(SCOPE_NAME),
        .scope_version = LITERAL(HF_VERSION),
        .trim_suffixes = receiver->config->trim_metric_suffixes,
        .is_start_time = receiver->config->use_start_time_metric ? is_start_time : NULL,
        .user = receiver,
    };
    hf_arena_rewind(&receiver->arena, ARENA_KEPT_BYTES);
    hf_prom_table_clear(&receiver->seen);
    hf_prom_table_clear(&receiver->gone);
    receiver->tracked_count = 0;
    hf_prom_gather_begin(&receiver->gather, &options);
}

static void write(const struct reading *reading)
{
    struct prom_receiver *receiver = reading->receiver;
    struct hf_builder *builder = &reading->target->lane->builder;
    enum hf_status status = hf_prom_gather_write(&receiver->gather, builder);
    enum hf_status finished = hf_build_finish(builder);
    if (status != HF_OK || finished != HF_OK) {
        hf_node_log(receiver->node, HF_LOG_ERROR, "a scrape of %s is lost: out of memory",
                    reading->target->url);
    }
}

static struct reading reading_of(struct prom_target *target, uint64_t now_ns)
{
    struct reading reading = {.receiver = target->job->receiver,
                              .target = target,
                              .job = target->job,
                              .now_ms = (int64_t)(now_ns / HF_NS_PER_MS)};
    for (size_t i = 0; i < target->label_count && i < KNOWN_HASHES_MAX; i++) {
        reading.known_hashes[reading.known_count++] = hf_prom_label_hash(&target->labels[i]);
    }
    return reading;
}

bool prom_read(struct prom_target *target, const struct prom_answer *answer, char *reterr)
{
    struct reading reading = reading_of(target, answer->started_ns);
    struct prom_receiver *receiver = reading.receiver;
    begin(&reading);
    reading.error = answer->error;
    if (reading.error == NULL) {
        read_body(&reading, answer->body, answer->format);
    }
    if (reading.error != NULL) {
        /* Nothing of it counts, and all series that were there are marked. */
        snprintf(reterr, PROM_READ_ERROR_MAX, "%s", reading.error);
        begin(&reading);
        mark_vanished(&reading);
        prom_series_release(&target->series);
    } else {
        mark_vanished(&reading);
        reading.added = receiver->tracked_count - (target->series.count - reading.gone);
        keep_series(&reading, answer);
    }
    report_all(&reading, answer);
    write(&reading);
    return reading.error == NULL;
}

void prom_read_end(struct prom_target *target)
{
    struct reading reading = reading_of(target, hf_clock_unix_ns());
    begin(&reading);
    mark_vanished(&reading);
    report_end(&reading);
    write(&reading);
}
