/*
 * oracle: the same request as a document and as objects by protobuf-c, which must say the same of
 * every field, before and after the same changes to both.
 *
 * Failures end in oracle_fail(), which the includer defines first. Strings are compared up to their
 * first NUL, for that is all that protobuf-c keeps.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "opentelemetry/proto/collector/logs/v1/logs_service.pb-c.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb-c.h"
#include "opentelemetry/proto/collector/profiles/v1development/profiles_service.pb-c.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb-c.h"
#include "pdata/document.h"
#include "proto/objects.h"

#define ORACLE_CHECK(condition)                                                                    \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            oracle_fail(__LINE__, #condition);                                                     \
        }                                                                                          \
    } while (0)

struct oracle {
    struct hf_arena *arena; /* of the objects */
    uint64_t random;        /* never 0 */
    /* Messages come in several pieces, which protobuf-c does not put together well: it is given the
     * request without them, the document is read again by itself, and unknown fields are not
     * compared. */
    bool in_pieces;
};

static inline uint64_t oracle_draw(struct oracle *oracle, uint64_t below)
{
    oracle->random ^= oracle->random << 13;
    oracle->random ^= oracle->random >> 7;
    oracle->random ^= oracle->random << 17;
    return oracle->random % below;
}

static inline const ProtobufCMessageDescriptor *oracle_type(enum hf_signal signal)
{
    static const ProtobufCMessageDescriptor *const types[HF_SIGNAL_COUNT] = {
        &opentelemetry__proto__collector__trace__v1__export_trace_service_request__descriptor,
        &opentelemetry__proto__collector__metrics__v1__export_metrics_service_request__descriptor,
        &opentelemetry__proto__collector__logs__v1__export_logs_service_request__descriptor,
        &opentelemetry__proto__collector__profiles__v1development__export_profiles_service_request__descriptor};
    return types[signal];
}

/* ---- fields of an object, by their description ---- */

static inline void *oracle_at(ProtobufCMessage *object, unsigned offset)
{
    return (char *)object + offset;
}

static inline size_t *oracle_count(ProtobufCMessage *object, const ProtobufCFieldDescriptor *field)
{
    return oracle_at(object, field->quantifier_offset);
}

static inline bool oracle_is_oneof(const ProtobufCFieldDescriptor *field)
{
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

static inline bool oracle_has(ProtobufCMessage *object, const ProtobufCFieldDescriptor *field)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        return *oracle_count(object, field) > 0;
    }
    if (oracle_is_oneof(field)) {
        return *(uint32_t *)oracle_at(object, field->quantifier_offset) == field->id;
    }
    return field->type != PROTOBUF_C_TYPE_MESSAGE ||
           *(ProtobufCMessage **)oracle_at(object, field->offset) != NULL;
}

static inline void oracle_choose(ProtobufCMessage *object, const ProtobufCFieldDescriptor *field,
                                 uint32_t number)
{
    if (oracle_is_oneof(field)) {
        *(uint32_t *)oracle_at(object, field->quantifier_offset) = number;
    }
}

static inline size_t oracle_size(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM:
        return 4;
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return 8;
    }
}

static inline ProtobufCMessage **oracle_children(ProtobufCMessage *object,
                                                 const ProtobufCFieldDescriptor *field)
{
    return *(ProtobufCMessage ***)oracle_at(object, field->offset);
}

/* ---- comparing ---- */

static inline void oracle_forget_unknown(ProtobufCMessage *object)
{
    object->n_unknown_fields = 0;
    for (unsigned i = 0; i < object->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &object->descriptor->fields[i];
        if (field->type != PROTOBUF_C_TYPE_MESSAGE || !oracle_has(object, field)) {
            continue;
        }
        if (field->label != PROTOBUF_C_LABEL_REPEATED) {
            oracle_forget_unknown(*(ProtobufCMessage **)oracle_at(object, field->offset));
        }
        for (size_t k = 0;
             field->label == PROTOBUF_C_LABEL_REPEATED && k < *oracle_count(object, field); k++) {
            oracle_forget_unknown(oracle_children(object, field)[k]);
        }
    }
}

