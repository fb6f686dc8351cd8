#include "pipeline.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "operator.h"
#include "util/mistake.h"
#include "util/regex/regex.h"

#define OPERATORS_MAX 256u
#define CONFIG_BYTES ((size_t)16 << 20)

struct hf_log_pipeline {
    const struct hf_log_pipeline_ops *ops;
    void *user;
    struct hf_arena arena; /* what operators keep as long as they live */
    struct operator* operators;
    size_t count;
    bool holds; /* some operator keeps entries */
};

/* ---- making ---- */

static const char *const common_keys[] = {"type", "id", "output", "if", "on_error", NULL};
static const char *const parser_keys[] = {"parse_from",  "parse_to",   "body",
                                          "preserve_to", "timestamp",  "severity",
                                          "trace",       "scope_name", NULL};

static bool is_listed(const char *const *keys, const char *key)
{
    for (size_t i = 0; keys != NULL && keys[i] != NULL; i++) {
        if (strcmp(keys[i], key) == 0) {
            return true;
        }
    }
    return false;
}

static enum hf_status check_keys(const struct operator_kind *kind, const struct hf_value *config,
                                 char *reterr)
{
    for (size_t i = 0; i < config->count; i++) {
        const char *key = config->keys[i];
        if (!is_listed(common_keys, key) && !is_listed(kind->keys, key) &&
            !(kind->is_parser && is_listed(parser_keys, key))) {
            return invalid(reterr, "has no key %s", key);
        }
    }
    return HF_OK;
}

static const struct operator_kind *find_kind(const char *type)
{
    for (size_t i = 0; operator_kinds[i] != NULL; i++) {
        if (strcmp(operator_kinds[i]->type, type) == 0) {
            return operator_kinds[i];
        }
    }
    return NULL;
}

static enum hf_status read_on_error(struct operator* operator, char * reterr)
{
    const char *text = text_of(operator->config, "on_error", "send");
    operator->is_quiet = strcmp(text, "send_quiet") == 0 || strcmp(text, "drop_quiet") == 0;
    operator->drops_on_error = strncmp(text, "drop", 4) == 0;
    return operator->is_quiet || strcmp(text, "send") == 0 || strcmp(text, "drop") == 0
               ? HF_OK
               : invalid(reterr, "on_error: send, drop, send_quiet or drop_quiet");
}

static enum hf_status open_operator(struct operator* operator, char * reterr)
{
    const struct operator_kind *kind = operator->kind;
    const char *condition = text_of(operator->config, "if", NULL);
    enum hf_status status = check_keys(kind, operator->config, reterr);
    if (status == HF_OK) {
        status = read_on_error(operator, reterr);
    }
    if (status == HF_OK && condition != NULL) {
        status = expr_of("if", condition, &operator->condition, reterr);
    }
    if (status == HF_OK && kind->size != 0) {
        operator->state = calloc(1, kind->size);
        status = operator->state != NULL ? HF_OK : HF_NOMEM;
    }
    if (status == HF_OK && kind->is_parser) {
        status = parser_open(operator, operator->config, reterr);
    }
    return status == HF_OK && kind->open != NULL ? kind->open(operator, operator->config, reterr)
                                                 : status;
}

