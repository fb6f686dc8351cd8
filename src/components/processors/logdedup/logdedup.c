/*
 * logdedup: makes one log record of equal ones, once per interval, with their count.
 */
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "duplicates.h"
#include "fields.h"
#include "pdata/document.h"
#include "pdata/series.h"
#include "support/items/ottl_groups.h"
#include "util/time/clock.h"

#define BYTES_MAX ((size_t)256 << 20) /* of an interval; a larger one ends early */

enum { RECORD_SEVERITY_NUMBER = 2, RECORD_SEVERITY_TEXT = 3, RECORD_BODY = 5 };

struct dedup_config {
    uint64_t interval_ns;
    const char *log_count_attribute, *timezone;
    struct hf_string_list conditions, include_fields, exclude_fields;
};

struct processor {
    struct hf_interval *held; /* first: its functions are the component's */
    const struct dedup_config *config;
    struct hf_ottl_groups conditions;
    struct hf_ottl_errors *errors;
    struct logdedup_fields *included, *excluded;
    struct hf_zone *zone;
    struct logdedup_duplicates *duplicates;
};

struct pass {
    struct hf_visitor visitor;
    struct hf_ottl_watch watch;
    struct processor *processor;
    struct hf_ottl_run run;
    const struct hf_batch *batch;
    const struct hf_message *resource_group, *scope_group;
    struct hf_hash of_resource, of_scope;
    enum hf_status status;
};

/* ---- one record ---- */

static void meet_error(struct hf_ottl_watch *watch, const char *text, const char *error)
{
    struct pass *pass = HF_CONTAINER(watch, struct pass, watch);
    hf_ottl_errors_meet(pass->processor->errors, text, error, false);
}

/* Is it one that conditions mean? Without conditions every one is. */
static bool is_meant(struct pass *pass, const struct hf_place *place)
{
    const struct hf_ottl_groups *conditions = &pass->processor->conditions;
    bool is_true = false;
    if (conditions->count == 0) {
        return true;
    }
    hf_ottl_enter(&pass->run, place);
    pass->status =
        hf_ottl_any(conditions->items[0].ottl, &pass->run, HF_OTTL_IGNORE, &pass->watch, &is_true);
    return is_true;
}

static struct hf_hash hash_origin(struct pass *pass, const struct hf_place *place)
{
    enum { SCOPE_NAME = 1, SCOPE_VERSION = 2 };
    if (pass->resource_group != place->resource_group || pass->resource_group == NULL) {
        pass->resource_group = place->resource_group;
        pass->scope_group = NULL;
        pass->of_resource = hf_series_attributes(hf_place_resource(place));
    }
    if (pass->scope_group != place->scope_group || pass->scope_group == NULL) {
        struct hf_message *scope = hf_place_scope(place);
        struct hf_hash name = hf_hash_pair(hf_message_bytes(scope, SCOPE_NAME),
                                           hf_message_bytes(scope, SCOPE_VERSION));
        pass->scope_group = place->scope_group;
        pass->of_scope =
            hf_hash_mix(pass->of_resource, hf_hash_mix(name, hf_series_attributes(scope)));
    }
    return pass->of_scope;
}

static struct hf_hash hash_record(const struct processor *processor, struct hf_message *record)
{
    struct hf_hash hash;
    if (logdedup_fields_hash(processor->included, record, &hash)) {
        return hash;
    }
    struct hf_hash body = hf_hash_of(hf_message_any(record, RECORD_BODY));
    struct hf_hash severity = hf_hash_of(hf_message_bytes(record, RECORD_SEVERITY_TEXT));
    severity.low += hf_message_u64(record, RECORD_SEVERITY_NUMBER);
    return hf_hash_mix(hf_series_attributes(record), hf_hash_mix(body, severity));
}

static enum hf_visit see_record(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct pass *pass = HF_CONTAINER(visitor, struct pass, visitor);
    struct processor *processor = pass->processor;
    bool counts = is_meant(pass, place);
    if (counts) {
        pass->status = logdedup_fields_remove(processor->excluded, place->item);
    }
    if (counts && pass->status == HF_OK) {
        struct hf_hash origin = hash_origin(pass, place);
        pass->status = logdedup_duplicates_add(processor->duplicates, origin,
                                               hash_record(processor, place->item), place,
                                               pass->batch->received_ns);
    }
    if (pass->status != HF_OK) {
        return HF_VISIT_STOP;
    }
    return counts ? HF_VISIT_DROP : HF_VISIT_KEEP;
}

static enum hf_status take(void *user, struct hf_batch *batch, struct hf_batch **ret_passed)
{
    struct pass pass = {.visitor = {.item = see_record, .prune = true},
                        .watch.error = meet_error,
                        .processor = user,
                        .batch = batch};
    struct hf_document *document = hf_document_borrow(batch->signal, batch->raw);
    if (document == NULL) {
        return HF_NOMEM;
    }
    logdedup_duplicates_begin(pass.processor->duplicates);
    hf_ottl_begin(&pass.run, document);
    hf_walk(document, &pass.visitor);
    enum hf_status status = pass.status;
    if (status == HF_OK) {
        status = hf_document_batch(document, batch, ret_passed);
    }
    if (status != HF_OK) {
        logdedup_duplicates_take_back(pass.processor->duplicates);
    }
    hf_ottl_end(&pass.run);
    hf_document_return(document);
    return status;
}

static bool is_full(void *user)
{
    const struct processor *processor = user;
    return logdedup_duplicates_is_full(processor->duplicates);
}

static enum hf_status flush(void *user, struct hf_interval_list *list)
{
    const struct processor *processor = user;
    return logdedup_duplicates_flush(processor->duplicates, hf_clock_unix_ns(), list);
}