static inline bool oracle_same_packed(struct oracle *oracle, ProtobufCMessage *a,
                                      ProtobufCMessage *b)
{
    return hf_slice_equal(hf_objects_pack(a, oracle->arena), hf_objects_pack(b, oracle->arena));
}

/* Does a value as bytes say what the object says? */
static inline bool oracle_same_value(struct oracle *oracle, struct hf_slice value,
                                     ProtobufCMessage *object)
{
    ProtobufCMessage *ours = hf_objects_unpack(
        &opentelemetry__proto__common__v1__any_value__descriptor, oracle->arena, value);
    ORACLE_CHECK(ours != NULL);
    if (oracle->in_pieces) {
        oracle_forget_unknown(ours);
    }
    return oracle_same_packed(oracle, ours, object);
}

static inline bool oracle_same_text(struct hf_slice ours, const char *theirs)
{
    size_t size = theirs != NULL ? strlen(theirs) : 0;
    return ours.size >= size && (size == 0 || memcmp(ours.data, theirs, size) == 0) &&
           (ours.size == size || ours.data[size] == 0);
}

static inline void oracle_compare(struct oracle *oracle, struct hf_message *message,
                                  ProtobufCMessage *object);

static inline void oracle_compare_attributes(struct oracle *oracle, struct hf_message *message,
                                             ProtobufCMessage *object,
                                             const ProtobufCFieldDescriptor *field)
{
    struct hf_attributes *list = hf_message_attributes(message, field->id);
    ORACLE_CHECK(list != NULL && list->count == *oracle_count(object, field));
    for (size_t i = 0; i < list->count; i++) {
        Opentelemetry__Proto__Common__V1__KeyValue *pair =
            (void *)oracle_children(object, field)[i];
        ORACLE_CHECK(oracle_same_text(list->items[i].key, pair->key));
        if (pair->value != NULL) {
            ORACLE_CHECK(oracle_same_value(oracle, list->items[i].value, &pair->value->base));
        } else {
            ORACLE_CHECK(list->items[i].value.size == 0);
        }
    }
}

static inline uint64_t oracle_bits(const ProtobufCFieldDescriptor *field, const void *at)
{
    uint64_t wide = 0;
    uint32_t narrow = 0;
    memcpy(&wide, at, oracle_size(field));
    memcpy(&narrow, at, sizeof(narrow));
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_ENUM:
        return (uint64_t)(int64_t)(int32_t)narrow;
    case PROTOBUF_C_TYPE_BOOL:
        return narrow != 0;
    default:
        return wide;
    }
}

static inline void oracle_compare_repeated(struct oracle *oracle, struct hf_message *message,
                                           ProtobufCMessage *object,
                                           const ProtobufCFieldDescriptor *field)
{
    size_t count = *oracle_count(object, field);
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        struct hf_message *child = hf_message_first(message, field->id);
        ORACLE_CHECK(hf_message_count(message, field->id) == count);
        for (size_t i = 0; i < count; i++, child = hf_message_next(child)) {
            oracle_compare(oracle, child, oracle_children(object, field)[i]);
        }
        ORACLE_CHECK(child == NULL);
    } else if (field->type == PROTOBUF_C_TYPE_STRING) {
        struct hf_wire texts = hf_message_texts(message, field->id);
        struct hf_slice text;
        for (size_t i = 0; i < count; i++) {
            ORACLE_CHECK(hf_wire_each(&texts, field->id, &text));
            ORACLE_CHECK(oracle_same_text(text, (*(char ***)oracle_at(object, field->offset))[i]));
        }
        ORACLE_CHECK(!hf_wire_each(&texts, field->id, &text));
    } else {
        struct hf_wire_numbers numbers = hf_message_numbers(message, field->id);
        uint64_t bits;
        for (size_t i = 0; i < count; i++) {
            char *items = *(char **)oracle_at(object, field->offset);
            ORACLE_CHECK(hf_wire_next_number(&numbers, &bits));
            ORACLE_CHECK(bits == oracle_bits(field, items + i * oracle_size(field)));
        }
        ORACLE_CHECK(!hf_wire_next_number(&numbers, &bits));
    }
}

