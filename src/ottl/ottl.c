#include "ottl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node.h"
#include "resolve_internal.h"
#include "util/mistake.h"

#define PROGRAM_LIMIT_BYTES (64u << 20)
#define SCRATCH_LIMIT_BYTES (64u << 20)
#define SCRATCH_KEPT_BYTES (1u << 20) /* from place to place */

struct hf_ottl {
    struct hf_arena arena;
    enum hf_path_context context;
    struct hf_ottl_text *conditions, *statements;
    size_t condition_count, statement_count;
};

const char *const hf_ottl_error_modes[] = {"propagate", "ignore", "silent", NULL};

/* ---- messages ---- */

/* Texts of a configuration may have line ends in them; a sentence has none. */
static void flatten(char *text)
{
    for (; *text != '\0'; text++) {
        *text = (uint8_t)*text < ' ' || *text == 0x7f ? ' ' : *text;
    }
}

#define EXCERPT_MAX 72u /* characters of the text that a message shows */

/* The text around `at` on one line, and a caret below. */
static void add_excerpt(char *reterr, const char *text, size_t at)
{
    size_t size = strlen(text);
    size_t used = strlen(reterr);
    size_t from = at > EXCERPT_MAX / 2 ? at - EXCERPT_MAX / 2 : 0;
    size_t to = from + EXCERPT_MAX < size ? from + EXCERPT_MAX : size;
    char line[EXCERPT_MAX + 1];
    while (from > 0 && from < size && ((uint8_t)text[from] & 0xc0) == 0x80) {
        from++; /* not from the middle of a character on */
    }
    memcpy(line, text + from, to - from);
    line[to - from] = '\0';
    flatten(line);
    snprintf(reterr + used, HF_ERROR_MAX - used, "\n    %s\n    %*s^", line, (int)(at - from), "");
}

#define SENTENCE_MAX 260 /* so that the excerpt has room */

static void say_fault(const struct hf_ottl_source *source, const char *list, size_t index,
                      const char *text, const struct hf_ottl_fault *fault, char *reterr)
{
    snprintf(reterr, HF_ERROR_MAX, "%.60s%s[%zu]: %.*s, at column %zu", source->name, list,
             source->first + index, SENTENCE_MAX, fault->sentence, fault->at + 1);
    flatten(reterr);
    add_excerpt(reterr, text, fault->at);
}

/* ---- compiling ---- */

struct compiling {
    const struct hf_ottl_source *source;
    struct hf_ottl *ottl;
    struct hf_ottl_fault fault;
    char *reterr;
    bool has_mistakes; /* which were told */
};

/* After an error was written. HF_OK: the next text is looked at. */
static enum hf_status note_mistake(struct compiling *compiling)
{
    compiling->has_mistakes = true;
    return compiling->source->tells_all && hf_mistake(compiling->reterr) ? HF_OK : HF_INVALID;
}

static enum hf_status parse_list(struct compiling *compiling, const struct hf_string_list *list,
                                 bool is_statement, const char *name,
                                 struct hf_ottl_text **ret_texts, size_t *ret_count)
{
    struct hf_ottl_text *texts =
        hf_arena_take(&compiling->ottl->arena, (list->count + 1) * sizeof(*texts));
    if (texts == NULL) {
        return HF_NOMEM;
    }
    *ret_texts = texts;
    enum hf_status status = HF_OK;
    for (size_t i = 0; status == HF_OK && i < list->count; i++) {
        texts[i] = (struct hf_ottl_text){.text = list->items[i]};
        *ret_count = i + 1;
        status = hf_ottl_parse(&texts[i], is_statement, &compiling->ottl->arena, &compiling->fault);
        if (status == HF_INVALID) {
            say_fault(compiling->source, name, i, texts[i].text, &compiling->fault,
                      compiling->reterr);
            texts[i].editor = NULL;
            texts[i].condition = NULL;
            status = note_mistake(compiling);
        }
    }
    return status;
}

