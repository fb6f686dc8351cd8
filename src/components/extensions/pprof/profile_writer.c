#include "profile_writer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mappings.h"
#include "pdata/wire.h"
#include "util/fnv.h"

#define KEYS_MAX 1000000u

/* Fields of profile.proto. */
enum {
    PROFILE_SAMPLE_TYPE = 1,
    PROFILE_SAMPLE = 2,
    PROFILE_MAPPING = 3,
    PROFILE_LOCATION = 4,
    PROFILE_FUNCTION = 5,
    PROFILE_STRING = 6,
    PROFILE_TIME = 9,
    PROFILE_DURATION = 10,
    PROFILE_PERIOD_TYPE = 11,
    PROFILE_PERIOD = 12,
    PROFILE_COMMENT = 13,
    VALUE_TYPE = 1,
    VALUE_UNIT = 2,
    SAMPLE_LOCATION = 1,
    SAMPLE_VALUE = 2,
    SAMPLE_LABEL = 3,
    LABEL_KEY = 1,
    LABEL_TEXT = 2,
    MAPPING_ID = 1,
    MAPPING_START = 2,
    MAPPING_LIMIT = 3,
    MAPPING_OFFSET = 4,
    MAPPING_FILE = 5,
    MAPPING_BUILD_ID = 6,
    MAPPING_HAS_FUNCTIONS = 7,
    LOCATION_ID = 1,
    LOCATION_MAPPING = 2,
    LOCATION_ADDRESS = 3,
    LOCATION_LINE = 4,
    LINE_FUNCTION = 1,
    FUNCTION_ID = 1,
    FUNCTION_NAME = 2,
    FUNCTION_SYSTEM_NAME = 3,
};

/* Numbers by key: of locations by address, of texts by pointer or content. Open addressing. */
struct numbers {
    struct {
        uint64_t key, number; /* number 0: free */
        const char *text;     /* NULL: the key tells all */
    } * places;
    size_t room, count;
};

struct hf_profile_writer {
    const struct hf_profile_about *about;
    struct hf_bytes body; /* samples, locations, functions and texts, as they come */
    struct hf_wire_writer wire;
    struct hf_mappings mappings;
    bool *mapping_used;
    struct numbers locations, functions, texts;
    uint64_t location_count, function_count, text_count;
};

/* ---- numbers ---- */