static inline void oracle_compare_single(struct oracle *oracle, struct hf_message *message,
                                         ProtobufCMessage *object,
                                         const ProtobufCFieldDescriptor *field)
{
    void *at = oracle_at(object, field->offset);
    bool has = oracle_has(object, field);
    if (oracle_is_oneof(field) || field->type == PROTOBUF_C_TYPE_MESSAGE) {
        ORACLE_CHECK(hf_message_has(message, field->id) == has);
    }
    if (!has) {
        return;
    }
    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        if (field->descriptor == &opentelemetry__proto__common__v1__any_value__descriptor) {
            ORACLE_CHECK(oracle_same_value(oracle, hf_message_any(message, field->id),
                                           *(ProtobufCMessage **)at));
        } else {
            oracle_compare(oracle, hf_message_one(message, field->id), *(ProtobufCMessage **)at);
        }
        break;
    case PROTOBUF_C_TYPE_STRING:
        ORACLE_CHECK(oracle_same_text(hf_message_bytes(message, field->id), *(char **)at));
        break;
    case PROTOBUF_C_TYPE_BYTES: {
        const ProtobufCBinaryData *bytes = at;
        ORACLE_CHECK(hf_slice_equal(hf_message_bytes(message, field->id),
                                    hf_slice_of(bytes->data, bytes->len)));
        break;
    }
    case PROTOBUF_C_TYPE_DOUBLE: {
        double number = hf_message_double(message, field->id);
        ORACLE_CHECK(memcmp(&number, at, sizeof(number)) == 0);
        break;
    }
    default:
        ORACLE_CHECK((uint64_t)hf_message_i64(message, field->id) == oracle_bits(field, at));
        break;
    }
}

/* Every field of the message and of all below it. */
static inline void oracle_compare(struct oracle *oracle, struct hf_message *message,
                                  ProtobufCMessage *object)
{
    const ProtobufCMessageDescriptor *type = object->descriptor;
    ORACLE_CHECK(message != NULL);
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        ORACLE_CHECK(strcmp(hf_message_type(message)->fields[field->id].name, field->name) == 0);
        if (field->label == PROTOBUF_C_LABEL_REPEATED &&
            field->descriptor == &opentelemetry__proto__common__v1__key_value__descriptor) {
            oracle_compare_attributes(oracle, message, object, field);
        } else if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            oracle_compare_repeated(oracle, message, object, field);
        } else {
            oracle_compare_single(oracle, message, object, field);
        }
    }
}

/* ---- changing both ---- */

static inline void *oracle_take(struct oracle *oracle, size_t size)
{
    void *piece = hf_arena_take(oracle->arena, size);
    ORACLE_CHECK(piece != NULL);
    memset(piece, 0, size);
    return piece;
}

static inline ProtobufCMessage *oracle_new(struct oracle *oracle,
                                           const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *made = oracle_take(oracle, type->sizeof_message);
    protobuf_c_message_init(type, made);
    return made;
}

static inline char *oracle_text(struct oracle *oracle)
{
    static const char letters[] = "abc=,\xc3\xa9";
    size_t size = oracle_draw(oracle, 4) == 0 ? oracle_draw(oracle, 300) : oracle_draw(oracle, 8);
    char *text = oracle_take(oracle, size + 2);
    for (size_t i = 0; i < size; i++) {
        text[i] = letters[oracle_draw(oracle, 5)];
    }
    return text;
}

/* Puts one more into a list of pointers or numbers. */
static inline void *oracle_grow(struct oracle *oracle, ProtobufCMessage *object,
                                const ProtobufCFieldDescriptor *field, size_t size)
{
    size_t count = (*oracle_count(object, field))++;
    char **items = oracle_at(object, field->offset);
    char *grown = oracle_take(oracle, (count + 1) * size);
    if (count > 0) {
        memcpy(grown, *items, count * size);
    }
    *items = grown;
    return grown + count * size;
}

