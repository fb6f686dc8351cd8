/*
 * match_run: decides whether a span or a log record matches the rules of a processor.
 */
#include <string.h>

#include "match_internal.h"
#include "pdata/wire_find.h"
#include "util/regex/regex.h"

static bool is_text(const struct hf_match_text_rule *rule, struct hf_slice text)
{
    return rule->regex != NULL ? hf_regex_matches(rule->regex, text)
                               : hf_slice_equal(rule->text, text);
}

static bool is_in(const struct hf_match_text_set *set, struct hf_slice text)
{
    for (size_t i = 0; i < set->count; i++) {
        if (is_text(&set->rules[i], text)) {
            return true;
        }
    }
    return set->count == 0;
}

/* The value as text; false when there is no memory for it. */
static bool as_text(struct hf_slice value, struct hf_match_memory *memory,
                    struct hf_slice *ret_text)
{
    memory->text.size = 0;
    if (hf_any_text(value, &memory->text) != HF_OK) {
        return false;
    }
    *ret_text = hf_slice_of(memory->text.data, memory->text.size);
    return true;
}

static bool has_attribute(const struct hf_match_attribute_rule *rule, struct hf_slice owner,
                          uint32_t number, struct hf_match_memory *memory)
{
    struct hf_slice value, text;
    if (!hf_attribute_of(owner, number, rule->key, &value)) {
        return false;
    }
    if (rule->any) {
        return true;
    }
    struct hf_any any = hf_any_read(value);
    if (rule->text.regex == NULL) {
        return hf_any_equal(&any, &rule->value);
    }
    bool is_scalar = any.type == HF_ANY_STRING || any.type == HF_ANY_BOOL ||
                     any.type == HF_ANY_INT || any.type == HF_ANY_DOUBLE;
    return is_scalar && as_text(value, memory, &text) && is_text(&rule->text, text);
}

static bool has_attributes(const struct hf_match_attribute_set *set, struct hf_slice owner,
                           uint32_t number, struct hf_match_memory *memory)
{
    for (size_t i = 0; i < set->count; i++) {
        if (!has_attribute(&set->rules[i], owner, number, memory)) {
            return false;
        }
    }
    return true;
}

static bool is_resource(const struct hf_match *match, const struct hf_edit_place *place,
                        struct hf_match_memory *memory)
{
    if (place->signal == HF_TRACES && match->services.count != 0) {
        struct hf_slice value;
        /* What the Go collector compares when there is none. */
        struct hf_slice service = hf_slice_text("<nil-service-name>");
        if (hf_attribute_of(place->resource, HF_NUMBER_RESOURCE_ATTRIBUTES,
                            hf_slice_text("service.name"), &value) &&
            !as_text(value, memory, &service)) {
            return false;
        }
        if (!is_in(&match->services, service)) {
            return false;
        }
    }
    return has_attributes(&match->resources, place->resource, HF_NUMBER_RESOURCE_ATTRIBUTES,
                          memory);
}

static bool is_scope(const struct hf_match *match, struct hf_slice scope)
{
    if (match->library_count == 0) {
        return true;
    }
    struct hf_slice name = hf_wire_find_bytes(scope, HF_NUMBER_SCOPE_NAME);
    struct hf_slice version = hf_wire_find_bytes(scope, HF_NUMBER_SCOPE_VERSION);
    for (size_t i = 0; i < match->library_count; i++) {
        const struct hf_match_library_rule *rule = &match->libraries[i];
        if (is_text(&rule->name, name) && (rule->any_version || is_text(&rule->version, version))) {
            return true;
        }
    }
    return false;
}

static bool is_span(const struct hf_match *match, struct hf_slice span)
{
    if (match->span_names.count != 0 &&
        !is_in(&match->span_names, hf_wire_find_bytes(span, HF_NUMBER_SPAN_NAME))) {
        return false;
    }
    if (match->span_kinds.count != 0) {
        uint64_t kind = hf_wire_find_bits(span, HF_NUMBER_SPAN_KIND);
        return is_in(&match->span_kinds,
                     hf_slice_text(kind < HF_SPAN_KIND_COUNT ? hf_span_kind_names[kind] : ""));
    }
    return true;
}

static bool is_record(const struct hf_match *match, struct hf_slice record,
                      struct hf_match_memory *memory)
{
    const struct hf_match_severity *severity = match->config->log_severity_number;
    struct hf_slice text;
    if (match->log_bodies.count != 0 &&
        (!as_text(hf_wire_find_bytes(record, HF_NUMBER_LOG_BODY), memory, &text) ||
         !is_in(&match->log_bodies, text))) {
        return false;
    }
    if (match->log_severity_texts.count != 0 &&
        !is_in(&match->log_severity_texts,
               hf_wire_find_bytes(record, HF_NUMBER_LOG_SEVERITY_TEXT))) {
        return false;
    }
    if (severity != NULL) {
        int32_t number = (int32_t)hf_wire_find_bits(record, HF_NUMBER_LOG_SEVERITY_NUMBER);
        return number == 0 ? severity->match_undefined : number >= severity->min;
    }
    return true;
}

bool hf_match_is(const struct hf_match *match, const struct hf_edit_place *place,
                 struct hf_match_memory *memory)
{
    if (memory->element != place->element) {
        memory->resource_matches = is_resource(match, place, memory);
        memory->element = place->element;
    }
    if (memory->group != place->group) {
        memory->scope_matches = is_scope(match, place->scope);
        memory->group = place->group;
    }
    if (!memory->resource_matches || !memory->scope_matches) {
        return false;
    }
    bool matches =
        place->signal == HF_TRACES ? is_span(match, place->owner)
        : place->signal == HF_LOGS
            ? is_record(match, place->owner, memory)
            : is_in(&match->metric_names, hf_wire_find_bytes(place->metric, HF_NUMBER_METRIC_NAME));
    return matches && has_attributes(&match->attributes, place->owner, place->number, memory);
}

void hf_match_forget(struct hf_match_memory *memory)
{
    hf_bytes_release(&memory->text);
}
