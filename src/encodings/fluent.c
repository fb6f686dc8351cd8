#include "fluent.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <msgpack.h>

#include "pdata/any_make.h"
#include "pdata/json_value.h"
#include "pdata/repair.h"
#include "pdata/utf8.h"
#include "util/compress/compress.h"

#define NS_PER_S UINT64_C(1000000000)
#define VALUES_BYTES_MAX ((size_t)64 << 20)
#define TAG_KEY "fluent.tag" /* that of a record counts before the message's */
#define KEPT_BYTES ((size_t)64 << 10)
#define DEPTH_MAX 24 /* libmsgpack reads 32 */

/* ---- the size of an event ---- */

/* What the first byte tells: the size of the header, of what follows it, and how many objects. */
struct shape {
    size_t header, content, children;
};

static uint64_t big_endian(const uint8_t *at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

/* False: its header is not whole, or no type. `ret_broken` tells which. */
static bool shape_of(struct hf_slice bytes, struct shape *ret, bool *ret_broken)
{
    /* 0xc0 to 0xdf: the bytes of a size behind the type; those of a value; 1 for each extension. */
    static const uint8_t sizes[32] = {
        [4] = 1,  [5] = 2,  [6] = 4,  [7] = 1,  [8] = 2,  [9] = 4, [25] = 1,
        [26] = 2, [27] = 4, [28] = 2, [29] = 4, [30] = 2, [31] = 4};
    static const uint8_t values[32] = {
        [10] = 4, [11] = 8, [12] = 1, [13] = 2, [14] = 4, [15] = 8, [16] = 1, [17] = 2,
        [18] = 4, [19] = 8, [20] = 2, [21] = 3, [22] = 5, [23] = 9, [24] = 17};
    uint8_t type = bytes.data[0];
    *ret_broken = type == 0xc1;
    *ret = (struct shape){.header = 1};
    if (type < 0x80 || type >= 0xe0) {
        return true;
    }
    if (type < 0xc0) {
        ret->children = type < 0x90 ? (size_t)(type & 0x0f) * 2 : type < 0xa0 ? type & 0x0fu : 0;
        ret->content = type >= 0xa0 ? type & 0x1fu : 0;
        return true;
    }
    unsigned number = type - 0xc0u;
    ret->header += sizes[number];
    if (*ret_broken || bytes.size < ret->header) {
        return false;
    }
    uint64_t size = big_endian(bytes.data + 1, sizes[number]);
    if (number >= 28) {
        ret->children = number >= 30 ? size * 2 : size;
    } else {
        bool is_extension = number >= 7 && number <= 9;
        ret->content = values[number] + size + (is_extension ? 1 : 0);
    }
    return true;
}

enum hf_fluent_step hf_fluent_measure(struct hf_slice bytes, size_t *ret_size)
{
    size_t left[DEPTH_MAX] = {1}, depth = 1, at = 0;
    while (depth != 0) {
        struct shape shape;
        bool is_broken = false;
        if (left[depth - 1] == 0) {
            depth--;
            continue;
        }
        left[depth - 1]--;
        if (at == bytes.size) {
            return HF_FLUENT_MORE;
        }
        if (!shape_of(hf_slice_of(bytes.data + at, bytes.size - at), &shape, &is_broken)) {
            return is_broken ? HF_FLUENT_BROKEN : HF_FLUENT_MORE;
        }
        at += shape.header;
        if (shape.content > bytes.size - at) {
            return HF_FLUENT_MORE;
        }
        at += shape.content;
        if (shape.children != 0 && depth == DEPTH_MAX) {
            return HF_FLUENT_BROKEN;
        }
        if (shape.children != 0) {
            left[depth++] = shape.children;
        }
    }
    *ret_size = at;
    return HF_FLUENT_WHOLE;
}

/* ---- values ---- */

struct reading {
    struct hf_builder *builder; /* NULL: it is only checked */
    struct hf_arena arena;      /* of values of one record */
    struct hf_slice tag;
    uint32_t records;
    char *reterr;
};

static enum hf_status fault(struct reading *reading, const char *what)
{
    snprintf(reading->reterr, HF_FLUENT_ERROR_MAX, "%s", what);
    return HF_INVALID;
}

static bool is_text(const msgpack_object *object)
{
    return object->type == MSGPACK_OBJECT_STR || object->type == MSGPACK_OBJECT_BIN;
}

static struct hf_slice text_of(const msgpack_object *object)
{
    if (object->type == MSGPACK_OBJECT_STR) {
        return hf_slice_of(object->via.str.ptr, object->via.str.size);
    }
    return object->type == MSGPACK_OBJECT_BIN
               ? hf_slice_of(object->via.bin.ptr, object->via.bin.size)
               : HF_EMPTY_SLICE;
}

/* Texts of values must be UTF-8; others are repaired, as the builder does with those it gets. */
static struct hf_slice good_text(struct hf_any_maker *maker, struct hf_slice text)
{
    struct hf_bytes repaired = {0};
    if (hf_utf8_is_ascii(text) || hf_utf8_is_valid(text)) {
        return text;
    }
    enum hf_status status = hf_repair_text(text, &repaired);
    uint8_t *room = status == HF_OK ? hf_arena_take(maker->arena, repaired.size + 1) : NULL;
    size_t size = room != NULL ? repaired.size : 0;
    maker->failed |= room == NULL;
    if (size != 0) {
        memcpy(room, repaired.data, size);
    }
    hf_bytes_release(&repaired);
    return hf_slice_of(room, size);
}

static struct hf_slice value_of(struct hf_any_maker *maker, const msgpack_object *object);

static struct hf_slice list_of(struct hf_any_maker *maker, const msgpack_object_array *array)
{
    struct hf_slice *values = hf_arena_take(maker->arena, (array->size + 1) * sizeof(*values));
    if (values == NULL) {
        maker->failed = true;
        return HF_EMPTY_SLICE;
    }
    for (uint32_t i = 0; i < array->size; i++) {
        values[i] = value_of(maker, &array->ptr[i]);
    }
    return hf_any_make_list(maker, values, array->size);
}

static struct hf_slice map_of(struct hf_any_maker *maker, const msgpack_object_map *map)
{
    struct hf_any_pair *pairs = hf_arena_take(maker->arena, (map->size + 1) * sizeof(*pairs));
    if (pairs == NULL) {
        maker->failed = true;
        return HF_EMPTY_SLICE;
    }
    for (uint32_t i = 0; i < map->size; i++) {
        pairs[i].key = good_text(maker, text_of(&map->ptr[i].key));
        pairs[i].value = value_of(maker, &map->ptr[i].val);
    }
    return hf_any_make_map(maker, pairs, map->size);
}

static struct hf_slice number_of(struct hf_any_maker *maker, uint64_t number)
{
    char digits[HF_JSON_DIGITS_MAX];
    return number <= INT64_MAX
               ? hf_any_make_int(maker, (int64_t)number)
               : hf_any_make_string(maker, hf_slice_of(digits, hf_json_print_u64(number, digits)));
}

/* Bytes are texts, as Fluentd writes them; nesting is bounded by the measure. */
static struct hf_slice value_of(struct hf_any_maker *maker, const msgpack_object *object)
{
    switch (object->type) {
    case MSGPACK_OBJECT_BOOLEAN:
        return hf_any_make_bool(maker, object->via.boolean);
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        return number_of(maker, object->via.u64);
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return hf_any_make_int(maker, object->via.i64);
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        return hf_any_make_double(maker, object->via.f64);
    case MSGPACK_OBJECT_STR:
    case MSGPACK_OBJECT_BIN:
        return hf_any_make_string(maker, good_text(maker, text_of(object)));
    case MSGPACK_OBJECT_ARRAY:
        return list_of(maker, &object->via.array);
    case MSGPACK_OBJECT_MAP:
        return map_of(maker, &object->via.map);
    case MSGPACK_OBJECT_EXT:
        return hf_any_make_bytes(maker, hf_slice_of(object->via.ext.ptr, object->via.ext.size));
    case MSGPACK_OBJECT_NIL:
        break;
    }
    return HF_EMPTY_SLICE;
}

/* Seconds, or an EventTime: seconds and nanoseconds of 32 bits each. */
static bool time_of(const msgpack_object *object, uint64_t *ret_ns)
{
    if (object->type == MSGPACK_OBJECT_POSITIVE_INTEGER) {
        *ret_ns = object->via.u64 > UINT64_MAX / NS_PER_S ? 0 : object->via.u64 * NS_PER_S;
        return true;
    }
    if (object->type == MSGPACK_OBJECT_NEGATIVE_INTEGER) {
        *ret_ns = 0;
        return true;
    }
    if (object->type == MSGPACK_OBJECT_ARRAY && object->via.array.size == 2 &&
        object->via.array.ptr[0].type != MSGPACK_OBJECT_ARRAY) {
        return time_of(&object->via.array.ptr[0], ret_ns); /* [time, metadata], of Fluent Bit */
    }
    if (object->type == MSGPACK_OBJECT_EXT && object->via.ext.type == 0 &&
        object->via.ext.size == 8) {
        const uint8_t *bytes = (const uint8_t *)object->via.ext.ptr;
        *ret_ns = big_endian(bytes, 4) * NS_PER_S + big_endian(bytes + 4, 4);
        return true;
    }
    return false;
}

/* ---- records ---- */

static void write_pair(struct reading *reading, struct hf_any_maker *maker, struct hf_slice key,
                       const msgpack_object *value)
{
    if (is_text(value)) {
        hf_build_attribute_string(reading->builder, key, text_of(value));
    } else {
        hf_build_attribute_value(reading->builder, key, value_of(maker, value));
    }
}

/* The last of the keys that name the text of a record. */
static const msgpack_object *body_of(const msgpack_object_map *map)
{
    const msgpack_object *body = NULL;
    for (uint32_t i = 0; i < map->size; i++) {
        struct hf_slice key = text_of(&map->ptr[i].key);
        if (hf_slice_is(key, "message") || hf_slice_is(key, "log")) {
            body = &map->ptr[i].val;
        }
    }
    return body;
}

static enum hf_status write_record(struct reading *reading, uint64_t time_ns,
                                   const msgpack_object_map *map)
{
    struct hf_any_maker maker = {.arena = &reading->arena};
    const struct hf_build_log_record record = {.time_ns = time_ns};
    const msgpack_object *body = body_of(map);
    hf_build_log_record(reading->builder, &record);
    if (body != NULL && is_text(body)) {
        hf_build_body_string(reading->builder, text_of(body));
    } else if (body != NULL) {
        hf_build_body_value(reading->builder, value_of(&maker, body));
    }
    bool has_tag = false;
    for (uint32_t i = 0; i < map->size; i++) {
        struct hf_slice key = text_of(&map->ptr[i].key);
        if (!hf_slice_is(key, "message") && !hf_slice_is(key, "log")) {
            write_pair(reading, &maker, key, &map->ptr[i].val);
            has_tag = has_tag || hf_slice_is(key, TAG_KEY);
        }
    }
    if (!has_tag) {
        hf_build_attribute_string(reading->builder, hf_slice_text(TAG_KEY), reading->tag);
    }
    hf_build_end(reading->builder);
    hf_arena_rewind(&reading->arena, KEPT_BYTES);
    return maker.failed ? HF_NOMEM : HF_OK;
}

/* A time and a map, checked, and with a builder written. */
static enum hf_status take_record(struct reading *reading, const msgpack_object *time,
                                  const msgpack_object *record)
{
    uint64_t time_ns;
    if (!time_of(time, &time_ns)) {
        return fault(reading, "the time of a record is neither a number nor an EventTime");
    }
    if (record->type != MSGPACK_OBJECT_MAP) {
        return fault(reading, "a record is not a map");
    }
    for (uint32_t i = 0; i < record->via.map.size; i++) {
        if (!is_text(&record->via.map.ptr[i].key)) {
            return fault(reading, "a key of a record is not a string");
        }
    }
    reading->records++;
    return reading->builder == NULL ? HF_OK : write_record(reading, time_ns, &record->via.map);
}

static enum hf_status take_entry(struct reading *reading, const msgpack_object *entry)
{
    if (entry->type != MSGPACK_OBJECT_ARRAY || entry->via.array.size != 2) {
        return fault(reading, "an entry is not a time and a record");
    }
    return take_record(reading, &entry->via.array.ptr[0], &entry->via.array.ptr[1]);
}

/* Entries one behind the other. */
static enum hf_status take_packed(struct reading *reading, struct hf_slice entries)
{
    enum hf_status status = HF_OK;
    size_t at = 0;
    while (at < entries.size && status == HF_OK) {
        struct hf_slice rest = hf_slice_of(entries.data + at, entries.size - at);
        size_t size;
        msgpack_unpacked unpacked;
        if (hf_fluent_measure(rest, &size) != HF_FLUENT_WHOLE) {
            return fault(reading, "the packed entries are no MessagePack, or not whole");
        }
        msgpack_unpacked_init(&unpacked);
        if (msgpack_unpack_next(&unpacked, (const char *)rest.data, size, NULL) ==
            MSGPACK_UNPACK_SUCCESS) {
            status = take_entry(reading, &unpacked.data);
        } else {
            status = fault(reading, "a packed entry cannot be read");
        }
        msgpack_unpacked_destroy(&unpacked);
        at += size;
    }
    return status;
}

/* ---- events ---- */

struct options {
    struct hf_slice chunk, compressed;
};

static struct options options_of(const msgpack_object_array *event, uint32_t at)
{
    struct options options = {0};
    if (at >= event->size || event->ptr[at].type != MSGPACK_OBJECT_MAP) {
        return options;
    }
    const msgpack_object_map *map = &event->ptr[at].via.map;
    for (uint32_t i = 0; i < map->size; i++) {
        struct hf_slice key = text_of(&map->ptr[i].key);
        if (hf_slice_is(key, "chunk")) {
            options.chunk = text_of(&map->ptr[i].val);
        } else if (hf_slice_is(key, "compressed")) {
            options.compressed = text_of(&map->ptr[i].val);
        }
    }
    return options;
}

static enum hf_status take_compressed(struct reading *reading, struct hf_slice entries,
                                      struct hf_slice coding_name)
{
    struct hf_bytes unpacked = {0};
    enum hf_coding coding = HF_IDENTITY;
    enum hf_status status = hf_coding_by_name(coding_name, &coding);
    if (status != HF_OK || (coding != HF_GZIP && coding != HF_ZSTD)) {
        return fault(reading, "the entries are compressed by another way than gzip and zstd");
    }
    status = hf_decode(coding, entries, HF_FLUENT_UNPACKED_MAX, &unpacked);
    if (status == HF_OK) {
        status = take_packed(reading, hf_slice_of(unpacked.data, unpacked.size));
    } else if (status != HF_NOMEM) {
        (void)fault(reading, status == HF_TOO_LARGE ? "the entries unpack to more than 64 MiB"
                                                    : "the entries do not decompress");
    }
    hf_bytes_release(&unpacked);
    return status;
}

static enum hf_status take_forward(struct reading *reading, const msgpack_object_array *entries)
{
    enum hf_status status = HF_OK;
    for (uint32_t i = 0; i < entries->size && status == HF_OK; i++) {
        status = take_entry(reading, &entries->ptr[i]);
    }
    return status;
}

static enum hf_status take_event(struct reading *reading, const msgpack_object *object,
                                 struct options *ret_options)
{
    const msgpack_object_array *event = &object->via.array;
    if (object->type != MSGPACK_OBJECT_ARRAY || event->size < 2 || event->size > 4 ||
        !is_text(&event->ptr[0])) {
        return fault(reading, "an event is not a list of a tag and entries");
    }
    const msgpack_object *second = &event->ptr[1];
    reading->tag = text_of(&event->ptr[0]);
    if (second->type == MSGPACK_OBJECT_ARRAY) {
        *ret_options = options_of(event, 2);
        return take_forward(reading, &second->via.array);
    }
    if (is_text(second)) {
        *ret_options = options_of(event, 2);
        return ret_options->compressed.size == 0 || hf_slice_is(ret_options->compressed, "text")
                   ? take_packed(reading, text_of(second))
                   : take_compressed(reading, text_of(second), ret_options->compressed);
    }
    if (event->size < 3) {
        return fault(reading, "an event has a time and no record");
    }
    *ret_options = options_of(event, 3);
    return take_record(reading, second, &event->ptr[2]);
}

enum hf_status hf_fluent_read(struct hf_slice event, struct hf_builder *builder,
                              struct hf_fluent_event *ret_event, char *reterr)
{
    struct reading reading = {.arena = {.limit = VALUES_BYTES_MAX}, .reterr = reterr};
    struct options options = {0};
    msgpack_unpacked unpacked;
    enum hf_status status = HF_INVALID;
    *ret_event = (struct hf_fluent_event){0};
    msgpack_unpacked_init(&unpacked);
    if (msgpack_unpack_next(&unpacked, (const char *)event.data, event.size, NULL) !=
        MSGPACK_UNPACK_SUCCESS) {
        status = fault(&reading, "an event is no MessagePack");
    } else {
        status = take_event(&reading, &unpacked.data, &options);
    }
    if (status == HF_OK) {
        reading.builder = builder;
        reading.records = 0;
        status = take_event(&reading, &unpacked.data, &options);
    }
    /* libmsgpack's texts point into `event`. */
    *ret_event = (struct hf_fluent_event){.chunk = options.chunk, .records = reading.records};
    msgpack_unpacked_destroy(&unpacked);
    hf_arena_release(&reading.arena);
    return status;
}
