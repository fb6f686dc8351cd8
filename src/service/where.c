#include "where.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ottl/ottl.h"
#include "pdata/document.h"
#include "pdata/walk.h"

struct hf_where {
    struct hf_ottl *conditions[HF_SIGNAL_COUNT]; /* NULL: it has no meaning for the signal */
};

static const enum hf_path_context contexts[HF_SIGNAL_COUNT] = {[HF_TRACES] = HF_PATH_SPAN,
                                                               [HF_METRICS] = HF_PATH_DATAPOINT,
                                                               [HF_LOGS] = HF_PATH_LOG,
                                                               [HF_PROFILES] = HF_PATH_PROFILE};

void hf_where_free(struct hf_where *where)
{
    for (int signal = 0; where != NULL && signal < HF_SIGNAL_COUNT; signal++) {
        hf_ottl_free(where->conditions[signal]);
    }
    free(where);
}

enum hf_status hf_where_new(const char *text, struct hf_where **ret_where, char *reterr)
{
    struct hf_where *where = calloc(1, sizeof(*where));
    enum hf_status status = where != NULL ? HF_OK : HF_NOMEM;
    bool has_one = false;
    for (int signal = 0; status == HF_OK && signal < HF_SIGNAL_COUNT; signal++) {
        char why[HF_ERROR_MAX] = "";
        const struct hf_ottl_source source = {.conditions = {&text, 1},
                                              .context = contexts[signal],
                                              .functions = HF_OTTL_FILTER,
                                              .name = "--where"};
        status = hf_ottl_new(&source, &where->conditions[signal], why);
        has_one = has_one || status == HF_OK;
        if (status == HF_INVALID) { /* of one that no signal has, the last is as good as any */
            snprintf(reterr, HF_ERROR_MAX, "%.*s", (int)strcspn(why, "\n"), why);
            where->conditions[signal] = NULL;
            status = HF_OK;
        }
    }
    if (status == HF_OK && has_one) {
        *ret_where = where;
        return HF_OK;
    }
    hf_where_free(where);
    return status == HF_OK ? HF_INVALID : status;
}

struct choosing {
    struct hf_visitor visitor;
    const struct hf_ottl *condition;
    struct hf_ottl_run run;
    uint32_t chosen;
};

static enum hf_visit choose_item(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct choosing *choosing = HF_CONTAINER(visitor, struct choosing, visitor);
    hf_ottl_enter(&choosing->run, place);
    if (hf_ottl_test(choosing->condition, 0, &choosing->run) == HF_OTTL_TRUE) {
        choosing->chosen++;
        return HF_VISIT_KEEP;
    }
    return choosing->run.no_memory ? HF_VISIT_STOP : HF_VISIT_DROP;
}

static enum hf_status choose(const struct hf_ottl *condition, struct hf_document *document,
                             struct hf_bytes *out, uint32_t *ret_items)
{
    struct choosing choosing = {.visitor = {.item = choose_item, .prune = true},
                                .condition = condition};
    hf_ottl_begin(&choosing.run, document);
    hf_walk(document, &choosing.visitor);
    bool no_memory = choosing.run.no_memory;
    hf_ottl_end(&choosing.run);
    enum hf_status status = no_memory ? HF_NOMEM : hf_document_status(document);
    if (status == HF_OK && choosing.chosen != 0) {
        status = hf_document_write(document, out);
    }
    *ret_items = status == HF_OK ? choosing.chosen : 0;
    return status;
}

enum hf_status hf_where_choose(struct hf_where *where, enum hf_signal signal, struct hf_slice raw,
                               struct hf_bytes *out, uint32_t *ret_items)
{
    *ret_items = 0;
    if (where != NULL && where->conditions[signal] == NULL) {
        return HF_OK;
    }
    struct hf_document *document = hf_document_borrow(signal, raw);
    if (document == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status = HF_OK;
    if (where != NULL) {
        status = choose(where->conditions[signal], document, out, ret_items);
    } else {
        *ret_items = hf_document_items(document);
        status = *ret_items != 0 ? hf_bytes_append(out, raw) : HF_OK;
    }
    hf_document_return(document);
    return status;
}
