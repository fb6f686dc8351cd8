/*
 * severities: severity_parser, trace_parser and scope_name_parser, and the blocks of parsers that
 * are the same.
 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "operator.h"

#define TEXT_MAX 64u
#define RANGES_MAX 64u

/* ---- severity ---- */

static const char *const bases[] = {"trace", "debug", "info", "warn", "error", "fatal"};

/* The number of "warn3" or "15"; 0: none. */
static unsigned number_of(const char *name)
{
    char *end = NULL;
    long number = strtol(name, &end, 10);
    if (end != name && *end == '\0') {
        return number >= 1 && number <= 24 ? (unsigned)number : 0;
    }
    for (unsigned i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        size_t size = strlen(bases[i]);
        if (strncmp(name, bases[i], size) == 0) {
            const char *rest = name + size;
            unsigned step = rest[0] == '\0' ? 1 : (unsigned)(rest[0] - '0');
            return (rest[0] == '\0' || rest[1] == '\0') && step >= 1 && step <= 4 ? i * 4 + step
                                                                                  : 0;
        }
    }
    return 0;
}

/* A row for the text, in place of one that is there. */
static bool add_row(struct operator* operator, struct severity_parser * parser, const char *text,
                    unsigned number)
{
    struct hf_slice copy = hf_expr_copy_text(operator->arena, hf_slice_text(text));
    if (copy.data == NULL || parser->row_count == SEVERITIES_MAX) {
        return false;
    }
    uint8_t *bytes = (uint8_t *)(uintptr_t)copy.data; /* of this operator */
    for (size_t i = 0; i < copy.size; i++) {
        bytes[i] = (uint8_t)tolower(bytes[i]);
    }
    for (size_t i = 0; i < parser->row_count; i++) {
        if (hf_slice_equal(parser->rows[i].text, copy)) {
            parser->rows[i].number = number;
            return true;
        }
    }
    parser->rows[parser->row_count++] = (struct severity_row){copy, number};
    return true;
}

static bool add_preset(struct operator* operator, struct severity_parser * parser,
                       const char *preset)
{
    bool good = true;
    char text[16];
    if (strcmp(preset, "none") == 0) {
        return true;
    }
    for (unsigned number = 1; number <= 24 && good; number++) {
        const char *base = bases[(number - 1) / 4];
        unsigned step = (number - 1) % 4 + 1;
        snprintf(text, sizeof(text), step == 1 ? "%s" : "%s%u", base, step);
        good = add_row(operator, parser, text, number);
        snprintf(text, sizeof(text), "%u", number);
        good = good && add_row(operator, parser, text, number);
    }
    if (strcmp(preset, "aliases") == 0 || strcmp(preset, "otel") == 0) {
        return good;
    }
    for (unsigned step = 1; step <= 4 && good; step++) {
        snprintf(text, sizeof(text), step == 1 ? "%s" : "%s%u", "warning", step);
        good = add_row(operator, parser, text, 12 + step);
        snprintf(text, sizeof(text), step == 1 ? "%s" : "%s%u", "err", step);
        good = good && add_row(operator, parser, text, 16 + step);
    }
    return good;
}

static enum hf_status add_range(struct severity_parser *parser, int64_t min, int64_t max,
                                unsigned number, char *reterr)
{
    if (parser->range_count == RANGES_MAX || min > max) {
        return invalid(reterr, "mapping: too many ranges, or one whose min is above its max");
    }
    parser->ranges[parser->range_count++] = (struct severity_range){min, max, number};
    return HF_OK;
}

static enum hf_status add_mapping(struct operator* operator, struct severity_parser * parser,
                                  const struct hf_value *value, unsigned number, char *reterr)
{
    enum hf_status status = HF_OK;
    if (value->type == HF_VALUE_LIST) {
        for (size_t i = 0; i < value->count && status == HF_OK; i++) {
            status = add_mapping(operator, parser, &value->items[i], number, reterr);
        }
        return status;
    }
    if (value->type == HF_VALUE_MAP) {
        return add_range(parser, int_of(value, "min", 0), int_of(value, "max", 0), number, reterr);
    }
    const char *text = value->string != NULL ? value->string : "";
    if (strlen(text) == 3 && text[0] >= '2' && text[0] <= '5' && strcmp(text + 1, "xx") == 0) {
        int64_t from = (text[0] - '0') * 100;
        return add_range(parser, from, from + 99, number, reterr);
    }
    return add_row(operator, parser, text, number) ? HF_OK : HF_NOMEM;
}

