/*
 * times: time_parser, and the timestamp block of parsers.
 */
#include "operator.h"
#include "util/time/time_layout.h"

/* Layouts that read what RFC 3339 is, in UTC; Z is literal in them, an offset is no match. */
static const char *const zulu_layouts[] = {"%Y-%m-%dT%H:%M:%S.%LZ", "%Y-%m-%dT%H:%M:%S.%fZ",
                                           "%Y-%m-%dT%H:%M:%S.%sZ", "%Y-%m-%dT%H:%M:%SZ", NULL};

static bool is_one(const char *const *layouts, const char *layout)
{
    for (size_t i = 0; layouts[i] != NULL; i++) {
        if (strcmp(layouts[i], layout) == 0) {
            return true;
        }
    }
    return false;
}

enum hf_status time_parser_open(struct operator* operator, const struct hf_value * config,
                                struct time_parser *parser, char *reterr)
{
    struct hf_time_layout_options options = {.layout = text_of(config, "layout", NULL),
                                             .type = text_of(config, "layout_type", "strptime"),
                                             .location = text_of(config, "location", NULL)};
    enum hf_status status = field_of(operator, config, "parse_from", NULL, &parser->from, reterr);
    if (status != HF_OK) {
        return status;
    }
    if (options.layout == NULL) {
        return invalid(reterr, "layout is required");
    }
    parser->is_rfc3339 = strcmp(options.type, "strptime") == 0 &&
                         is_one(zulu_layouts, options.layout) &&
                         (options.location == NULL || strcmp(options.location, "UTC") == 0);
    return hf_time_layout_new(&options, &parser->layout, reterr);
}

void time_parser_close(struct time_parser *parser)
{
    hf_time_layout_free(parser->layout);
}

static bool read_time(const struct time_parser *parser, const struct hf_expr_value *value,
                      int64_t *ret_ns)
{
    switch (value->type) {
    case HF_EXPR_STRING:
    case HF_EXPR_BYTES:
        if (parser->is_rfc3339 && value->text.size != 0 &&
            value->text.data[value->text.size - 1] == 'Z' && hf_time_rfc3339(value->text, ret_ns)) {
            return true;
        }
        return hf_time_layout_parse(parser->layout, value->text, ret_ns);
    case HF_EXPR_INT:
        return hf_time_layout_of_integer(parser->layout, value->integer, ret_ns);
    case HF_EXPR_DOUBLE:
        return hf_time_layout_of_double(parser->layout, value->number, ret_ns);
    default:
        return false;
    }
}

bool time_parser_run(struct run *run, const struct time_parser *parser, struct hf_log_entry *entry)
{
    const struct hf_expr_value *value = hf_log_field_get(&parser->from, entry);
    int64_t time_ns = 0;
    if (value == NULL) {
        operator_failed(run, "the field of the time is not there");
        return false;
    }
    if (!read_time(parser, value, &time_ns)) {
        bool text = value->type == HF_EXPR_STRING;
        operator_failed(run, "the time does not match its layout: %.*s",
                        text ? (int)(value->text.size < 100 ? value->text.size : 100) : 0,
                        text ? (const char *)value->text.data : "");
        return false;
    }
    entry->time_ns = time_ns > 0 ? (uint64_t)time_ns : 0;
    return true;
}

static enum hf_status open_time(struct operator* operator, const struct hf_value * config,
                                char *reterr)
{
    return time_parser_open(operator, config, operator->state, reterr);
}

static void close_time(struct operator* operator)
{
    time_parser_close(operator->state);
}

static enum outcome run_time(struct run *run, struct hf_log_entry *entry)
{
    return time_parser_run(run, run->operator->state, entry) ? OUTCOME_NEXT : OUTCOME_FAILED;
}

static const char *const keys[] = {"parse_from",          "layout", "layout_type", "location",
                                   "time_zone_locations", NULL};

const struct operator_kind operator_time_parser = {
    .type = "time_parser",
    .keys = keys,
    .size = sizeof(struct time_parser),
    .open = open_time,
    .close = close_time,
    .run = run_time,
};