static inline void oracle_drop(ProtobufCMessage *object, const ProtobufCFieldDescriptor *field,
                               size_t index)
{
    ProtobufCMessage **items = oracle_children(object, field);
    size_t count = --*oracle_count(object, field);
    memmove(&items[index], &items[index + 1], (count - index) * sizeof(*items));
}

static inline struct hf_message *oracle_child(struct hf_message *message, uint32_t number,
                                              size_t index)
{
    struct hf_message *child = hf_message_first(message, number);
    for (size_t i = 0; i < index; i++) {
        child = hf_message_next(child);
    }
    return child;
}

static inline void oracle_set_number(struct oracle *oracle, struct hf_message *message,
                                     ProtobufCMessage *object,
                                     const ProtobufCFieldDescriptor *field)
{
    uint64_t bits = oracle_draw(oracle, 3) == 0 ? oracle->random : oracle_draw(oracle, 3);
    char *at = oracle_at(object, field->offset);
    double number;
    oracle_choose(object, field, field->id);
    memset(at, 0, oracle_size(field));
    memcpy(&number, &bits, sizeof(number));
    switch (field->type) {
    case PROTOBUF_C_TYPE_DOUBLE:
        memcpy(at, &bits, sizeof(bits));
        hf_message_set_double(message, field->id, number);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)at = bits != 0;
        hf_message_set_i64(message, field->id, bits != 0);
        break;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_ENUM:
        *(int32_t *)at = (int32_t)bits;
        hf_message_set_i64(message, field->id, (int32_t)bits);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        *(uint32_t *)at = (uint32_t)bits;
        hf_message_set_u64(message, field->id, (uint32_t)bits);
        break;
    default:
        memcpy(at, &bits, sizeof(bits));
        hf_message_set_u64(message, field->id, bits);
        break;
    }
}

static inline void oracle_set_single(struct oracle *oracle, struct hf_message *message,
                                     ProtobufCMessage *object,
                                     const ProtobufCFieldDescriptor *field)
{
    void *at = oracle_at(object, field->offset);
    char *text = oracle_text(oracle);
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        oracle_choose(object, field, field->id);
        *(char **)at = text;
        hf_message_set_bytes(message, field->id, hf_slice_text(text));
    } else if (field->type == PROTOBUF_C_TYPE_BYTES) {
        size_t size = hf_message_type(message)->fields[field->id].id_size;
        size = oracle_draw(oracle, 2) == 0 ? 0 : size;
        oracle_choose(object, field, field->id);
        *(ProtobufCBinaryData *)at = (ProtobufCBinaryData){size, oracle_take(oracle, size + 1)};
        hf_message_set_bytes(message, field->id,
                             hf_slice_of(((ProtobufCBinaryData *)at)->data, size));
    } else if (field->descriptor == &opentelemetry__proto__common__v1__any_value__descriptor) {
        Opentelemetry__Proto__Common__V1__AnyValue *value =
            (void *)oracle_new(oracle, field->descriptor);
        value->value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE;
        value->string_value = text;
        *(void **)at = value;
        hf_message_set_any(message, field->id, hf_objects_pack(&value->base, oracle->arena));
    } else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        if (!oracle_has(object, field)) {
            oracle_choose(object, field, field->id);
            *(void **)at = oracle_new(oracle, field->descriptor);
        }
        ORACLE_CHECK(hf_message_need(message, field->id) != NULL);
    } else {
        oracle_set_number(oracle, message, object, field);
    }
}

static inline void oracle_clear(struct hf_message *message, ProtobufCMessage *object,
                                const ProtobufCFieldDescriptor *field)
{
    hf_message_clear(message, field->id);
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        *oracle_count(object, field) = 0;
    } else if (oracle_is_oneof(field)) {
        if (oracle_has(object, field)) {
            oracle_choose(object, field, 0);
        }
    } else {
        memset(oracle_at(object, field->offset), 0, oracle_size(field));
    }
}