enum hf_status severity_parser_open(struct operator* operator, const struct hf_value * config,
                                    struct severity_parser *parser, char *reterr)
{
    enum hf_status status = field_of(operator, config, "parse_from", NULL, &parser->from, reterr);
    const struct hf_value *mapping = value_of(config, "mapping");
    parser->overwrite_text = bool_of(config, "overwrite_text", false);
    parser->rows = hf_arena_take(operator->arena, SEVERITIES_MAX * sizeof(parser->rows[0]));
    parser->ranges = hf_arena_take(operator->arena, RANGES_MAX * sizeof(parser->ranges[0]));
    if (parser->rows == NULL || parser->ranges == NULL ||
        !add_preset(operator, parser, text_of(config, "preset", "default"))) {
        return HF_NOMEM;
    }
    for (size_t i = 0; mapping != NULL && i < mapping->count && status == HF_OK; i++) {
        status =
            add_mapping(operator, parser, &mapping->items[i], number_of(mapping->keys[i]), reterr);
    }
    return status;
}

static unsigned find_severity(const struct severity_parser *parser, struct hf_slice text)
{
    uint8_t lower[TEXT_MAX];
    int64_t number = 0;
    bool digits = text.size != 0 && text.size < 19;
    if (text.size > TEXT_MAX) {
        return 0;
    }
    for (size_t i = 0; i < text.size; i++) {
        lower[i] = (uint8_t)tolower(text.data[i]);
        digits = digits && isdigit(text.data[i]) != 0;
        number = digits ? number * 10 + (text.data[i] - '0') : 0;
    }
    for (size_t i = 0; i < parser->range_count && digits; i++) {
        if (number >= parser->ranges[i].min && number <= parser->ranges[i].max) {
            return parser->ranges[i].number;
        }
    }
    for (size_t i = 0; i < parser->row_count; i++) {
        if (hf_slice_equal(parser->rows[i].text, hf_slice_of(lower, text.size))) {
            return parser->rows[i].number;
        }
    }
    return 0;
}

bool severity_parser_run(struct run *run, const struct severity_parser *parser,
                         struct hf_log_entry *entry)
{
    static const char *const names[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};
    const struct hf_expr_value *value = hf_log_field_get(&parser->from, entry);
    char digits[32];
    struct hf_slice text;
    if (value == NULL) {
        operator_failed(run, "the field of the severity is not there");
        return false;
    }
    bool whole = value->type == HF_EXPR_DOUBLE && value->number == floor(value->number) &&
                 fabs(value->number) < 1e15;
    if (value->type == HF_EXPR_STRING || value->type == HF_EXPR_BYTES) {
        text = value->text;
    } else if (value->type == HF_EXPR_INT || whole) {
        int size = snprintf(digits, sizeof(digits), "%lld",
                            whole ? (long long)value->number : (long long)value->integer);
        text = hf_expr_copy_text(entry->arena, hf_slice_of(digits, (size_t)size));
    } else {
        operator_failed(run, "the severity is neither text nor a whole number");
        return false;
    }
    entry->severity = find_severity(parser, text);
    entry->severity_text = text;
    if (parser->overwrite_text && entry->severity != 0) {
        unsigned step = (entry->severity - 1) % 4 + 1;
        int size = snprintf(digits, sizeof(digits), step == 1 ? "%s" : "%s%u",
                            names[(entry->severity - 1) / 4], step);
        entry->severity_text = hf_expr_copy_text(entry->arena, hf_slice_of(digits, (size_t)size));
    }
    return true;
}

static enum hf_status open_severity(struct operator* operator, const struct hf_value * config,
                                    char *reterr)
{
    return severity_parser_open(operator, config, operator->state, reterr);
}

static enum outcome run_severity(struct run *run, struct hf_log_entry *entry)
{
    return severity_parser_run(run, run->operator->state, entry) ? OUTCOME_NEXT : OUTCOME_FAILED;
}

/* ---- trace ---- */