/* The roots of all texts, to find their context. */
static enum hf_status infer(struct compiling *compiling)
{
    struct hf_ottl *ottl = compiling->ottl;
    size_t count = 0;
    size_t most = 2 * (ottl->condition_count + ottl->statement_count);
    struct hf_ottl_node **roots = calloc(most + 1, sizeof(*roots));
    if (roots == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < ottl->condition_count; i++) {
        roots[count++] = ottl->conditions[i].condition;
    }
    for (size_t i = 0; i < ottl->statement_count; i++) {
        roots[count++] = ottl->statements[i].editor;
        roots[count++] = ottl->statements[i].condition;
    }
    enum hf_status status =
        hf_ottl_infer(roots, count, compiling->source, &ottl->context, &compiling->fault);
    free(roots);
    /* The texts that are wrong may have told it. */
    if (status == HF_INVALID && !compiling->has_mistakes) {
        snprintf(compiling->reterr, HF_ERROR_MAX, "%.60s: %.*s", compiling->source->name,
                 SENTENCE_MAX, compiling->fault.sentence);
    }
    return status;
}

static enum hf_status resolve_text(struct compiling *compiling, struct hf_ottl_text *text)
{
    struct hf_ottl_resolve resolve = {.arena = &compiling->ottl->arena,
                                      .context = compiling->ottl->context,
                                      .functions = compiling->source->functions,
                                      .is_bare = !compiling->source->infers,
                                      .fault = &compiling->fault,
                                      .resolve = hf_ottl_resolve};
    enum hf_status status = HF_OK;
    if (text->editor != NULL) {
        text->editor->evaluate = hf_ottl_evaluate_call;
        status = hf_ottl_resolve_call(&resolve, text->editor, true);
    }
    if (status == HF_OK && text->condition != NULL) {
        status = hf_ottl_resolve(&resolve, text->condition);
    }
    return status;
}

static enum hf_status resolve_list(struct compiling *compiling, const char *name,
                                   struct hf_ottl_text *texts, size_t count)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; status == HF_OK && i < count; i++) {
        status = resolve_text(compiling, &texts[i]);
        if (status == HF_INVALID) {
            say_fault(compiling->source, name, i, texts[i].text, &compiling->fault,
                      compiling->reterr);
            status = note_mistake(compiling);
        }
    }
    return status;
}

static enum hf_status compile(struct compiling *compiling)
{
    const struct hf_ottl_source *source = compiling->source;
    struct hf_ottl *ottl = compiling->ottl;
    /* One list alone needs no name of its own. */
    bool are_both = (source->conditions.count > 0 && source->statements.count > 0);
    enum hf_status status =
        parse_list(compiling, &source->conditions, false, are_both ? "::conditions" : "",
                   &ottl->conditions, &ottl->condition_count);
    if (status == HF_OK) {
        status = parse_list(compiling, &source->statements, true, are_both ? "::statements" : "",
                            &ottl->statements, &ottl->statement_count);
    }
    ottl->context = source->context;
    if (status == HF_OK && source->infers) {
        status = infer(compiling);
    }
    if (status == HF_OK) {
        status = resolve_list(compiling, are_both ? "::conditions" : "", ottl->conditions,
                              ottl->condition_count);
    }
    if (status == HF_OK) {
        status = resolve_list(compiling, are_both ? "::statements" : "", ottl->statements,
                              ottl->statement_count);
    }
    return status == HF_OK && compiling->has_mistakes ? HF_INVALID : status;
}

enum hf_status hf_ottl_new(const struct hf_ottl_source *source, struct hf_ottl **ret_ottl,
                           char *reterr)
{
    struct hf_ottl *ottl = calloc(1, sizeof(*ottl));
    struct compiling compiling = {.source = source, .ottl = ottl, .reterr = reterr};
    if (ottl == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    ottl->arena.limit = PROGRAM_LIMIT_BYTES;
    enum hf_status status = compile(&compiling);
    if (status != HF_OK) {
        hf_ottl_free(ottl);
        if (status == HF_NOMEM) {
            snprintf(reterr, HF_ERROR_MAX, "out of memory");
        }
        return status;
    }
    *ret_ottl = ottl;
    return HF_OK;
}

static void release_list(struct hf_ottl_text *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hf_ottl_release(texts[i].editor);
        hf_ottl_release(texts[i].condition);
    }
}

void hf_ottl_free(struct hf_ottl *ottl)
{
    if (ottl == NULL) {
        return;
    }
    release_list(ottl->conditions, ottl->condition_count);
    release_list(ottl->statements, ottl->statement_count);
    hf_arena_release(&ottl->arena);
    free(ottl);
}

enum hf_path_context hf_ottl_context(const struct hf_ottl *ottl)
{
    return ottl->context;
}

size_t hf_ottl_condition_count(const struct hf_ottl *ottl)
{
    return ottl->condition_count;
}

