/*
 * check_shards: reads `shards` of a pipeline, a number or a map, and refuses what several queues
 * would break: what needs the order of one queue, and what a queue would be too small for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "scalar.h"
#include "util/delivery_config.h"
#include "util/suggest.h"

#define SHARD_BYTES_MIN (UINT64_C(1) << 20)

static const char *const by_names[HF_SHARD_BYS] = {[HF_SHARD_ROUND_ROBIN] = "round_robin",
                                                   [HF_SHARD_TRACE_ID] = "trace_id",
                                                   [HF_SHARD_RESOURCE] = "resource"};

const char *hf_shard_by_name(enum hf_shard_by by)
{
    return by_names[by];
}

bool hf_shard_id(const char *pipeline, unsigned number, char *out, size_t room)
{
    int size = number == 0 ? snprintf(out, room, "%s", pipeline)
                           : snprintf(out, room, "%s~%u", pipeline, number);
    return size > 0 && (size_t)size < room;
}

/* ---- reading ---- */

/* One `shards` being read. */
struct draft {
    struct hf_load *load;
    struct hf_key_path path; /* "service::pipelines::traces: shards" */
    struct hf_config_pipeline *pipeline;
    struct hf_yaml_place place;
};

static bool read_count(const struct draft *draft, const struct hf_key_path *path,
                       const struct hf_yaml *node)
{
    const char *text = hf_yaml_string(node);
    int64_t count = 0;

    if (text == NULL || hf_scalar_int(text, &count) != HF_SCALAR_GOOD || count < 1 ||
        count > (int64_t)HF_SHARDS_MAX) {
        hf_load_error(draft->load, node->place, path, "expected a number from 1 to %u, got %s",
                      HF_SHARDS_MAX, hf_yaml_show(node).text);
        return false;
    }
    draft->pipeline->shard_count = (unsigned)count;
    return true;
}

static bool read_by(const struct draft *draft, const struct hf_yaml *node)
{
    const struct hf_key_path path = {.up = &draft->path, .key = "by"};
    const char *text = hf_yaml_string(node);

    for (int by = 0; by < HF_SHARD_BYS && text != NULL; by++) {
        if (strcmp(text, by_names[by]) == 0) {
            draft->pipeline->shard_by = (enum hf_shard_by)by;
            return true;
        }
    }
    hf_load_error(draft->load, node->place, &path,
                  "expected round_robin, trace_id or resource, got %s", hf_yaml_show(node).text);
    return false;
}

static bool read_map(const struct draft *draft, const struct hf_yaml *map)
{
    const struct hf_key_path count_path = {.up = &draft->path, .key = "count"};
    const struct hf_yaml *count = hf_yaml_value(map, "count");
    const struct hf_yaml *by = hf_yaml_value(map, "by");
    bool is_good = true;

    for (size_t i = 0; i < map->count; i++) {
        const char *key = map->entries[i].key;
        const struct hf_key_path path = {.up = &draft->path, .key = key};
        if (strcmp(key, "count") != 0 && strcmp(key, "by") != 0) {
            hf_load_error(draft->load, map->entries[i].place, &path,
                          "unknown key; expected count or by");
            is_good = false;
        }
    }
    if (hf_yaml_is_null(count)) {
        hf_load_error(draft->load, map->place, &count_path,
                      "is missing: how many queues the pipeline has");
        return false;
    }
    is_good = read_count(draft, &count_path, count) && is_good;
    return (hf_yaml_is_null(by) || read_by(draft, by)) && is_good;
}

static bool read_shards(const struct draft *draft, const struct hf_yaml *node)
{
    if (node->kind == HF_YAML_MAP) {
        return read_map(draft, node);
    }
    if (node->kind == HF_YAML_LIST) {
        hf_load_error(draft->load, node->place, &draft->path,
                      "expected a number from 1 to %u, or a map of count and by, got %s",
                      HF_SHARDS_MAX, hf_yaml_show(node).text);
        return false;
    }
    return read_count(draft, &draft->path, node);
}

/* ---- what cannot have several queues ---- */

static bool is_queued(const struct hf_config_component *part)
{
    return part->component != NULL && part->component->queued != NULL;
}