static size_t place_of(const struct numbers *numbers, uint64_t key, const char *text)
{
    size_t at = (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (numbers->room - 1);
    while (numbers->places[at].number != 0 &&
           !(numbers->places[at].key == key &&
             (text == NULL || strcmp(numbers->places[at].text, text) == 0))) {
        at = (at + 1) & (numbers->room - 1);
    }
    return at;
}

static bool make_room(struct numbers *numbers)
{
    if (2 * numbers->count < numbers->room) {
        return true;
    }
    struct numbers more = {.room = numbers->room == 0 ? 256 : 2 * numbers->room};
    more.places = numbers->count < KEYS_MAX ? calloc(more.room, sizeof(*more.places)) : NULL;
    if (more.places == NULL) {
        return false;
    }
    for (size_t i = 0; i < numbers->room; i++) {
        if (numbers->places[i].number != 0) {
            size_t at = place_of(&more, numbers->places[i].key, numbers->places[i].text);
            memcpy(&more.places[at], &numbers->places[i], sizeof(more.places[at]));
        }
    }
    more.count = numbers->count;
    free(numbers->places);
    *numbers = more;
    return true;
}

/* The number of that key; `*count` is the last one given, and grows when the key is new: then
 * `*ret_new`. 0: no memory. A text must live as long as the writer. */
static uint64_t number_of(struct hf_profile_writer *writer, struct numbers *numbers, uint64_t key,
                          const char *text, uint64_t *count, bool *ret_new)
{
    *ret_new = false;
    if (!make_room(numbers)) {
        writer->wire.failed = true;
        return 0;
    }
    size_t at = place_of(numbers, key, text);
    if (numbers->places[at].number == 0) {
        numbers->places[at].key = key;
        numbers->places[at].text = text;
        numbers->places[at].number = ++*count;
        numbers->count++;
        *ret_new = true;
    }
    return numbers->places[at].number;
}

/* The index of a text in the table of texts, whose first one is empty. */
static uint64_t text_number(struct hf_profile_writer *writer, const char *text)
{
    bool is_new;
    if (text[0] == '\0') {
        return 0;
    }
    uint64_t number = number_of(writer, &writer->texts, hf_fnv(hf_slice_text(text)), text,
                                &writer->text_count, &is_new);
    if (is_new) {
        hf_wire_put_bytes(&writer->wire, PROFILE_STRING, hf_slice_text(text));
    }
    return number;
}

/* ---- functions and locations ---- */

static uint64_t function_number(struct hf_profile_writer *writer, const char *name)
{
    bool is_new;
    uint64_t text = text_number(writer, name);
    uint64_t number =
        number_of(writer, &writer->functions, text, NULL, &writer->function_count, &is_new);
    if (is_new) {
        struct hf_wire_message function = hf_wire_open(&writer->wire, PROFILE_FUNCTION, 16);
        hf_wire_put_varint(&writer->wire, FUNCTION_ID, number);
        hf_wire_put_varint(&writer->wire, FUNCTION_NAME, text);
        hf_wire_put_varint(&writer->wire, FUNCTION_SYSTEM_NAME, text);
        hf_wire_close(&writer->wire, function);
    }
    return number;
}

/* What a location is; `mapping` NULL: none. */
struct place {
    uint64_t key, address;
    const struct hf_mapping *mapping;
    const char *function; /* NULL: not known */
};

static uint64_t location_number(struct hf_profile_writer *writer, const struct place *place)
{
    bool is_new;
    uint64_t number =
        number_of(writer, &writer->locations, place->key, NULL, &writer->location_count, &is_new);
    if (!is_new) {
        return number;
    }
    uint64_t function = place->function != NULL ? function_number(writer, place->function) : 0;
    struct hf_wire_message location = hf_wire_open(&writer->wire, PROFILE_LOCATION, 24);
    hf_wire_put_varint(&writer->wire, LOCATION_ID, number);
    if (place->mapping != NULL) {
        size_t index = (size_t)(place->mapping - writer->mappings.items);
        writer->mapping_used[index] = true;
        hf_wire_put_varint(&writer->wire, LOCATION_MAPPING, index + 1);
        hf_wire_put_varint(&writer->wire, LOCATION_ADDRESS, place->address);
    }
    if (function != 0) {
        struct hf_wire_message line = hf_wire_open(&writer->wire, LOCATION_LINE, 4);
        hf_wire_put_varint(&writer->wire, LINE_FUNCTION, function);
        hf_wire_close(&writer->wire, line);
    }
    hf_wire_close(&writer->wire, location);
    return number;
}

static uint64_t code_location(struct hf_profile_writer *writer, uint64_t address)
{
    struct hf_mapping *mapping = hf_mappings_find(&writer->mappings, address);
    const struct place place = {
        .key = address,
        .address = address,
        .mapping = mapping,
        .function = mapping != NULL ? hf_mapping_function(mapping, address) : NULL,
    };
    return location_number(writer, &place);
}

/* ---- samples ---- */

static void put_values(struct hf_profile_writer *writer, const int64_t *values)
{
    struct hf_wire_message list = hf_wire_open(&writer->wire, SAMPLE_VALUE, 16);
    for (size_t i = 0; writer->about->values[i].type != NULL; i++) {
        hf_wire_put_packed(&writer->wire, HF_WIRE_VARINT, (uint64_t)values[i]);
    }
    hf_wire_close(&writer->wire, list);
}

void hf_profile_add_stack(struct hf_profile_writer *writer, const uint64_t *addresses, size_t depth,
                          const int64_t *values, const char *label)
{
    uint64_t locations[256];
    size_t count = depth < 256 ? depth : 256;
    uint64_t key = label != NULL ? text_number(writer, "thread") : 0;
    uint64_t text = label != NULL ? text_number(writer, label) : 0;
    for (size_t i = 0; i < count; i++) {
        /* The byte before where a call returns to is of the call. */
        locations[i] = code_location(writer, i == 0 ? addresses[i] : addresses[i] - 1);
    }
    struct hf_wire_message sample = hf_wire_open(&writer->wire, PROFILE_SAMPLE, 4 * count + 32);
    struct hf_wire_message list = hf_wire_open(&writer->wire, SAMPLE_LOCATION, 4 * count);
    for (size_t i = 0; i < count; i++) {
        hf_wire_put_packed(&writer->wire, HF_WIRE_VARINT, locations[i]);
    }
    hf_wire_close(&writer->wire, list);
    put_values(writer, values);
    if (text != 0) {
        struct hf_wire_message pair = hf_wire_open(&writer->wire, SAMPLE_LABEL, 8);
        hf_wire_put_varint(&writer->wire, LABEL_KEY, key);
        hf_wire_put_varint(&writer->wire, LABEL_TEXT, text);
        hf_wire_close(&writer->wire, pair);
    }
    hf_wire_close(&writer->wire, sample);
}

void hf_profile_add_named(struct hf_profile_writer *writer, const char *name, const int64_t *values)
{
    /* No code stands at so low an address. */
    const struct place place = {.key = function_number(writer, name), .function = name};
    uint64_t location = location_number(writer, &place);
    struct hf_wire_message sample = hf_wire_open(&writer->wire, PROFILE_SAMPLE, 32);
    struct hf_wire_message list = hf_wire_open(&writer->wire, SAMPLE_LOCATION, 4);
    hf_wire_put_packed(&writer->wire, HF_WIRE_VARINT, location);
    hf_wire_close(&writer->wire, list);
    put_values(writer, values);
    hf_wire_close(&writer->wire, sample);
}

void hf_profile_comment(struct hf_profile_writer *writer, const char *text)
{
    hf_wire_put_varint(&writer->wire, PROFILE_COMMENT, text_number(writer, text));
}

/* ---- the whole ---- */

enum hf_status hf_profile_writer_new(const struct hf_profile_about *about,
                                     struct hf_profile_writer **ret_writer)
{
    struct hf_profile_writer *writer = calloc(1, sizeof(*writer));
    if (writer == NULL) {
        return HF_NOMEM;
    }
    writer->about = about;
    writer->wire.out = &writer->body;
    enum hf_status status = hf_mappings_read(&writer->mappings);
    if (status == HF_OK) {
        writer->mapping_used = calloc(writer->mappings.count + 1, sizeof(bool));
        status = writer->mapping_used != NULL ? HF_OK : HF_NOMEM;
    }
    if (status != HF_OK) {
        hf_profile_writer_free(writer);
        return status;
    }
    hf_wire_put_bytes(&writer->wire, PROFILE_STRING, HF_EMPTY_SLICE);
    *ret_writer = writer;
    return HF_OK;
}

void hf_profile_writer_free(struct hf_profile_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    hf_bytes_release(&writer->body);
    hf_mappings_release(&writer->mappings);
    free(writer->mapping_used);
    free(writer->locations.places);
    free(writer->functions.places);
    free(writer->texts.places);
    free(writer);
}

static void put_mapping(struct hf_profile_writer *writer, size_t index)
{
    struct hf_mapping *mapping = &writer->mappings.items[index];
    const struct hf_elf_symbols *symbols = mapping->symbols;
    uint64_t path = text_number(writer, mapping->path);
    uint64_t build_id = symbols != NULL ? text_number(writer, hf_elf_symbols_build_id(symbols)) : 0;
    struct hf_wire_message message = hf_wire_open(&writer->wire, PROFILE_MAPPING, 48);
    hf_wire_put_varint(&writer->wire, MAPPING_ID, index + 1);
    hf_wire_put_varint(&writer->wire, MAPPING_START, mapping->start);
    hf_wire_put_varint(&writer->wire, MAPPING_LIMIT, mapping->end);
    hf_wire_put_varint(&writer->wire, MAPPING_OFFSET, mapping->offset);
    hf_wire_put_varint(&writer->wire, MAPPING_FILE, path);
    hf_wire_put_varint(&writer->wire, MAPPING_BUILD_ID, build_id);
    hf_wire_put_varint(&writer->wire, MAPPING_HAS_FUNCTIONS, symbols != NULL);
    hf_wire_close(&writer->wire, message);
}

static void put_value_type(struct hf_profile_writer *writer, uint32_t field, const char *type,
                           const char *unit)
{
    uint64_t type_number = text_number(writer, type);
    uint64_t unit_number = text_number(writer, unit);
    struct hf_wire_message message = hf_wire_open(&writer->wire, field, 8);
    hf_wire_put_varint(&writer->wire, VALUE_TYPE, type_number);
    hf_wire_put_varint(&writer->wire, VALUE_UNIT, unit_number);
    hf_wire_close(&writer->wire, message);
}

enum hf_status hf_profile_finish(struct hf_profile_writer *writer, struct hf_bytes *out)
{
    const struct hf_profile_about *about = writer->about;
    for (size_t i = 0; about->values[i].type != NULL; i++) {
        put_value_type(writer, PROFILE_SAMPLE_TYPE, about->values[i].type, about->values[i].unit);
    }
    for (size_t i = 0; i < writer->mappings.count; i++) {
        if (writer->mapping_used[i]) {
            put_mapping(writer, i);
        }
    }
    if (about->period_type != NULL) {
        put_value_type(writer, PROFILE_PERIOD_TYPE, about->period_type, about->period_unit);
        hf_wire_put_varint(&writer->wire, PROFILE_PERIOD, about->period);
    }
    hf_wire_put_varint(&writer->wire, PROFILE_TIME, about->time_unix_ns);
    hf_wire_put_varint(&writer->wire, PROFILE_DURATION, about->duration_ns);
    const struct hf_slice body = hf_slice_of(writer->body.data, writer->body.size);
    enum hf_status status = hf_wire_status(&writer->wire);
    return status == HF_OK ? hf_encode(HF_GZIP, 0, &body, 1, out) : status;
}

const char *hf_profile_function(struct hf_profile_writer *writer, uint64_t address)
{
    struct hf_mapping *mapping = hf_mappings_find(&writer->mappings, address);
    return mapping != NULL ? hf_mapping_function(mapping, address) : NULL;
}
