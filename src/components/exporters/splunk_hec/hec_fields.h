/*
 * hec_fields: the `fields` of one event and its metadata, gathered from attributes. A key that
 * comes again replaces the one before. Owned by one thread: zeroed at first, hec_fields_release()
 * at last. Keys and values are slices of the document or of what outlives the event.
 */
#pragma once

#include <stddef.h>

#include "hec_config.h"
#include "pdata/attributes.h"
#include "pdata/document.h"
#include "pdata/json_write.h"

/* How a value is written. */
enum hec_value { HEC_ANY = 0, HEC_TEXT /* any value as text */, HEC_MADE /* JSON already */ };

struct hec_field {
    struct hf_slice key, value;
    enum hec_value kind;
};

struct hec_fields {
    struct hec_field *items;
    size_t count, capacity;
    struct hf_slice host, source, sourcetype, index; /* empty: none */
    bool failed;                                     /* memory has run out */
};

/* Begins an event with the metadata of the configuration. */
void hec_fields_begin(struct hec_fields *fields, const struct hec_config *config);

/* `as_text`: values become texts; otherwise maps are flattened, and lists with lists or maps in
 * them become JSON in a text. What is metadata is no field. */
void hec_fields_add(struct hec_fields *fields, struct hf_document *document,
                    const struct hec_metadata_keys *keys, const struct hf_attributes *attributes,
                    bool as_text);

void hec_fields_set(struct hec_fields *fields, struct hf_slice key, struct hf_slice value,
                    enum hec_value kind);

/* Writes `"host":..,"source":..,"fields":{..}` into an open object. */
void hec_fields_write(const struct hec_fields *fields, struct hf_json_writer *writer);

void hec_fields_release(struct hec_fields *fields);
