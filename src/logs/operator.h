/*
 * operator: what the operators of a pipeline share, and the list of their kinds. Owned by the
 * pipeline's thread.
 */
#pragma once

#include "expr/expr.h"
#include "field.h"
#include "operator_config.h"
#include "pipeline.h"

struct hf_time_layout;
struct hf_regex;
struct operator;

/* What became of an entry. */
enum outcome {
    OUTCOME_NEXT = 0,
    OUTCOME_DROPPED, /* or held */
    OUTCOME_ROUTED,  /* run->route is next */
    OUTCOME_FAILED   /* run->why says why */
};

struct run {
    struct hf_log_pipeline *pipeline;
    struct operator* operator;
    int route;
    char why[HF_LOG_ERROR_MAX];
};

#define OUTPUTS_MAX 16u
#define EMIT (-1) /* the output of the last operator */

struct operator_kind {
    const char *type;
    const char *const *keys; /* its own, NULL-terminated */
    size_t size;             /* of its state */
    bool is_parser;          /* has the keys of parsers */
    enum hf_status (*open)(struct operator* operator, const struct hf_value * config, char *reterr);
    void (*close)(struct operator* operator);
    /* All but parsers. */
    enum outcome (*run)(struct run *run, struct hf_log_entry *entry);
    /* Parsers: from a value to a value. False: run->why. */
    bool (*parse)(struct run *run, struct hf_log_entry *entry, const struct hf_expr_value *from,
                  struct hf_expr_value *ret_value);
    void (*tick)(struct hf_log_pipeline *pipeline, struct operator* operator, uint64_t now_ns);
    uint64_t (*held)(const struct operator* operator, const void * source);
    void (*forget)(struct hf_log_pipeline *pipeline, struct operator* operator,
                   const void * source);
};

enum severity_count { SEVERITIES_MAX = 512 };

struct severity_parser {
    struct hf_log_field from;
    bool overwrite_text;
    struct severity_row {
        struct hf_slice text; /* lower case */
        unsigned number;
    } * rows;
    size_t row_count;
    struct severity_range {
        int64_t min, max;
        unsigned number;
    } * ranges;
    size_t range_count;
};

struct time_parser {
    struct hf_log_field from;
    struct hf_time_layout *layout;
    bool is_rfc3339; /* the layout reads what hf_time_rfc3339() does */
};

struct trace_parser {
    struct hf_log_field trace_id, span_id, flags;
};

struct parser {
    struct hf_log_field from, to;
    struct hf_log_field body, preserve_to;
    bool has_body, has_preserve;
    struct time_parser *time;
    struct severity_parser *severity;
    struct trace_parser *trace;
    struct hf_log_field *scope_name;
};

struct operator
{
    const struct operator_kind *kind;
    const char *id;
    struct hf_arena *arena; /* of the pipeline: what lives as long */
    struct hf_log_pipeline *pipeline;
    const struct hf_value *config;
    struct hf_expr *condition;
    bool drops_on_error, is_quiet;
    int outputs[OUTPUTS_MAX];
    size_t output_count;
    struct parser *parser;
    void *state;
};

extern const struct operator_kind *const operator_kinds[]; /* ends with NULL */

/* ---- running ---- */

enum outcome operator_failed(struct run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
enum hf_status entry_eval(const struct hf_expr *expr, struct hf_log_entry *entry,
                          struct hf_expr_value *ret_value, char *reterr);
enum hf_status entry_test(const struct hf_expr *expr, struct hf_log_entry *entry, bool *ret_true,
                          char *reterr);
/* On from the operators behind this one; for what was held. */
void pass_on(struct hf_log_pipeline *pipeline, struct operator* operator,
             struct hf_log_entry * entry);
/* The operator of that id; EMIT - 1: none. */
int find_operator(const struct hf_log_pipeline *pipeline, const char *id);

/* times.c: blocks of parsers, and operators of their own. */
HF_MUST_USE enum hf_status time_parser_open(struct operator* operator,
                                            const struct hf_value * config,
                                            struct time_parser *parser, char *reterr);
void time_parser_close(struct time_parser *parser);
bool time_parser_run(struct run *run, const struct time_parser *parser, struct hf_log_entry *entry);
/* severities.c */
HF_MUST_USE enum hf_status severity_parser_open(struct operator* operator,
                                                const struct hf_value * config,
                                                struct severity_parser *parser, char *reterr);
bool severity_parser_run(struct run *run, const struct severity_parser *parser,
                         struct hf_log_entry *entry);
HF_MUST_USE enum hf_status trace_parser_open(struct operator* operator,
                                             const struct hf_value * config,
                                             struct trace_parser *parser, char *reterr);
bool trace_parser_run(struct run *run, const struct trace_parser *parser,
                      struct hf_log_entry *entry);
bool scope_name_run(struct run *run, const struct hf_log_field *from, struct hf_log_entry *entry);
/* parsers.c: what all parsers share. */
HF_MUST_USE enum hf_status parser_open(struct operator* operator, const struct hf_value * config,
                                       char *reterr);
void parser_close(struct operator* operator);
enum outcome parser_run(struct run *run, struct hf_log_entry *entry);
