/*
 * resourcedetection: adds to every resource what detectors found out about where the process runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "detectors.h"
#include "pdata/edit.h"
#include "settings.h"
#include "support/probe/probe.h"
#include "util/time/clock.h"

/* One id in several pipelines is one detection. The main thread's, except what its detectors lend.
 */
struct resourcedetection {
    struct resourcedetection *next;
    const struct hf_resourcedetection_config *config;
    unsigned users, running; /* opened and not closed; started and not stopped */
    bool is_started;
    enum hf_status start_status;
    char start_error[HF_ERROR_MAX];
    struct hf_detector_use *uses;
    struct hf_detectors *detectors;
};

static struct resourcedetection *all;

/* ---- the component ---- */

static void free_processor(struct resourcedetection *processor)
{
    hf_detectors_free(processor->detectors);
    free(processor->uses);
    free(processor);
}

static void close_resourcedetection(void *self)
{
    struct resourcedetection *processor = self;
    struct resourcedetection **place = &all;
    if (--processor->users > 0) {
        return;
    }
    while (*place != processor) {
        place = &(*place)->next;
    }
    *place = processor->next;
    free_processor(processor);
}

static enum hf_status make_detectors(struct hf_node *node, struct resourcedetection *processor)
{
    const struct hf_resourcedetection_config *config = processor->config;
    processor->uses = calloc(config->detectors.count, sizeof(*processor->uses));
    if (processor->uses == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < config->detectors.count; i++) {
        size_t index = hf_detector_index(config->detectors.items[i]);
        processor->uses[i] =
            (struct hf_detector_use){hf_detectors_known[index], &config->sections[index]};
    }
    const struct hf_detectors_options options = {
        .node = node,
        .uses = processor->uses,
        .count = config->detectors.count,
        .timeout_ns = config->timeout_ns,
        .refresh_interval_ns = config->refresh_interval_ns,
        .retries = config->retry.enabled,
        .fail_on_missing_metadata = config->fail_on_missing_metadata,
        .retry_initial_ns = config->retry.initial_interval_ns,
        .retry_max_ns = config->retry.max_interval_ns,
        .retry_multiplier = config->retry.multiplier,
        .only = config->attributes,
    };
    return hf_detectors_new(&options, &processor->detectors);
}

static enum hf_status open_resourcedetection(struct hf_node *node, const void *config,
                                             void **ret_self, char *reterr)
{
    struct resourcedetection *processor = all;
    (void)reterr;
    while (processor != NULL && processor->config != config) {
        processor = processor->next;
    }
    if (processor == NULL) {
        processor = calloc(1, sizeof(*processor));
        if (processor == NULL) {
            return HF_NOMEM;
        }
        processor->config = config;
        enum hf_status status = make_detectors(node, processor);
        if (status != HF_OK) {
            free_processor(processor);
            return status;
        }
        processor->next = all;
        all = processor;
    }
    processor->users++;
    *ret_self = processor;
    return HF_OK;
}

static enum hf_status start_resourcedetection(void *self, char *reterr)
{
    struct resourcedetection *processor = self;
    if (!processor->is_started) {
        processor->is_started = true;
        processor->start_status = hf_detectors_start(processor->detectors, processor->start_error);
    }
    if (processor->start_status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "%s", processor->start_error);
        return processor->start_status;
    }
    processor->running++;
    return HF_OK;
}

static void stop_resourcedetection(void *self)
{
    struct resourcedetection *processor = self;
    if (--processor->running == 0) {
        hf_detectors_stop(processor->detectors);
    }
}

/* One batch on its way through. */
struct pass {
    struct hf_editor editor;
    const struct hf_facts *facts;
    bool override;
};

static void change(struct hf_editor *editor, struct hf_attributes *attributes)
{
    const struct pass *pass = HF_CONTAINER(editor, struct pass, editor);
    for (size_t i = 0; i < pass->facts->count; i++) {
        const struct hf_attribute *fact = &pass->facts->items[i];
        if (pass->override || hf_attributes_find(attributes, fact->key) == NULL) {
            hf_attributes_set(attributes, fact->key, fact->value);
        }
    }
}

static enum hf_status process(void *self, struct hf_batch *batch, struct hf_batch **ret_batch)
{
    static const struct hf_facts nothing;
    const struct resourcedetection *processor = self;
    const struct hf_facts *facts = hf_detectors_facts(processor->detectors);
    struct pass pass = {.editor = {.of_resources = true, .change = change},
                        .facts = facts != NULL ? facts : &nothing,
                        .override = processor->config->override};
    return hf_edit_batch(&pass.editor, batch, ret_batch);
}

static const char *const aliases[] = {"resource_detection", NULL};

static const struct hf_processor_ops processor_ops = {
    .process = process,
};

/* Asks one detector, once. One that runs elsewhere finds nothing, which is no fault unless its
 * metadata must be there. */
static void probe_detector(const struct hf_resourcedetection_config *config, size_t at,
                           struct hf_probe *probe)
{
    struct hf_detection detection = {
        .detector = hf_detectors_known[at],
        .config = &config->sections[at],
        .deadline_ns = hf_clock_monotonic_ns() + probe->timeout_ns,
        .arena = {.limit = HF_DETECTION_LIMIT_BYTES},
    };
    bool is_needed =
        config->fail_on_missing_metadata || config->sections[at].fail_on_missing_metadata;
    detection.found = (struct hf_attributes){.lender = &detection.arena};
    detection.maker = (struct hf_any_maker){.arena = &detection.arena};
    enum hf_status status = hf_detectors_known[at]->detect(&detection);
    if (status == HF_OK) {
        hf_probe_say(probe, "detector", hf_detectors_known[at]->name, HF_PROBE_OK, "%zu attributes",
                     detection.found.count);
    } else {
        hf_probe_say(probe, "detector", hf_detectors_known[at]->name,
                     status == HF_NOT_FOUND && !is_needed ? HF_PROBE_WARNING : HF_PROBE_FAILED,
                     "%s", detection.why[0] != '\0' ? detection.why : hf_status_row(status)->says);
    }
    hf_arena_release(&detection.arena);
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct hf_resourcedetection_config *config = from;
    for (size_t i = 0; i < config->detectors.count; i++) {
        probe_detector(config, hf_detector_index(config->detectors.items[i]), probe);
    }
}

const struct hf_component hf_processor_resourcedetection = {
    .type = "resourcedetection",
    .aliases = aliases,
    .help = "Adds to resources where the process runs: host, cloud, cluster.",
    .kind = HF_PROCESSOR,
    .signals = HF_ALL_SIGNALS_AND_PROFILES,
    .config_size = sizeof(struct hf_resourcedetection_config),
    .fields = hf_resourcedetection_fields,
    .check = hf_resourcedetection_check,
    .probe = probe_outside,
    .open = open_resourcedetection,
    .start = start_resourcedetection,
    .stop = stop_resourcedetection,
    .close = close_resourcedetection,
    .processor = &processor_ops,
};
