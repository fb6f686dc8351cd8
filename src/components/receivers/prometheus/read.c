#include "read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "read_internal.h"
#include "target.h"
#include "util/compress/compress.h"
#include "util/time/clock.h"

#define LITERAL(text) ((struct hf_slice){(const uint8_t *)(text), sizeof(text) - 1})
#define ARENA_KEPT_BYTES ((size_t)8 << 20)
#define SCOPE_NAME                                                                                 \
    "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/prometheusreceiver"

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
    reading->is_varied |= is_native || reader->has_time || reader->exemplar_count != 0;
    reading->scraped++;
    if (!prom_read_target_labels(reading, labels)) {
        reading->no_memory = true;
        return;
    }
    if (!prom_read_relabel(reading, &name, labels) ||
        !prom_read_is_within_limits(reading, name, labels)) {
        return;
    }
    reading->kept++;
    if (!prom_read_external_labels(reading, labels)) {
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
        .number = (uint32_t)(reading->scraped - 1),
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
    reader->wants_native = reading->target->wants_native;
    reader->wants_classic = reading->target->wants_classic;
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

/* A series that the scraper makes. */
struct report {
    struct hf_slice name;
    double value;
};

#define REPORTS_MAX 8u

static size_t list_reports(const struct reading *reading, const struct prom_answer *answer,
                           struct report ret_reports[REPORTS_MAX])
{
    const struct prom_job_state *job = reading->job;
    const struct report reports[REPORTS_MAX] = {
        {LITERAL("up"), reading->error == NULL ? 1 : 0},
        {LITERAL("scrape_duration_seconds"), (double)answer->duration_ns / 1e9},
        {LITERAL("scrape_samples_scraped"), (double)reading->scraped},
        {LITERAL("scrape_samples_post_metric_relabeling"), (double)reading->kept},
        {LITERAL("scrape_series_added"), (double)reading->added},
        {LITERAL("scrape_timeout_seconds"), (double)reading->target->timeout_ns / 1e9},
        {LITERAL("scrape_sample_limit"), (double)job->limits.samples},
        {LITERAL("scrape_body_size_bytes"), (double)answer->body.size},
    };
    memcpy(ret_reports, reports, sizeof(reports));
    return job->extra_metrics ? REPORTS_MAX : REPORTS_MAX - 3;
}

static void report(struct reading *reading, const struct report *report, size_t number)
{
    struct hf_prom_labels *labels = reading->receiver->labels;
    labels->count = 0;
    if (!prom_read_target_labels(reading, labels) || !prom_read_external_labels(reading, labels)) {
        return;
    }
    const struct hf_prom_sample sample = {
        .name = report->name,
        .labels = labels->items,
        .label_count = labels->count,
        .value = report->value,
        .time_ms = reading->now_ms,
        .number = (uint32_t)number,
    };
    hf_prom_gather_sample(&reading->receiver->gather, &sample);
}

static void report_all(struct reading *reading, const struct prom_answer *answer)
{
    struct report reports[REPORTS_MAX];
    size_t count = list_reports(reading, answer, reports);
    for (size_t i = 0; i < count; i++) {
        report(reading, &reports[i], reading->scraped + i);
    }
}

/* The series that the scraper makes end with the target. */
static void report_end(struct reading *reading)
{
    static const char *const names[] = {"up", "scrape_duration_seconds", "scrape_samples_scraped",
                                        "scrape_samples_post_metric_relabeling",
                                        "scrape_series_added"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct report end = {hf_slice_text(names[i]), hf_prom_stale_value()};
        report(reading, &end, i);
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

/* Ends the writing of a scrape's batches. */
static void end_write(const struct reading *reading, enum hf_status status)
{
    enum hf_status finished = hf_build_finish(&reading->target->lane->builder);
    if (status != HF_OK || finished != HF_OK) {
        hf_node_log(reading->receiver->node, HF_LOG_ERROR, "a scrape of %s is lost: out of memory",
                    reading->target->url);
    }
}

static void write(const struct reading *reading)
{
    struct prom_receiver *receiver = reading->receiver;
    struct hf_builder *builder = &reading->target->lane->builder;
    enum hf_status status = hf_prom_gather_write(&receiver->gather, builder);
    end_write(reading, status);
}

/* ---- a scrape of the same series as the one before ---- */

static bool add_report_values(const struct reading *reading, const struct prom_answer *answer)
{
    struct report reports[REPORTS_MAX];
    size_t count = list_reports(reading, answer, reports);
    bool has_room = true;
    for (size_t i = 0; i < count && has_room; i++) {
        has_room = hf_expo_values_add(&reading->receiver->values, reports[i].value);
    }
    return has_room;
}

/* Makes the batches of those of the scrape before. False: it has to be read. */
static bool replay(struct reading *reading, const struct prom_answer *answer)
{
    struct hf_expo_values *values = &reading->receiver->values;
    const struct prom_series *series = &reading->target->series;
    size_t count = values->count;
    if (series->replay.parts == NULL || series->shape != values->shape) {
        return false;
    }
    reading->scraped = count;
    reading->kept = series->kept;
    bool is_done = add_report_values(reading, answer) &&
                   hf_prom_replay_write(&series->replay, values, reading->now_ms,
                                        &reading->target->lane->builder);
    values->count = count;
    if (is_done) {
        end_write(reading, HF_OK);
    }
    return is_done;
}

/* Keeps the batches for the next scrape, once two had the same shape. They are all that the builder
 * has, unless others have waited there. */
static void keep_replay(struct reading *reading, const struct prom_answer *answer, bool has_others)
{
    struct prom_receiver *receiver = reading->receiver;
    struct prom_series *series = &reading->target->series;
    struct hf_expo_values *values = &receiver->values;
    bool is_same = series->shape == values->shape && reading->added == 0 && reading->gone == 0;
    hf_prom_replay_release(&series->replay);
    series->shape = values->shape;
    series->kept = reading->kept;
    if (is_same && !has_others && !reading->is_varied && values->count == reading->scraped &&
        add_report_values(reading, answer)) {
        hf_prom_replay_make(&series->replay, &receiver->gather, &reading->target->lane->builder,
                            values);
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

/* Nothing of it counts, and all series that were there are marked. */
static void read_failed(struct reading *reading)
{
    begin(reading);
    mark_vanished(reading);
    prom_series_release(&reading->target->series);
}

bool prom_read(struct prom_target *target, const struct prom_answer *answer, char *reterr)
{
    struct reading reading = reading_of(target, answer->started_ns);
    struct prom_receiver *receiver = reading.receiver;
    bool has_others = hf_build_next(&target->lane->builder, NULL) != NULL;
    bool has_values = answer->error == NULL &&
                      hf_expo_values_read(&receiver->values, answer->format, answer->body);
    if (has_values && replay(&reading, answer)) {
        return true;
    }
    begin(&reading);
    reading.scraped = reading.kept = 0;
    reading.error = answer->error;
    if (reading.error == NULL) {
        read_body(&reading, answer->body, answer->format);
    }
    if (reading.error != NULL) {
        snprintf(reterr, PROM_READ_ERROR_MAX, "%s", reading.error);
        read_failed(&reading);
    } else {
        mark_vanished(&reading);
        reading.added = receiver->tracked_count - (target->series.count - reading.gone);
        keep_series(&reading, answer);
    }
    report_all(&reading, answer);
    write(&reading);
    if (reading.error == NULL && has_values) {
        keep_replay(&reading, answer, has_others);
    }
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
