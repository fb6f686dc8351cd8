/*
 * bench-ottl filter|transform SPANS: drops spans by two conditions of OTTL, or runs five statements
 * over each span, and writes the request. For counting instructions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../chaos/storm/body.h"
#include "ottl/ottl.h"
#include "pdata/document.h"
#include "pdata/walk.h"

#define SPANS 100u

static const char *conditions[] = {
    "span.attributes[\"http.response.status_code\"] == 404",
    "IsMatch(span.name, \"^GET /health\")",
};

static const char *statements[] = {
    "set(span.attributes[\"env\"], \"production\")",
    "delete_key(span.attributes, \"thread.id\")",
    "replace_pattern(span.attributes[\"url.full\"], \"/[0-9]+$\", \"/{id}\")",
    "set(span.status.code, 2) where span.attributes[\"http.response.status_code\"] == 500",
    "set(span.name, \"checkout\") where resource.attributes[\"service.name\"] == \"cart\"",
};

struct work {
    struct hf_visitor visitor;
    const struct hf_ottl *ottl;
    struct hf_ottl_run run;
    enum hf_status status;
};

static enum hf_visit see_span(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct work *work = HF_CONTAINER(visitor, struct work, visitor);
    bool drops = false;
    hf_ottl_enter(&work->run, place);
    work->status = hf_ottl_statement_count(work->ottl) > 0
                       ? hf_ottl_execute_all(work->ottl, &work->run, HF_OTTL_PROPAGATE, NULL)
                       : hf_ottl_any(work->ottl, &work->run, HF_OTTL_PROPAGATE, NULL, &drops);
    return work->status != HF_OK ? HF_VISIT_STOP : drops ? HF_VISIT_DROP : HF_VISIT_SKIP;
}

static enum hf_status run(const struct hf_ottl *ottl, struct hf_slice raw, struct hf_bytes *out)
{
    struct hf_document *document = hf_document_borrow(HF_TRACES, raw);
    struct work work = {.visitor = {.item = see_span, .prune = true}, .ottl = ottl};
    if (document == NULL) {
        return HF_NOMEM;
    }
    hf_ottl_begin(&work.run, document);
    hf_walk(document, &work.visitor);
    hf_ottl_end(&work.run);
    enum hf_status status = work.status;
    if (status == HF_OK && hf_document_is_changed(document)) {
        status = hf_document_write(document, out);
    }
    hf_document_return(document);
    return status;
}

int main(int argc, char **argv)
{
    unsigned long left = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    bool filters = argc == 3 && strcmp(argv[1], "filter") == 0;
    struct hf_ottl_source source = {.context = HF_PATH_SPAN,
                                    .infers = true,
                                    .functions = HF_OTTL_EDITORS,
                                    .name = argc == 3 ? argv[1] : ""};
    struct storm_body body;
    struct hf_bytes out = {0};
    struct hf_ottl *ottl;
    char error[HF_ERROR_MAX];
    if (filters) {
        source.conditions = (struct hf_string_list){conditions, 2};
    } else {
        source.statements = (struct hf_string_list){statements, 5};
    }
    if (left < SPANS || hf_ottl_new(&source, &ottl, error) != HF_OK ||
        !storm_body_make(&body, HF_TRACES, SPANS, 1)) {
        fputs("usage: bench-ottl filter|transform SPANS\n", stderr);
        return 2;
    }
    storm_body_number(&body, 0);
    for (; left >= SPANS; left -= SPANS) {
        out.size = 0;
        if (run(ottl, hf_slice_of(body.bytes.data, body.bytes.size), &out) != HF_OK) {
            fputs("a good request was refused\n", stderr);
            return 1;
        }
    }
    storm_body_release(&body);
    hf_bytes_release(&out);
    hf_ottl_free(ottl);
    return 0;
}