static bool is_taken(const struct hf_log_pipeline *pipeline, const char *id, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (pipeline->operators[i].id != NULL && strcmp(pipeline->operators[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

/* Its id, or its type with a number when that is taken. */
static enum hf_status name_operator(struct hf_log_pipeline *pipeline, size_t i, char *reterr)
{
    struct operator* operator= & pipeline->operators[i];
    const char *id = text_of(operator->config, "id", NULL);
    if (id != NULL) {
        operator->id = id;
        return is_taken(pipeline, id, i) ? invalid(reterr, "the id %s is there twice", id) : HF_OK;
    }
    operator->id = operator->kind->type;
    for (unsigned n = 1; is_taken(pipeline, operator->id, i); n++) {
        char *name = hf_arena_take(&pipeline->arena, strlen(operator->kind->type) + 12);
        if (name == NULL) {
            return HF_NOMEM;
        }
        snprintf(name, strlen(operator->kind->type) + 12, "%s%u", operator->kind->type, n);
        operator->id = name;
    }
    return HF_OK;
}

int find_operator(const struct hf_log_pipeline *pipeline, const char *id)
{
    for (size_t i = 0; i < pipeline->count; i++) {
        if (pipeline->operators[i].id != NULL && strcmp(pipeline->operators[i].id, id) == 0) {
            return (int)i;
        }
    }
    return EMIT - 1;
}

static enum hf_status add_output(struct hf_log_pipeline *pipeline, struct operator* operator,
                                 const struct hf_value * value, char *reterr)
{
    int found = value->string != NULL ? find_operator(pipeline, value->string) : EMIT - 1;
    if (found < EMIT || operator->output_count == OUTPUTS_MAX) {
        return invalid(reterr, "output: no operator has the id %.100s",
                       value->string != NULL ? value->string : "");
    }
    operator->outputs[operator->output_count++] = found;
    return HF_OK;
}

static enum hf_status read_outputs(struct hf_log_pipeline *pipeline, size_t i, char *reterr)
{
    struct operator* operator= & pipeline->operators[i];
    const struct hf_value *output = value_of(operator->config, "output");
    enum hf_status status = HF_OK;
    if (output == NULL) {
        operator->outputs[operator->output_count++] = i + 1<pipeline->count ? (int)i + 1 : EMIT;
    } else if (output->type == HF_VALUE_LIST) {
        for (size_t k = 0; k < output->count && status == HF_OK; k++) {
            status = add_output(pipeline, operator, & output->items[k], reterr);
        }
    } else {
        status = add_output(pipeline, operator, output, reterr);
    }
    for (size_t k = 0; k < operator->output_count && status == HF_OK; k++) {
        if (operator->outputs[k] != EMIT && operator->outputs[k] <=(int) i) {
            status = invalid(reterr, "output: operators must not form a circle");
        }
    }
    return status;
}

/* One that is wrong: a check of the configuration goes on with the next one. */
static enum hf_status refuse(size_t i, const struct operator* operator, const char * why,
                             char *reterr)
{
    enum hf_status status = operator->id != NULL
                                ? invalid(reterr, "operators[%zu] (%s): %.400s", i, operator->id,
                                          why)
                                : invalid(reterr, "operators[%zu]: %.400s", i, why);
    return hf_mistake(reterr) ? HF_OK : status;
}

/* One of the list, with its name; what is wrong stands in `why`. */
static enum hf_status take_operator(struct hf_log_pipeline *pipeline, const struct hf_value *config,
                                    char *why)
{
    size_t i = pipeline->count++;
    const char *type = text_of(config, "type", "");
    const struct operator_kind *kind = find_kind(type);
    pipeline->operators[i] = (struct operator){.kind = kind != NULL ? kind : find_kind("noop"),
                                               .config = config,
                                               .arena = &pipeline->arena,
                                               .pipeline = pipeline};
    pipeline->holds = pipeline->holds || pipeline->operators[i].kind->held != NULL;
    return kind != NULL ? name_operator(pipeline, i, why)
                        : invalid(why, "there is no operator of type %.60s", type);
}

static enum hf_status make_operators(struct hf_log_pipeline *pipeline,
                                     const struct hf_value *operators, char *reterr)
{
    bool is_good = true;
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < operators->count && status == HF_OK; i++) {
        char why[HF_LOG_ERROR_MAX] = "";
        status = take_operator(pipeline, &operators->items[i], why);
        is_good = is_good && status == HF_OK;
        status = status == HF_INVALID ? refuse(i, &pipeline->operators[i], why, reterr) : status;
    }
    for (size_t i = 0; i < pipeline->count && status == HF_OK; i++) {
        struct operator* operator= & pipeline->operators[i];
        char why[HF_LOG_ERROR_MAX] = "";
        if (operator->id == NULL) {
            continue; /* refused above */
        }
        status = read_outputs(pipeline, i, why);
        status = status == HF_OK ? open_operator(operator, why) : status;
        is_good = is_good && status == HF_OK;
        status = status == HF_INVALID ? refuse(i, operator, why, reterr) : status;
    }
    return status == HF_OK && !is_good ? HF_INVALID : status;
}

enum hf_status hf_log_pipeline_new(const struct hf_value *operators,
                                   const struct hf_log_pipeline_ops *ops, void *user,
                                   struct hf_log_pipeline **ret_pipeline, char *reterr)
{
    if (operators->type != HF_VALUE_NONE && operators->type != HF_VALUE_LIST) {
        return invalid(reterr, "operators: a list is expected");
    }
    if (operators->count > OPERATORS_MAX) {
        return invalid(reterr, "operators: at most %u", OPERATORS_MAX);
    }
    struct hf_log_pipeline *pipeline = calloc(1, sizeof(*pipeline));
    if (pipeline == NULL) {
        return HF_NOMEM;
    }
    pipeline->ops = ops;
    pipeline->user = user;
    pipeline->arena.limit = CONFIG_BYTES;
    pipeline->operators = calloc(operators->count + 1, sizeof(struct operator));
    enum hf_status status =
        pipeline->operators != NULL ? make_operators(pipeline, operators, reterr) : HF_NOMEM;
    if (status != HF_OK) {
        hf_log_pipeline_free(pipeline);
        return status;
    }
    *ret_pipeline = pipeline;
    return HF_OK;
}

void hf_log_pipeline_free(struct hf_log_pipeline *pipeline)
{
    if (pipeline == NULL) {
        return;
    }
    for (size_t i = 0; i < pipeline->count; i++) {
        struct operator* operator= & pipeline->operators[i];
        if (operator->kind->close != NULL && operator->state != NULL) {
            operator->kind->close(operator);
        }
        parser_close(operator);
        hf_expr_free(operator->condition);
        free(operator->state);
    }
    hf_arena_release(&pipeline->arena);
    free(pipeline->operators);
    free(pipeline);
}

/* ---- running ---- */

static enum outcome run_operator(struct run *run, struct hf_log_entry *entry)
{
    struct operator* operator= run->operator;
    if (operator->condition != NULL) {
        bool wanted = false;
        if (entry_test(operator->condition, entry, &wanted, run->why) != HF_OK) {
            return OUTCOME_FAILED;
        }
        if (!wanted) {
            return OUTCOME_NEXT;
        }
    }
    return operator->kind->run != NULL ? operator->kind->run(run, entry) : parser_run(run, entry);
}

static void run_from(struct hf_log_pipeline *pipeline, int index, struct hf_log_entry *entry);

/* To every output but the last a copy. Returns the last. */
static int spread(struct hf_log_pipeline *pipeline, const struct operator* operator,
                  const struct hf_log_entry * entry)
{
    for (size_t i = 0; i + 1 < operator->output_count; i++) {
        struct hf_log_entry copy;
        if (hf_log_entry_copy(entry, entry->arena, &copy) == HF_OK) {
            run_from(pipeline, operator->outputs[i], &copy);
        }
    }
    return operator->outputs[operator->output_count - 1];
}

static void run_from(struct hf_log_pipeline *pipeline, int index, struct hf_log_entry *entry)
{
    while (index != EMIT) {
        struct operator* operator= & pipeline->operators[index];
        struct run run;
        run.pipeline = pipeline;
        run.operator= operator;
        enum outcome outcome = run_operator(&run, entry);
        if (outcome == OUTCOME_FAILED) {
            pipeline->ops->failed(pipeline->user, operator->id, run.why, operator->is_quiet);
            outcome = operator->drops_on_error ? OUTCOME_DROPPED : OUTCOME_NEXT;
        }
        if (outcome == OUTCOME_DROPPED) {
            return;
        }
        index = outcome == OUTCOME_ROUTED ? run.route                 :
                                          operator->output_count == 1 ? operator->outputs[0]
            : spread(pipeline, operator, entry);
    }
    pipeline->ops->emit(pipeline->user, entry);
}

void pass_on(struct hf_log_pipeline *pipeline, struct operator* operator,
             struct hf_log_entry * entry)
{
    run_from(pipeline, spread(pipeline, operator, entry), entry);
}

void hf_log_pipeline_process(struct hf_log_pipeline *pipeline, struct hf_log_entry *entry)
{
    run_from(pipeline, pipeline->count != 0 ? 0 : EMIT, entry);
}

bool hf_log_pipeline_tick(struct hf_log_pipeline *pipeline, uint64_t now_ns)
{
    for (size_t i = 0; pipeline->holds && i < pipeline->count; i++) {
        struct operator* operator= & pipeline->operators[i];
        if (operator->kind->tick != NULL) {
            operator->kind->tick(pipeline, operator, now_ns);
        }
    }
    return pipeline->holds;
}

uint64_t hf_log_pipeline_held(const struct hf_log_pipeline *pipeline, const void *source)
{
    uint64_t lowest = UINT64_MAX;
    for (size_t i = 0; pipeline->holds && i < pipeline->count; i++) {
        const struct operator* operator= & pipeline->operators[i];
        uint64_t held = operator->kind->held != NULL ? operator->kind->held(operator, source)
                                                     : UINT64_MAX;
        lowest = held < lowest ? held : lowest;
    }
    return lowest;
}

void hf_log_pipeline_forget(struct hf_log_pipeline *pipeline, const void *source)
{
    for (size_t i = 0; pipeline != NULL && pipeline->holds && i < pipeline->count; i++) {
        struct operator* operator= & pipeline->operators[i];
        if (operator->kind->forget != NULL) {
            operator->kind->forget(pipeline, operator, source);
        }
    }
}
