/*
 * bench-document edit|document|read SPANS: reads two attributes of every span, sets one and writes,
 * by the editor or in a document; or reads a field. For counting instructions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../chaos/storm/body.h"
#include "pdata/document.h"
#include "pdata/edit.h"
#include "pdata/walk.h"

#define SPANS 100u

static unsigned found;

static void change(struct hf_editor *editor, struct hf_attributes *attributes)
{
    (void)editor;
    found += hf_attributes_find(attributes, hf_slice_text("http.method")) != NULL;
    found += hf_attributes_find(attributes, hf_slice_text("missing")) != NULL;
    hf_attributes_set(attributes, hf_slice_text("added"), hf_attributes_int(attributes, 42));
}

static enum hf_status edit(struct hf_slice raw, struct hf_bytes *out)
{
    struct hf_editor editor = {.change = change};
    bool changed;
    return hf_edit(&editor, HF_TRACES, raw, out, &changed);
}

static enum hf_status open_and_write(struct hf_slice raw, struct hf_bytes *out)
{
    struct hf_document *document = hf_document_borrow(HF_TRACES, raw);
    if (document == NULL) {
        return HF_NOMEM;
    }
    struct hf_place place = {.document = document};
    while (hf_place_next_item(&place)) {
        struct hf_attributes *attributes = hf_message_attributes(place.item, 9);
        if (attributes != NULL) {
            change(NULL, attributes);
        }
    }
    enum hf_status status = hf_document_write(document, out);
    hf_document_return(document);
    return status;
}

/* A field of each span is read, none is changed. */
static enum hf_status open_and_read(struct hf_slice raw, struct hf_bytes *out)
{
    struct hf_document *document = hf_document_borrow(HF_TRACES, raw);
    if (document == NULL) {
        return HF_NOMEM;
    }
    struct hf_place place = {.document = document};
    while (hf_place_next_item(&place)) {
        found += hf_message_i64(place.item, 6) == 2;
    }
    enum hf_status status = hf_document_write(document, out);
    hf_document_return(document);
    return status;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        enum hf_status (*run)(struct hf_slice raw, struct hf_bytes *out);
    } works[] = {{"edit", edit}, {"document", open_and_write}, {"read", open_and_read}};
    unsigned long left = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    struct storm_body body;
    struct hf_bytes out = {0};
    size_t i = 0;
    while (argc == 3 && i < 3 && strcmp(works[i].name, argv[1]) != 0) {
        i++;
    }
    if (left < SPANS || i == 3 || !storm_body_make(&body, HF_TRACES, SPANS, 1)) {
        fputs("usage: bench-document edit|document|read SPANS\n", stderr);
        return 2;
    }
    storm_body_number(&body, 0);
    for (; left >= SPANS; left -= SPANS) {
        out.size = 0;
        if (works[i].run(hf_slice_of(body.bytes.data, body.bytes.size), &out) != HF_OK) {
            fputs("a good request was refused\n", stderr);
            return 1;
        }
    }
    storm_body_release(&body);
    hf_bytes_release(&out);
    return 0;
}
