/*
 * parsers: what all operators that parse share: from a field to a field, then the embedded blocks.
 */
#include <stdlib.h>

#include "operator.h"

static enum hf_status open_blocks(struct operator* operator, const struct hf_value * config,
                                  struct parser *parser, char *reterr)
{
    const struct hf_value *time = value_of(config, "timestamp");
    const struct hf_value *severity = value_of(config, "severity");
    const struct hf_value *trace = value_of(config, "trace");
    const struct hf_value *scope = value_of(config, "scope_name");
    enum hf_status status = HF_OK;
    if (time != NULL) {
        parser->time = calloc(1, sizeof(*parser->time));
        status = parser->time != NULL ? time_parser_open(operator, time, parser->time, reterr)
                                      : HF_NOMEM;
    }
    if (status == HF_OK && severity != NULL) {
        parser->severity = calloc(1, sizeof(*parser->severity));
        status = parser->severity != NULL
                     ? severity_parser_open(operator, severity, parser->severity, reterr)
                     : HF_NOMEM;
    }
    if (status == HF_OK && trace != NULL) {
        parser->trace = calloc(1, sizeof(*parser->trace));
        status = parser->trace != NULL ? trace_parser_open(operator, trace, parser->trace, reterr)
                                       : HF_NOMEM;
    }
    if (status == HF_OK && scope != NULL) {
        parser->scope_name = calloc(1, sizeof(*parser->scope_name));
        status = parser->scope_name != NULL
                     ? field_of(operator, scope, "parse_from", NULL, parser->scope_name, reterr)
                     : HF_NOMEM;
    }
    return status;
}

enum hf_status parser_open(struct operator* operator, const struct hf_value * config, char *reterr)
{
    struct parser *parser = calloc(1, sizeof(*parser));
    operator->parser = parser;
    if (parser == NULL) {
        return HF_NOMEM;
    }
    parser->has_body = value_of(config, "body") != NULL;
    parser->has_preserve = value_of(config, "preserve_to") != NULL;
    enum hf_status status = field_of(operator, config, "parse_from", "body", &parser->from, reterr);
    if (status == HF_OK) {
        status = field_of(operator, config, "parse_to", "attributes", &parser->to, reterr);
    }
    if (status == HF_OK && parser->has_body) {
        status = field_of(operator, config, "body", NULL, &parser->body, reterr);
    }
    if (status == HF_OK && parser->has_preserve) {
        status = field_of(operator, config, "preserve_to", NULL, &parser->preserve_to, reterr);
    }
    return status == HF_OK ? open_blocks(operator, config, parser, reterr) : status;
}

void parser_close(struct operator* operator)
{
    struct parser *parser = operator->parser;
    if (parser == NULL) {
        return;
    }
    if (parser->time != NULL) {
        time_parser_close(parser->time);
    }
    free(parser->time);
    free(parser->severity);
    free(parser->trace);
    free(parser->scope_name);
    free(parser);
    operator->parser = NULL;
}

/* The blocks, in their order; one that fails does not stop the others. */
static bool run_blocks(struct run *run, const struct parser *parser, struct hf_log_entry *entry)
{
    bool good = parser->time == NULL || time_parser_run(run, parser->time, entry);
    good = (parser->severity == NULL || severity_parser_run(run, parser->severity, entry)) && good;
    good = (parser->trace == NULL || trace_parser_run(run, parser->trace, entry)) && good;
    return (parser->scope_name == NULL || scope_name_run(run, parser->scope_name, entry)) && good;
}

/* The old preserve_to: the source goes there, and away from where it was. */
static bool preserve(struct run *run, const struct parser *parser, struct hf_log_entry *entry,
                     struct hf_expr_value original)
{
    struct hf_expr_value gone;
    if (!parser->has_preserve) {
        return true;
    }
    (void)hf_log_field_remove(&parser->from, entry, &gone);
    if (hf_log_field_set(&parser->preserve_to, entry, original) != HF_OK) {
        operator_failed(run, "preserve_to cannot hold the value");
        return false;
    }
    return true;
}

enum outcome parser_run(struct run *run, struct hf_log_entry *entry)
{
    const struct parser *parser = run->operator->parser;
    const struct hf_expr_value *from = hf_log_field_get(&parser->from, entry);
    if (from == NULL) {
        return operator_failed(run, "the field to parse is not there");
    }
    struct hf_expr_value original = *from, value, moved;
    if (!run->operator->kind->parse(run, entry, &original, &value)) {
        return OUTCOME_FAILED;
    }
    if (!preserve(run, parser, entry, original)) {
        return OUTCOME_FAILED;
    }
    enum hf_status status = hf_log_field_set(&parser->to, entry, value);
    if (status != HF_OK) {
        return operator_failed(run, status == HF_NOMEM ? "out of memory"
                                                       : "parse_to cannot hold the value");
    }
    if (!run_blocks(run, parser, entry)) {
        return OUTCOME_FAILED;
    }
    if (parser->has_body && hf_log_field_remove(&parser->body, entry, &moved)) {
        entry->body = moved;
    }
    return OUTCOME_NEXT;
}