static inline void oracle_change_attributes(struct oracle *oracle, struct hf_message *message,
                                            ProtobufCMessage *object,
                                            const ProtobufCFieldDescriptor *field)
{
    typedef Opentelemetry__Proto__Common__V1__KeyValue pair_type;
    struct hf_attributes *list = hf_message_attributes(message, field->id);
    size_t count = *oracle_count(object, field);
    bool is_old = count > 0 && oracle_draw(oracle, 3) != 0;
    pair_type *old =
        is_old ? (void *)oracle_children(object, field)[oracle_draw(oracle, count)] : NULL;
    char *key = is_old ? old->key : oracle_text(oracle);
    bool is_set = oracle_draw(oracle, 3) != 0;
    bool is_done = false;
    Opentelemetry__Proto__Common__V1__AnyValue *value =
        (void *)oracle_new(oracle, &opentelemetry__proto__common__v1__any_value__descriptor);
    value->value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_INT_VALUE;
    value->int_value = (int64_t)oracle->random;
    /* The first one of that key is changed, the others go. */
    for (size_t i = 0; i < *oracle_count(object, field);) {
        pair_type *pair = (void *)oracle_children(object, field)[i];
        if (strcmp(pair->key, key) != 0) {
            i++;
        } else if (is_set && !is_done) {
            pair->value = value;
            is_done = true;
            i++;
        } else {
            oracle_drop(object, field, i);
        }
    }
    if (is_set && !is_done) {
        pair_type *pair = (void *)oracle_new(oracle, field->descriptor);
        pair->key = key;
        pair->value = value;
        *(void **)oracle_grow(oracle, object, field, sizeof(void *)) = pair;
    }
    if (is_set) {
        hf_attributes_set(list, hf_slice_text(key), hf_attributes_int(list, value->int_value));
    } else {
        hf_attributes_remove(list, hf_slice_text(key));
    }
}

static inline void oracle_change_children(struct oracle *oracle, struct hf_message *message,
                                          ProtobufCMessage *object,
                                          const ProtobufCFieldDescriptor *field)
{
    size_t count = *oracle_count(object, field);
    size_t index = count > 0 ? oracle_draw(oracle, count) : 0;
    struct hf_message *child = count > 0 ? oracle_child(message, field->id, index) : NULL;
    ProtobufCMessage *own = count > 0 ? oracle_children(object, field)[index] : NULL;
    switch (count > 0 ? oracle_draw(oracle, 4) : 0) {
    case 0:
        *(void **)oracle_grow(oracle, object, field, sizeof(void *)) =
            oracle_new(oracle, field->descriptor);
        ORACLE_CHECK(hf_message_append(message, field->id) != NULL);
        break;
    case 1:
        oracle_drop(object, field, index);
        hf_message_remove(child);
        break;
    case 2: {
        struct hf_slice packed = hf_objects_pack(own, oracle->arena);
        *(void **)oracle_grow(oracle, object, field, sizeof(void *)) =
            hf_objects_unpack(field->descriptor, oracle->arena, packed);
        ORACLE_CHECK(hf_message_copy(child, message, field->id) != NULL);
        break;
    }
    default:
        oracle_drop(object, field, index);
        *(void **)oracle_grow(oracle, object, field, sizeof(void *)) = own;
        ORACLE_CHECK(hf_message_move(child, message, field->id) != NULL);
        break;
    }
}

static inline void oracle_change_repeated(struct oracle *oracle, struct hf_message *message,
                                          ProtobufCMessage *object,
                                          const ProtobufCFieldDescriptor *field)
{
    if (field->descriptor == &opentelemetry__proto__common__v1__key_value__descriptor) {
        oracle_change_attributes(oracle, message, object, field);
    } else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        oracle_change_children(oracle, message, object, field);
    } else if (field->type == PROTOBUF_C_TYPE_STRING) {
        char *text = oracle_text(oracle);
        *(void **)oracle_grow(oracle, object, field, sizeof(void *)) = text;
        hf_message_add_text(message, field->id, hf_slice_text(text));
    } else {
        uint64_t bits[3] = {oracle->random, 0, oracle_draw(oracle, 1000)};
        size_t count = oracle_draw(oracle, 4);
        *oracle_count(object, field) = 0;
        for (size_t i = 0; i < count; i++) {
            *(uint64_t *)oracle_grow(oracle, object, field, sizeof(uint64_t)) = bits[i];
        }
        hf_message_set_numbers(message, field->id, bits, count);
    }
}