enum hf_status trace_parser_open(struct operator* operator, const struct hf_value * config,
                                 struct trace_parser *parser, char *reterr)
{
    const struct {
        const char *key, *absent;
        struct hf_log_field *field;
    } fields[] = {{"trace_id", "body.trace_id", &parser->trace_id},
                  {"span_id", "body.span_id", &parser->span_id},
                  {"trace_flags", "body.trace_flags", &parser->flags}};
    static const struct hf_value nothing;
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < 3 && status == HF_OK; i++) {
        const struct hf_value *block = value_of(config, fields[i].key);
        status = field_of(operator, block != NULL ? block : & nothing, "parse_from",
                          fields[i].absent, fields[i].field, reterr);
    }
    return status;
}

/* Hexadecimal digits of exactly so many bytes; false: it is something else. */
static bool read_hex(struct run *run, const struct hf_log_field *from, struct hf_log_entry *entry,
                     size_t bytes, struct hf_slice *ret)
{
    const struct hf_expr_value *value = hf_log_field_get(from, entry);
    if (value == NULL) {
        return true;
    }
    uint8_t *out = hf_arena_take(entry->arena, bytes);
    if (value->type != HF_EXPR_STRING || value->text.size != bytes * 2 || out == NULL) {
        operator_failed(run, "an id of a trace is no %zu hexadecimal digits", bytes * 2);
        return false;
    }
    for (size_t i = 0; i < bytes; i++) {
        char pair[3] = {(char)value->text.data[2 * i], (char)value->text.data[2 * i + 1], '\0'};
        if (!isxdigit((unsigned char)pair[0]) || !isxdigit((unsigned char)pair[1])) {
            operator_failed(run, "an id of a trace is no %zu hexadecimal digits", bytes * 2);
            return false;
        }
        out[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    *ret = hf_slice_of(out, bytes);
    return true;
}

bool trace_parser_run(struct run *run, const struct trace_parser *parser,
                      struct hf_log_entry *entry)
{
    struct hf_slice flags = HF_EMPTY_SLICE;
    /* One that fails does not stop the others. */
    bool good = read_hex(run, &parser->trace_id, entry, 16, &entry->trace_id);
    good = read_hex(run, &parser->span_id, entry, 8, &entry->span_id) && good;
    good = read_hex(run, &parser->flags, entry, 1, &flags) && good;
    entry->trace_flags = flags.size != 0 ? flags.data[0] : 0;
    return good;
}

static enum hf_status open_trace(struct operator* operator, const struct hf_value * config,
                                 char *reterr)
{
    return trace_parser_open(operator, config, operator->state, reterr);
}

static enum outcome run_trace(struct run *run, struct hf_log_entry *entry)
{
    return trace_parser_run(run, run->operator->state, entry) ? OUTCOME_NEXT : OUTCOME_FAILED;
}

/* ---- scope ---- */

bool scope_name_run(struct run *run, const struct hf_log_field *from, struct hf_log_entry *entry)
{
    const struct hf_expr_value *value = hf_log_field_get(from, entry);
    if (value == NULL || value->type != HF_EXPR_STRING) {
        operator_failed(run, "the name of the scope is no text");
        return false;
    }
    entry->scope_name = value->text;
    return true;
}

static enum hf_status open_scope(struct operator* operator, const struct hf_value * config,
                                 char *reterr)
{
    return field_of(operator, config, "parse_from", NULL, operator->state, reterr);
}

static enum outcome run_scope(struct run *run, struct hf_log_entry *entry)
{
    return scope_name_run(run, run->operator->state, entry) ? OUTCOME_NEXT : OUTCOME_FAILED;
}

static const char *const severity_keys[] = {"parse_from", "preset", "mapping", "overwrite_text",
                                            NULL};
static const char *const trace_keys[] = {"trace_id", "span_id", "trace_flags", NULL};
static const char *const scope_keys[] = {"parse_from", NULL};

const struct operator_kind operator_severity_parser = {
    .type = "severity_parser",
    .keys = severity_keys,
    .size = sizeof(struct severity_parser),
    .open = open_severity,
    .run = run_severity,
};

const struct operator_kind operator_trace_parser = {
    .type = "trace_parser",
    .keys = trace_keys,
    .size = sizeof(struct trace_parser),
    .open = open_trace,
    .run = run_trace,
};

const struct operator_kind operator_scope_name_parser = {
    .type = "scope_name_parser",
    .keys = scope_keys,
    .size = sizeof(struct hf_log_field),
    .open = open_scope,
    .run = run_scope,
};