size_t hf_ottl_statement_count(const struct hf_ottl *ottl)
{
    return ottl->statement_count;
}

const char *hf_ottl_condition_text(const struct hf_ottl *ottl, size_t index)
{
    return ottl->conditions[index].text;
}

const char *hf_ottl_statement_text(const struct hf_ottl *ottl, size_t index)
{
    return ottl->statements[index].text;
}

/* ---- running ---- */

void hf_ottl_begin(struct hf_ottl_run *run, struct hf_document *document)
{
    *run = (struct hf_ottl_run){.document = document, .scratch.limit = SCRATCH_LIMIT_BYTES};
}

void hf_ottl_end(struct hf_ottl_run *run)
{
    hf_arena_release(&run->scratch);
    hf_bytes_release(&run->text);
}

void hf_ottl_enter(struct hf_ottl_run *run, const struct hf_place *place)
{
    run->place = place;
    if (!run->keeps_cache) {
        run->cache = HF_EMPTY_SLICE;
    }
    if (run->scratch.blocks != NULL) {
        hf_arena_rewind(&run->scratch, SCRATCH_KEPT_BYTES);
    }
}

static enum hf_ottl_verdict judge(const struct hf_ottl_node *condition, struct hf_ottl_run *run)
{
    return condition->judge(condition, run);
}

enum hf_ottl_verdict hf_ottl_test(const struct hf_ottl *ottl, size_t condition,
                                  struct hf_ottl_run *run)
{
    return judge(ottl->conditions[condition].condition, run);
}

static enum hf_status failure(const struct hf_ottl_run *run)
{
    return run->no_memory ? HF_NOMEM : HF_INVALID;
}

enum hf_status hf_ottl_execute(const struct hf_ottl *ottl, size_t statement,
                               struct hf_ottl_run *run, bool *ret_ran)
{
    const struct hf_ottl_text *text = &ottl->statements[statement];
    struct hf_ottl_value value;
    enum hf_ottl_verdict verdict =
        text->condition == NULL ? HF_OTTL_TRUE : judge(text->condition, run);
    if (ret_ran != NULL) {
        *ret_ran = verdict == HF_OTTL_TRUE;
    }
    if (verdict == HF_OTTL_FALSE) {
        return HF_OK;
    }
    bool ok = verdict == HF_OTTL_TRUE && text->editor->evaluate(text->editor, run, &value);
    return ok ? HF_OK : failure(run);
}

/* What becomes of an error: HF_OK, and on with the next. */
static enum hf_status meet_error(struct hf_ottl_run *run, enum hf_ottl_error_mode mode,
                                 struct hf_ottl_watch *watch, const char *text)
{
    if (run->no_memory) {
        return HF_NOMEM;
    }
    if (watch != NULL) {
        watch->error(watch, text, run->error);
    }
    return mode == HF_OTTL_PROPAGATE ? HF_INVALID : HF_OK;
}

enum hf_status hf_ottl_any(const struct hf_ottl *ottl, struct hf_ottl_run *run,
                           enum hf_ottl_error_mode mode, struct hf_ottl_watch *watch, bool *ret_any)
{
    *ret_any = false;
    for (size_t i = 0; i < ottl->condition_count; i++) {
        enum hf_ottl_verdict verdict = judge(ottl->conditions[i].condition, run);
        if (verdict == HF_OTTL_TRUE) {
            *ret_any = true;
            return HF_OK;
        }
        if (verdict == HF_OTTL_ERROR) {
            enum hf_status status = meet_error(run, mode, watch, ottl->conditions[i].text);
            if (status != HF_OK) {
                return status;
            }
        }
    }
    return HF_OK;
}

enum hf_status hf_ottl_execute_all(const struct hf_ottl *ottl, struct hf_ottl_run *run,
                                   enum hf_ottl_error_mode mode, struct hf_ottl_watch *watch)
{
    bool any = true;
    if (ottl->condition_count > 0) {
        enum hf_status status = hf_ottl_any(ottl, run, mode, watch, &any);
        if (status != HF_OK) {
            return status;
        }
    }
    for (size_t i = 0; any && i < ottl->statement_count; i++) {
        enum hf_status status = hf_ottl_execute(ottl, i, run, NULL);
        if (status == HF_INVALID) {
            status = meet_error(run, mode, watch, ottl->statements[i].text);
        }
        if (status != HF_OK) {
            return status;
        }
    }
    return HF_OK;
}
