/*
 * ottl: OTTL, the transformation language of the Go collector's contrib components: statements and
 * conditions over the resources, scopes, spans, events, metrics, points and records of a document.
 *
 *     struct hf_ottl_source source = {.statements = {texts, count}, .context = HF_PATH_LOG, ...};
 *     status = hf_ottl_new(&source, &ottl, reterr);
 *     hf_ottl_begin(&run, document);
 *     ... for each place: hf_ottl_enter(&run, place), hf_ottl_test(), hf_ottl_execute() ...
 *     hf_ottl_end(&run);
 *     hf_ottl_free(ottl);
 *
 * A text is compiled once: paths and functions are looked up, literals are checked and constant
 * parts are computed. Compiled ones are immutable: any thread runs them, each with a run of its
 * own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/component.h>
#include <holdfast/field.h>
#include <holdfast/status.h>

#include "pdata/path.h"
#include "pdata/walk.h"
#include "util/arena.h"
#include "util/compress/compress.h"

/* ---- compiling ---- */

/* The functions that there are beside the converters. */
#define HF_OTTL_EDITORS 1u        /* set, delete_key, ... */
#define HF_OTTL_METRIC_EDITORS 2u /* convert_sum_to_gauge, ... of `transform` */
#define HF_OTTL_FILTER 4u         /* HasAttrOnDatapoint, ... of `filter` */
#define HF_OTTL_ROUTE 8u          /* route() of the routing connector, which does nothing here */

/* Texts that belong together: one context, one place in the configuration. */
struct hf_ottl_source {
    struct hf_string_list conditions, statements;
    /* The context of all; with `infers` the first that has what the texts use. */
    enum hf_path_context context;
    bool infers;
    unsigned contexts;  /* allowed ones, a bit each by enum hf_path_context; 0: all */
    unsigned functions; /* HF_OTTL_EDITORS and so on */
    const char *name;   /* their key, for messages: "log_statements[0]" */
    size_t first;       /* the index in it of the first text, for messages */
    bool tells_all;     /* in a check(): every text that is wrong, by util/mistake.h */
};

struct hf_ottl;
struct hf_ottl_frame;

/*
 * HF_INVALID with a sentence in `reterr` (HF_ERROR_MAX): which text, what and where it is, and on
 * two further lines the text around it with a caret below. HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_ottl_new(const struct hf_ottl_source *source,
                                       struct hf_ottl **ret_ottl, char *reterr);
void hf_ottl_free(struct hf_ottl *ottl);

enum hf_path_context hf_ottl_context(const struct hf_ottl *ottl);
size_t hf_ottl_condition_count(const struct hf_ottl *ottl);
size_t hf_ottl_statement_count(const struct hf_ottl *ottl);
/* As it was written; the configuration's. */
const char *hf_ottl_condition_text(const struct hf_ottl *ottl, size_t index);
const char *hf_ottl_statement_text(const struct hf_ottl *ottl, size_t index);

/* ---- running ---- */

/* What one thread needs while it runs texts over one document. */
struct hf_ottl_run {
    struct hf_document *document;
    const struct hf_place *place;
    struct hf_arena scratch;           /* of one place's intermediate values */
    struct hf_bytes text;              /* while a value becomes text */
    struct hf_slice cache;             /* the content of a map: `cache` of the place */
    bool keeps_cache;                  /* from place to place */
    const struct hf_ottl_frame *frame; /* of the innermost lambda that runs; NULL: none */
    bool no_memory;
    unsigned copies; /* of metrics, in one list: see HF_OTTL_COPIES_MAX */
    char error[HF_ERROR_MAX];
};

/* A statement that copies every metric that it meets meets its copies too. */
#define HF_OTTL_COPIES_MAX 10000u

void hf_ottl_begin(struct hf_ottl_run *run, struct hf_document *document);
void hf_ottl_end(struct hf_ottl_run *run);

/* The next place: forgets `cache` and every intermediate value. `place` is borrowed until the next
 * call; it must have what the context of the texts that are run is named after. */
void hf_ottl_enter(struct hf_ottl_run *run, const struct hf_place *place);

enum hf_ottl_verdict {
    HF_OTTL_FALSE = 0,
    HF_OTTL_TRUE,
    HF_OTTL_ERROR /* `run->error` says why; or `run->no_memory` */
};

enum hf_ottl_verdict hf_ottl_test(const struct hf_ottl *ottl, size_t condition,
                                  struct hf_ottl_run *run);

/* Runs one statement, when its condition is true; `ret_ran`: whether it was, or NULL. HF_INVALID:
 * `run->error` says why. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_ottl_execute(const struct hf_ottl *ottl, size_t statement,
                                           struct hf_ottl_run *run, bool *ret_ran);

/* ---- lists, with an error mode ---- */

enum hf_ottl_error_mode { HF_OTTL_PROPAGATE = 0, HF_OTTL_IGNORE, HF_OTTL_SILENT };

/* "propagate", "ignore", "silent", for field tables. */
extern const char *const hf_ottl_error_modes[];

/* Learns of each error before the mode decides what becomes of it. Embed in what it needs. */
struct hf_ottl_watch {
    void (*error)(struct hf_ottl_watch *watch, const char *text, const char *error);
};

/*
 * Is one of the conditions true? One that fails counts as false, except with HF_OTTL_PROPAGATE.
 * HF_INVALID, HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_ottl_any(const struct hf_ottl *ottl, struct hf_ottl_run *run,
                                       enum hf_ottl_error_mode mode, struct hf_ottl_watch *watch,
                                       bool *ret_any);

/* All statements in their order, if one of the conditions is true or there is none. */
HF_MUST_USE enum hf_status hf_ottl_execute_all(const struct hf_ottl *ottl, struct hf_ottl_run *run,
                                               enum hf_ottl_error_mode mode,
                                               struct hf_ottl_watch *watch);