/* ---- life ---- */

static enum hf_status compile(const struct dedup_config *config, struct hf_ottl_groups *groups,
                              char *reterr)
{
    const struct hf_ottl_group_rules rules = {.key = "conditions", .error_mode = HF_OTTL_IGNORE};
    return hf_ottl_groups_add(groups, config->conditions, HF_PATH_LOG, &rules, reterr);
}

static const char *check(const void *config)
{
    static _Thread_local char sentence[HF_ERROR_MAX];
    const struct dedup_config *configured = config;
    struct hf_ottl_groups groups = {0};
    struct hf_zone *zone = NULL;
    const char *why = logdedup_fields_check("include_fields", configured->include_fields);
    why = why != NULL ? why : logdedup_fields_check("exclude_fields", configured->exclude_fields);
    if (why != NULL) {
        return why;
    }
    if (configured->log_count_attribute[0] == '\0') {
        return "log_count_attribute must be set";
    }
    if (hf_zone_open(configured->timezone, &zone) == HF_NOT_FOUND) {
        return "timezone must be the name of a time zone, such as UTC or Europe/Berlin";
    }
    if (zone != NULL) {
        hf_zone_close(zone);
    }
    enum hf_status status = compile(configured, &groups, sentence);
    hf_ottl_groups_release(&groups);
    return status == HF_INVALID ? sentence : NULL;
}

static void close_processor(void *self)
{
    struct processor *processor = self;
    hf_interval_free(processor->held);
    logdedup_duplicates_free(processor->duplicates);
    logdedup_fields_free(processor->included);
    logdedup_fields_free(processor->excluded);
    hf_ottl_errors_free(processor->errors);
    hf_ottl_groups_release(&processor->conditions);
    if (processor->zone != NULL) {
        hf_zone_close(processor->zone);
    }
    free(processor);
}

static enum hf_status open_parts(struct hf_node *node, struct processor *processor, char *reterr)
{
    const struct dedup_config *config = processor->config;
    enum hf_status status = compile(config, &processor->conditions, reterr);
    if (status == HF_OK) {
        processor->errors = hf_ottl_errors_new(node, &processor->conditions);
        status =
            processor->errors != NULL ? hf_zone_open(config->timezone, &processor->zone) : HF_NOMEM;
    }
    if (status == HF_OK) {
        status = logdedup_fields_new(config->include_fields, &processor->included);
    }
    if (status == HF_OK) {
        status = logdedup_fields_new(config->exclude_fields, &processor->excluded);
    }
    const struct logdedup_form form = {config->log_count_attribute, processor->zone};
    if (status == HF_OK) {
        processor->duplicates = logdedup_duplicates_new(BYTES_MAX, &form);
        status = processor->duplicates != NULL ? HF_OK : HF_NOMEM;
    }
    return status;
}

static enum hf_status open_processor(struct hf_node *node, const void *config, void **ret_self,
                                     char *reterr)
{
    const struct dedup_config *configured = config;
    struct processor *processor = calloc(1, sizeof(*processor));
    if (processor == NULL) {
        return HF_NOMEM;
    }
    processor->config = configured;
    const struct hf_interval_ops ops = {.take = take,
                                        .is_full = is_full,
                                        .flush = flush,
                                        .user = processor,
                                        .interval_ns = configured->interval_ns};
    enum hf_status status = open_parts(node, processor, reterr);
    if (status == HF_OK) {
        status = hf_interval_new(node, &ops, &processor->held);
    }
    if (status != HF_OK) {
        close_processor(processor);
        return status;
    }
    *ret_self = processor;
    return HF_OK;
}

/* ---- fields ---- */

#define AT(name) offsetof(struct dedup_config, name)

static const struct hf_field fields[] = {
    {.key = "interval",
     .type = HF_FIELD_DURATION,
     .offset = AT(interval_ns),
     .default_text = "10s",
     .min = 1e6,
     .max = 1e18,
     .help = "How often the records pass. Until then they are in the queue in front."},
    {.key = "conditions",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(conditions),
     .help = "OTTL conditions of the log context: records for which none is true pass at once."},
    {.key = "log_count_attribute",
     .type = HF_FIELD_STRING,
     .offset = AT(log_count_attribute),
     .default_text = "log_count",
     .help = "The attribute that says how many there were."},
    {.key = "timezone",
     .type = HF_FIELD_STRING,
     .offset = AT(timezone),
     .default_text = "UTC",
     .help = "The time zone of first_observed_timestamp and last_observed_timestamp."},
    {.key = "include_fields",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(include_fields),
     .help = "Records are equal when these parts are, as body.NAME or attributes.NAME; of a record "
             "that has none of them all counts. Dots in names are written \\."},
    {.key = "exclude_fields",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(exclude_fields),
     .help = "Parts that are removed before records are compared."},
    HF_FIELDS_END,
};

static const struct hf_queued_ops queued_ops = {
    .process_queued = hf_interval_self_process,
};

static const char *const aliases[] = {"log_dedup", NULL};

const struct hf_component hf_processor_logdedup = {
    .type = "logdedup",
    .aliases = aliases,
    .help = "Makes one log record of equal ones, with their count.",
    .kind = HF_PROCESSOR,
    .signals = HF_SIGNAL_BIT(HF_LOGS),
    .config_size = sizeof(struct dedup_config),
    .fields = fields,
    .check = check,
    .open = open_processor,
    .start = hf_interval_self_start,
    .stop = hf_interval_self_stop,
    .close = close_processor,
    .queued = &queued_ops,
};