/* One change of one field, somewhere at or below the message. */
static inline void oracle_change(struct oracle *oracle, struct hf_message *message,
                                 ProtobufCMessage *object)
{
    const ProtobufCMessageDescriptor *type = object->descriptor;
    const ProtobufCFieldDescriptor *field = &type->fields[oracle_draw(oracle, type->n_fields)];
    bool is_many = field->label == PROTOBUF_C_LABEL_REPEATED;
    bool is_child = field->type == PROTOBUF_C_TYPE_MESSAGE &&
                    field->descriptor != &opentelemetry__proto__common__v1__key_value__descriptor &&
                    field->descriptor != &opentelemetry__proto__common__v1__any_value__descriptor;
    if (is_child && oracle_has(object, field) && oracle_draw(oracle, 6) != 0) {
        size_t index = is_many ? oracle_draw(oracle, *oracle_count(object, field)) : 0;
        oracle_change(oracle, oracle_child(message, field->id, index),
                      is_many ? oracle_children(object, field)[index]
                              : *(ProtobufCMessage **)oracle_at(object, field->offset));
        return;
    }
    if (oracle_draw(oracle, 8) == 0) {
        oracle_clear(message, object, field);
    } else if (is_many) {
        oracle_change_repeated(oracle, message, object, field);
    } else {
        oracle_set_single(oracle, message, object, field);
    }
}

/* Do the document's bytes say what the object says? */
static inline void oracle_compare_written(struct oracle *oracle, struct hf_document *document,
                                          ProtobufCMessage *object)
{
    struct hf_bytes out = {0};
    ORACLE_CHECK(hf_document_write(document, &out) == HF_OK);
    struct hf_slice raw = hf_slice_of(out.data, out.size);
    if (oracle->in_pieces) {
        struct hf_document *again = hf_document_borrow(hf_document_signal(document), raw);
        ORACLE_CHECK(again != NULL);
        oracle_compare(oracle, hf_document_root(again), object);
        hf_document_return(again);
    } else {
        ProtobufCMessage *written = hf_objects_unpack(object->descriptor, oracle->arena, raw);
        ORACLE_CHECK(written != NULL && oracle_same_packed(oracle, written, object));
    }
    hf_bytes_release(&out);
}

/*
 * A request that has passed the scan, read and changed `changes` times. `whole` is the same request
 * without messages in pieces.
 */
static inline void oracle_run(enum hf_signal signal, struct hf_slice raw, struct hf_slice whole,
                              uint64_t seed, unsigned changes)
{
    struct hf_arena arena = {.limit = 512u << 20};
    struct oracle oracle = {.arena = &arena,
                            .random = seed * 2654435761u + 88172645463325252u,
                            .in_pieces = raw.data != whole.data};
    ProtobufCMessage *object = hf_objects_unpack(oracle_type(signal), &arena, whole);
    struct hf_document *document = hf_document_borrow(signal, raw);
    ORACLE_CHECK(document != NULL && object != NULL);
    if (oracle.in_pieces) {
        oracle_forget_unknown(object);
    }
    if (seed % 2 == 0) { /* or else everything is opened by the changes */
        oracle_compare(&oracle, hf_document_root(document), object);
        ORACLE_CHECK(!hf_document_is_changed(document));
    }
    for (unsigned i = 0; i < changes; i++) {
        oracle_change(&oracle, hf_document_root(document), object);
        if (i % 4 == 3) {
            oracle_compare_written(&oracle, document, object);
        }
    }
    oracle_compare_written(&oracle, document, object);
    oracle_compare(&oracle, hf_document_root(document), object);
    oracle_compare_written(&oracle, document, object);
    ORACLE_CHECK(hf_document_status(document) == HF_OK);
    hf_document_return(document);
    hf_arena_release(&arena);
}