static bool answers_at_once(const struct hf_config_component *part)
{
    return part->component != NULL && part->component->connector != NULL &&
           part->component->connector->connect != NULL;
}

static bool needs_order(const struct hf_config_component *part)
{
    return part->component != NULL && part->component->exporter != NULL &&
           part->component->exporter->in_flight == 1;
}

static void check_signal(const struct draft *draft)
{
    enum hf_shard_by by = draft->pipeline->shard_by;
    enum hf_signal signal = draft->pipeline->signal;

    if (by == HF_SHARD_TRACE_ID && signal == HF_METRICS) {
        hf_load_error(draft->load, draft->place, &draft->path,
                      "by: trace_id: metrics have none; use round_robin or resource");
    }
    if (by != HF_SHARD_ROUND_ROBIN && signal == HF_PROFILES) {
        hf_load_error(
            draft->load, draft->place, &draft->path,
            "by: %s: the profiles of a request share tables, so it cannot be divided; use "
            "round_robin",
            by_names[by]);
    }
}

static void check_queued(const struct draft *draft, const struct hf_config_component *part)
{
    if (is_queued(part)) {
        hf_load_error(draft->load, draft->place, &draft->path,
                      "%s \"%s\" remembers what it reads from the queue, and would read several in "
                      "no order; take shards or it out of this pipeline",
                      part->kind == HF_PROCESSOR ? "processor" : "connector", part->id);
    }
}

static void check_exporter(const struct draft *draft, const struct hf_config_component *part)
{
    const struct hf_config_pipeline *pipeline = draft->pipeline;

    if (needs_order(part) && pipeline->shard_by != HF_SHARD_RESOURCE) {
        hf_load_error(draft->load, draft->place, &draft->path,
                      "exporter \"%s\" needs the order in which data came, and by: %s puts what "
                      "belongs together into several queues; use by: resource",
                      part->id, by_names[pipeline->shard_by]);
    }
    uint64_t max_bytes = part->delivery != NULL ? part->delivery->queue.max_bytes : 0;
    if (max_bytes != 0 && max_bytes / pipeline->shard_count < SHARD_BYTES_MIN) {
        hf_load_error(draft->load, draft->place, &draft->path,
                      "sending_queue::max_bytes of exporter \"%s\" is divided among %u queues, and "
                      "each needs 1MiB at least",
                      part->id, pipeline->shard_count);
    }
}

static void check_parts(const struct draft *draft)
{
    const struct hf_config_pipeline *pipeline = draft->pipeline;
    bool is_passed_on = pipeline->exporter_count != 0;

    for (size_t i = 0; i < pipeline->processor_count; i++) {
        check_queued(draft, pipeline->processors[i]);
    }
    for (size_t i = 0; i < pipeline->exporter_count; i++) {
        check_queued(draft, pipeline->exporters[i]);
        check_exporter(draft, pipeline->exporters[i]);
        is_passed_on = is_passed_on && answers_at_once(pipeline->exporters[i]);
    }
    if (is_passed_on) {
        hf_load_error(draft->load, draft->place, &draft->path,
                      "this pipeline has no queue: its connectors pass everything on at once; "
                      "write shards for the pipelines behind them");
    }
}

void hf_check_shards(struct hf_build *build, const struct hf_key_path *pipeline_path,
                     const struct hf_yaml *node, struct hf_config_pipeline *pipeline)
{
    struct draft draft = {
        .load = build->load, .path = {.up = pipeline_path, .key = "shards"}, .pipeline = pipeline};

    if (hf_yaml_is_null(node)) {
        return;
    }
    draft.place = node->place;
    if (read_shards(&draft, node) && pipeline->shard_count > 1) {
        check_signal(&draft);
        check_parts(&draft);
    }
}

void hf_check_shard_ids(struct hf_build *build, struct hf_yaml_place place,
                        const struct hf_key_path *path, const char *id)
{
    const char *mark = strrchr(id, '~');
    size_t digits = mark != NULL ? strspn(mark + 1, "0123456789") : 0;

    if (digits != 0 && mark[1 + digits] == '\0') {
        hf_load_error(build->load, place, path,
                      "a name that ends in ~ and a number is that of a queue of another pipeline "
                      "(shards); choose another one");
    }
}
