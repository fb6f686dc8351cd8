#include "duplicates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pdata/document.h"
#include "support/items/origins.h"
#include "support/state/interval_output.h"
#include "util/grow.h"
#include "util/time/clock.h"

#define TABLE_FIRST 256u

enum { SCOPE_RECORDS = 2, RECORD_TIME = 1, RECORD_ATTRIBUTES = 6, RECORD_OBSERVED = 11 };

static const char first_attribute[] = "first_observed_timestamp";
static const char last_attribute[] = "last_observed_timestamp";

struct record {
    struct hf_origin_item item;
    struct hf_hash key; /* of the origin too */
    struct record *bucket;
    struct hf_slice content; /* its own; without what is written again */
    uint64_t first_ns, last_ns;
    uint64_t count;
};

struct logdedup_duplicates {
    struct logdedup_form form;
    size_t bytes, bytes_max;
    struct record **table;
    size_t size, count;
    struct hf_origins origins;
    struct record **added; /* since the begin, one for each time */
    size_t added_count, added_room;
};

/* ---- life ---- */

struct logdedup_duplicates *logdedup_duplicates_new(size_t bytes_max,
                                                    const struct logdedup_form *form)
{
    struct logdedup_duplicates *duplicates = calloc(1, sizeof(*duplicates));
    if (duplicates == NULL) {
        return NULL;
    }
    duplicates->form = *form;
    duplicates->bytes_max = bytes_max;
    duplicates->size = TABLE_FIRST;
    duplicates->table = calloc(TABLE_FIRST, sizeof(struct record *));
    if (hf_origins_init(&duplicates->origins) != HF_OK || duplicates->table == NULL) {
        logdedup_duplicates_free(duplicates);
        return NULL;
    }
    return duplicates;
}

static void free_record(struct hf_origin_item *item)
{
    struct record *record = (struct record *)item;
    free((void *)(uintptr_t)record->content.data);
    free(record);
}

static void clear(struct logdedup_duplicates *duplicates)
{
    hf_origins_clear(&duplicates->origins, free_record);
    memset(duplicates->table, 0, duplicates->size * sizeof(struct record *));
    duplicates->bytes = duplicates->count = duplicates->added_count = 0;
}

void logdedup_duplicates_free(struct logdedup_duplicates *duplicates)
{
    if (duplicates == NULL) {
        return;
    }
    hf_origins_clear(&duplicates->origins, free_record);
    hf_origins_release(&duplicates->origins);
    free(duplicates->table);
    free(duplicates->added);
    free(duplicates);
}

/* Twice the places; without memory the buckets get longer. */
static void grow(struct logdedup_duplicates *duplicates)
{
    size_t size = 2 * duplicates->size;
    struct record **table = calloc(size, sizeof(struct record *));
    if (table == NULL) {
        return;
    }
    const struct hf_origin *origin = duplicates->origins.first;
    for (; origin != NULL; origin = origin->next) {
        for (struct hf_origin_item *item = origin->first; item != NULL; item = item->next) {
            struct record *record = (struct record *)item;
            record->bucket = table[record->key.low & (size - 1)];
            table[record->key.low & (size - 1)] = record;
        }
    }
    free(duplicates->table);
    duplicates->table = table;
    duplicates->size = size;
}

/* ---- adding ---- */

void logdedup_duplicates_begin(struct logdedup_duplicates *duplicates)
{
    duplicates->added_count = 0;
}

/* Those that nothing is left of are not written. */
void logdedup_duplicates_take_back(struct logdedup_duplicates *duplicates)
{
    while (duplicates->added_count > 0) {
        duplicates->added[--duplicates->added_count]->count--;
    }
}

static bool reserve_added(struct logdedup_duplicates *duplicates)
{
    return hf_grow(&duplicates->added, &duplicates->added_room, duplicates->added_count + 1,
                   sizeof(struct record *));
}

static struct record *add_record(struct logdedup_duplicates *duplicates, struct hf_hash of_origin,
                                 struct hf_hash key, const struct hf_place *place)
{
    struct hf_origin *origin = hf_origins_need(&duplicates->origins, of_origin, place);
    struct record *record = origin != NULL ? calloc(1, sizeof(*record)) : NULL;
    if (record == NULL) {
        return NULL;
    }
    struct hf_attributes *attributes = hf_message_attributes(place->item, RECORD_ATTRIBUTES);
    if (attributes != NULL) {
        hf_attributes_remove(attributes, hf_slice_text(duplicates->form.count_attribute));
        hf_attributes_remove(attributes, hf_slice_text(first_attribute));
        hf_attributes_remove(attributes, hf_slice_text(last_attribute));
    }
    hf_message_clear(place->item, RECORD_TIME);
    hf_message_clear(place->item, RECORD_OBSERVED);
    record->key = key;
    record->content = hf_origin_copy(hf_message_content(place->item));
    if (record->content.data == NULL || attributes == NULL ||
        hf_document_status(place->document) != HF_OK) {
        free_record(&record->item);
        return NULL;
    }
    if (duplicates->count >= duplicates->size) {
        grow(duplicates);
    }
    struct record **bucket = &duplicates->table[key.low & (duplicates->size - 1)];
    record->bucket = *bucket;
    *bucket = record;
    hf_origin_add(origin, &record->item);
    duplicates->count++;
    duplicates->bytes += sizeof(*record) + record->content.size;
    return record;
}

