/*
 * fields: a document as a list of named values, for mappings that flatten maps, resolve names that
 * are there twice and turn dots of names into objects.
 *
 * Maps are taken apart: {"a": {"b": 1}} is the field a.b. When the list is written its fields are
 * sorted by name; of one name the last value counts; a value whose name is the beginning of another
 * (a and a.b) is called a.value. Lists without elements and values that are not there are left out.
 * Owned by one thread: zeroed with `arena` set at first, hf_bulk_fields_release() at last.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "pdata/json_write.h"
#include "util/arena.h"

enum hf_bulk_field_kind {
    HF_BULK_FIELD_ANY = 0, /* an AnyValue's bytes, no map */
    HF_BULK_FIELD_TEXT,
    HF_BULK_FIELD_HEX,
    HF_BULK_FIELD_INT,
    HF_BULK_FIELD_TIME, /* Unix nanoseconds in `integer` */
    HF_BULK_FIELD_MADE, /* JSON */
    HF_BULK_FIELD_NONE, /* replaced by a later one */
};

struct hf_bulk_field {
    struct hf_slice key;
    enum hf_bulk_field_kind kind;
    uint32_t order; /* in which they were added */
    struct hf_slice bytes;
    int64_t integer;
};

struct hf_bulk_fields {
    struct hf_bulk_field *items;
    size_t count, capacity;
    struct hf_arena *arena; /* borrowed: for names that are made */
    bool failed;
};

/* Keys are borrowed until the list is written. */
void hf_bulk_fields_text(struct hf_bulk_fields *fields, struct hf_slice key, struct hf_slice text);
/* Not at all when it is empty or all zeros. */
void hf_bulk_fields_id(struct hf_bulk_fields *fields, const char *key, struct hf_slice id);
void hf_bulk_fields_int(struct hf_bulk_fields *fields, const char *key, int64_t value);
void hf_bulk_fields_time(struct hf_bulk_fields *fields, struct hf_slice key, uint64_t time_ns);
void hf_bulk_fields_made(struct hf_bulk_fields *fields, struct hf_slice key, struct hf_slice json);

/* An AnyValue under that name; a map under its names behind it. */
void hf_bulk_fields_any(struct hf_bulk_fields *fields, struct hf_slice key, struct hf_slice value);
/* Attributes of `owner` in the field `number`, behind `prefix` and a dot ("": none). */
void hf_bulk_fields_attributes(struct hf_bulk_fields *fields, struct hf_slice prefix,
                               struct hf_slice owner, uint32_t number);
/* "a.b" in the list's memory. */
struct hf_slice hf_bulk_fields_join(struct hf_bulk_fields *fields, struct hf_slice prefix,
                                    struct hf_slice key);

/* All of `from` and nothing else. */
void hf_bulk_fields_copy(struct hf_bulk_fields *fields, const struct hf_bulk_fields *from);

/* Writes the object. The list is in another order then. */
void hf_bulk_fields_write(struct hf_bulk_fields *fields, bool dots_are_objects,
                          struct hf_json_writer *writer);
void hf_bulk_fields_release(struct hf_bulk_fields *fields);
