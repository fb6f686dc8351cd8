/*
 * prw_labels: the labels of one series. Owned by one thread: zeroed at first, prw_labels_release()
 * at last. Names and values are slices of the document, or of what outlives the request.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "pdata/attributes.h"
#include "pdata/document.h"
#include "pdata/wire.h"
#include "prw_symbols.h"

struct prw_label {
    struct hf_slice name, value;
};

struct prw_labels {
    struct prw_label *items;
    size_t count, capacity;
    bool failed; /* memory has run out */
};

/* Sets a label, in place of one of that name; one without a value is none. */
void prw_labels_set(struct prw_labels *labels, struct hf_slice name, struct hf_slice value);
/* The same, unless there is one of that name. */
void prw_labels_offer(struct prw_labels *labels, struct hf_slice name, struct hf_slice value);

/*
 * Adds attributes, their keys made names of labels (behind `prefix`) unless `as_is`. Values of keys
 * that become one name are joined by ';', by the order of the keys. `over` NULL, or attributes that
 * stand for those of the same key.
 */
void prw_labels_add(struct prw_labels *labels, struct hf_document *document, const char *prefix,
                    const struct hf_attributes *attributes, const struct hf_attributes *over,
                    bool as_is);

/* An attribute's value as text, in the document's memory. */
struct hf_slice prw_text(struct hf_document *document, struct hf_slice value);
/* A key as the name of a label, likewise. */
struct hf_slice prw_name(struct hf_document *document, const char *prefix, struct hf_slice key,
                         bool as_is);

/* Writes them as fields `number`, sorted by name. */
void prw_labels_write(struct prw_labels *labels, uint32_t number, struct hf_wire_writer *writer);

/* Writes them as one field `number` of references to texts, sorted by name. Memory that runs out is
 * noted by the writer. */
void prw_labels_write_refs(struct prw_labels *labels, struct prw_symbols *symbols, uint32_t number,
                           struct hf_wire_writer *writer);

/* What is to be extended several times is copied for each. */
HF_MUST_USE enum hf_status prw_labels_copy(struct prw_labels *to, const struct prw_labels *from);

void prw_labels_release(struct prw_labels *labels);