enum hf_status logdedup_duplicates_add(struct logdedup_duplicates *duplicates,
                                       struct hf_hash origin, struct hf_hash key,
                                       const struct hf_place *place, uint64_t observed_ns)
{
    struct hf_hash whole = hf_hash_mix(origin, key);
    struct record *record = duplicates->table[whole.low & (duplicates->size - 1)];
    while (record != NULL && !hf_hash_equal(record->key, whole)) {
        record = record->bucket;
    }
    if (!reserve_added(duplicates)) {
        return HF_NOMEM;
    }
    if (record == NULL) {
        record = add_record(duplicates, origin, whole, place);
    }
    if (record == NULL) {
        return HF_NOMEM;
    }
    if (record->count == 0) {
        record->first_ns = observed_ns;
    }
    record->count++;
    record->last_ns = observed_ns;
    duplicates->added[duplicates->added_count++] = record;
    return HF_OK;
}

bool logdedup_duplicates_is_full(const struct logdedup_duplicates *duplicates)
{
    return duplicates->bytes + duplicates->origins.bytes > duplicates->bytes_max;
}

/* ---- flushing ---- */

/* As RFC 3339 with whole seconds: "2024-05-01T12:00:00Z", "...+02:00". */
static void print_time(const struct hf_zone *zone, uint64_t unix_ns, char *text, size_t room)
{
    time_t unix_s = (time_t)(unix_ns / HF_NS_PER_S);
    int32_t offset_s = hf_zone_offset_s(zone, unix_s);
    time_t wall_s = unix_s + offset_s;
    struct tm wall;
    gmtime_r(&wall_s, &wall);
    size_t size = strftime(text, room, "%Y-%m-%dT%H:%M:%S", &wall);
    int32_t minutes = (offset_s < 0 ? -offset_s : offset_s) / 60;
    if (offset_s == 0) {
        snprintf(text + size, room - size, "Z");
    } else {
        snprintf(text + size, room - size, "%c%02d:%02d", offset_s < 0 ? '-' : '+', minutes / 60,
                 minutes % 60);
    }
}

static void put_attribute(struct hf_wire_writer *writer, const char *key, const char *text,
                          uint64_t number)
{
    enum { ANY_STRING = 1, ANY_INT = 3 };
    struct hf_wire_message pair = hf_wire_open(writer, RECORD_ATTRIBUTES, 64);
    hf_wire_put_bytes(writer, 1, hf_slice_text(key));
    struct hf_wire_message value = hf_wire_open(writer, 2, 32);
    if (text != NULL) {
        hf_wire_put_bytes(writer, ANY_STRING, hf_slice_text(text));
    } else {
        hf_wire_put_varint(writer, ANY_INT, number);
    }
    hf_wire_close(writer, value);
    hf_wire_close(writer, pair);
}

static void put_record(struct hf_wire_writer *writer, const struct logdedup_form *form,
                       const struct record *record, uint64_t now_ns)
{
    char first[64], last[64];
    print_time(form->zone, record->first_ns, first, sizeof(first));
    print_time(form->zone, record->last_ns, last, sizeof(last));
    struct hf_wire_message message =
        hf_wire_open(writer, SCOPE_RECORDS, record->content.size + 200);
    hf_wire_put_fixed64(writer, RECORD_TIME, now_ns);
    hf_wire_put_raw(writer, record->content);
    put_attribute(writer, form->count_attribute, NULL, record->count);
    put_attribute(writer, first_attribute, first, 0);
    put_attribute(writer, last_attribute, last, 0);
    hf_wire_put_fixed64(writer, RECORD_OBSERVED, record->first_ns);
    hf_wire_close(writer, message);
}

static void put_origin(struct hf_interval_output *output,
                       const struct logdedup_duplicates *duplicates, const struct hf_origin *origin,
                       uint64_t now_ns)
{
    struct hf_origin_open open;
    hf_origin_open(&output->writer, origin, HF_INTERVAL_BATCH_BYTES, &open);
    for (const struct hf_origin_item *item = origin->first; item != NULL; item = item->next) {
        const struct record *record = (const struct record *)item;
        if (record->count == 0) {
            continue;
        }
        if (output->bytes.size > HF_INTERVAL_BATCH_BYTES && output->items > 0) {
            hf_origin_close(&output->writer, &open);
            hf_interval_output_cut(output);
            hf_origin_open(&output->writer, origin, HF_INTERVAL_BATCH_BYTES, &open);
        }
        put_record(&output->writer, &duplicates->form, record, now_ns);
        output->items++;
    }
    hf_origin_close(&output->writer, &open);
}

enum hf_status logdedup_duplicates_flush(struct logdedup_duplicates *duplicates, uint64_t now_ns,
                                         struct hf_interval_list *list)
{
    struct hf_interval_output output;
    hf_interval_output_begin(&output, HF_LOGS, list);
    const struct hf_origin *origin = duplicates->origins.first;
    for (; origin != NULL; origin = origin->next) {
        put_origin(&output, duplicates, origin, now_ns);
    }
    enum hf_status status = hf_interval_output_end(&output);
    if (status == HF_OK) {
        clear(duplicates);
    }
    return status;
}
