#include "opamp_message.h"

#include <string.h>

#include "util/digest.h"
#include "util/hex.h"

enum agent_field {
    INSTANCE_UID = 1,
    SEQUENCE_NUM = 2,
    AGENT_DESCRIPTION = 3,
    CAPABILITIES = 4,
    HEALTH = 5,
    EFFECTIVE_CONFIG = 6,
    AGENT_DISCONNECT = 9,
    AVAILABLE_COMPONENTS = 14
};

#define MAP_KEY 1u
#define MAP_VALUE 2u

/* ---- the head and the description ---- */

void opamp_put_head(struct hf_wire_writer *writer, const struct opamp_uid *uid, uint64_t sequence,
                    uint64_t capabilities)
{
    hf_wire_put_bytes(writer, INSTANCE_UID, hf_slice_of(uid->bytes, sizeof(uid->bytes)));
    hf_wire_put_varint(writer, SEQUENCE_NUM, sequence);
    hf_wire_put_varint(writer, CAPABILITIES, capabilities);
}

/* A KeyValue with an AnyValue that is a text. */
static void put_text(struct hf_wire_writer *writer, uint32_t number, const char *key,
                     const char *value)
{
    struct hf_wire_message pair = hf_wire_open(writer, number, 0);
    hf_wire_put_bytes(writer, 1, hf_slice_text(key));
    struct hf_wire_message any = hf_wire_open(writer, 2, 0);
    hf_wire_put_bytes(writer, 1, hf_slice_text(value));
    hf_wire_close(writer, any);
    hf_wire_close(writer, pair);
}

void opamp_put_description(struct hf_wire_writer *writer, const struct opamp_attribute *attributes,
                           size_t count)
{
    struct hf_wire_message description = hf_wire_open(writer, AGENT_DESCRIPTION, 0);
    for (size_t i = 0; i < count; i++) {
        put_text(writer, attributes[i].is_identifying ? 1 : 2, attributes[i].key,
                 attributes[i].value);
    }
    hf_wire_close(writer, description);
}

/* ---- health ---- */

static void write_look(struct hf_wire_writer *writer, const struct hf_state_look *look,
                       uint64_t start_unix_ns)
{
    if (look->state == HF_STATE_OK) {
        hf_wire_put_varint(writer, 1, 1);
    }
    if (start_unix_ns != 0) {
        hf_wire_put_fixed64(writer, 2, start_unix_ns);
    }
    if (look->error[0] != '\0') {
        hf_wire_put_bytes(writer, 3, hf_slice_text(look->error));
    }
    hf_wire_put_bytes(writer, 4, hf_slice_text(hf_state_name(look->state)));
    hf_wire_put_fixed64(writer, 5, look->since_unix_ns);
}

/* Opens an entry of component_health_map and its value. */
static void open_entry(struct hf_wire_writer *writer, uint32_t number, const char *key,
                       struct hf_wire_message *ret_entry, struct hf_wire_message *ret_value)
{
    *ret_entry = hf_wire_open(writer, number, 0);
    hf_wire_put_bytes(writer, MAP_KEY, hf_slice_text(key));
    *ret_value = hf_wire_open(writer, MAP_VALUE, 0);
}

static void close_entry(struct hf_wire_writer *writer, struct hf_wire_message entry,
                        struct hf_wire_message value)
{
    hf_wire_close(writer, value);
    hf_wire_close(writer, entry);
}

void opamp_write_health(struct hf_wire_writer *writer, const struct hf_health_tree *tree,
                        uint64_t start_unix_ns)
{
    struct hf_health_part part;
    struct hf_wire_message entries[2], values[2];
    write_look(writer, hf_health_find(tree, HF_EMPTY_SLICE), start_unix_ns);
    for (size_t i = 0; i < hf_health_group_count(tree); i++) {
        hf_health_group(tree, i, &part);
        open_entry(writer, 6, part.key, &entries[0], &values[0]);
        write_look(writer, part.look, 0);
        for (size_t j = 0; j < hf_health_part_count(tree, i); j++) {
            hf_health_part(tree, i, j, &part);
            open_entry(writer, 6, part.key, &entries[1], &values[1]);
            write_look(writer, part.look, 0);
            close_entry(writer, entries[1], values[1]);
        }
        close_entry(writer, entries[0], values[0]);
    }
}

void opamp_put_health(struct hf_wire_writer *writer, struct hf_slice health)
{
    hf_wire_put_bytes(writer, HEALTH, health);
}

/* ---- the configuration, the components, the end ---- */

void opamp_put_config(struct hf_wire_writer *writer, const char *yaml)
{
    struct hf_wire_message entry, file;
    struct hf_wire_message config = hf_wire_open(writer, EFFECTIVE_CONFIG, strlen(yaml) + 32);
    struct hf_wire_message map = hf_wire_open(writer, 1, strlen(yaml) + 32);
    open_entry(writer, 1, "", &entry, &file);
    hf_wire_put_bytes(writer, 1, hf_slice_text(yaml));
    hf_wire_put_bytes(writer, 2, hf_slice_text("text/yaml"));
    close_entry(writer, entry, file);
    hf_wire_close(writer, map);
    hf_wire_close(writer, config);
}

struct listing {
    struct hf_wire_writer *writer;
    enum hf_kind kind;
};

static void put_type(void *user, const struct hf_component *component)
{
    struct listing *listing = user;
    struct hf_wire_message entry, details;
    if (component->kind == listing->kind) {
        open_entry(listing->writer, 2, component->type, &entry, &details);
        close_entry(listing->writer, entry, details);
    }
}

static void put_all(struct hf_wire_writer *writer, const struct hf_node *node)
{
    static const char *const kinds[HF_KIND_COUNT] = {"receivers", "processors", "exporters",
                                                     "extensions", "connectors"};
    for (unsigned kind = 0; kind < HF_KIND_COUNT; kind++) {
        struct hf_wire_message entry, details;
        struct listing listing = {writer, (enum hf_kind)kind};
        open_entry(writer, 1, kinds[kind], &entry, &details);
        hf_node_view_types(node, put_type, &listing);
        close_entry(writer, entry, details);
    }
}

enum hf_status opamp_put_components(struct hf_wire_writer *writer, const struct hf_node *node,
                                    bool hash_only)
{
    struct hf_bytes all = {0};
    struct hf_wire_writer own = {.out = &all};
    char hex[HF_SHA256_HEX_SIZE];
    uint8_t hash[HF_SHA256_SIZE] = {0};
    put_all(&own, node);
    enum hf_status status = hf_wire_status(&own);
    if (status == HF_OK) {
        status = hf_digest_sha256(hf_slice_of(all.data, all.size), hex);
    }
    if (status == HF_OK && hf_hex_read(hf_slice_of(hex, sizeof(hex)), hash)) {
        struct hf_wire_message components = hf_wire_open(writer, AVAILABLE_COMPONENTS, all.size);
        hf_wire_put_raw(writer, hash_only ? HF_EMPTY_SLICE : hf_slice_of(all.data, all.size));
        hf_wire_put_bytes(writer, 2, hf_slice_of(hash, sizeof(hash)));
        hf_wire_close(writer, components);
    }
    hf_bytes_release(&all);
    return status;
}

void opamp_put_disconnect(struct hf_wire_writer *writer)
{
    hf_wire_put_bytes(writer, AGENT_DISCONNECT, HF_EMPTY_SLICE);
}

/* ---- ServerToAgent ---- */

enum server_field {
    ERROR_RESPONSE = 2,
    REMOTE_CONFIG = 3,
    FLAGS = 6,
    AGENT_IDENTIFICATION = 8,
    COMMAND = 9
};

#define REPORT_FULL_STATE 1u
#define REPORT_COMPONENTS 2u

/* The field of that number in a message; the last one counts. False: malformed. */
static bool find(struct hf_slice bytes, uint32_t number, struct hf_wire_field *ret_field)
{
    struct hf_wire wire = hf_wire_of(bytes);
    *ret_field = (struct hf_wire_field){.number = 0};
    while (!hf_wire_at_end(wire)) {
        struct hf_wire_field field;
        if (!hf_wire_next(&wire, &field)) {
            return false;
        }
        *ret_field = field.number == number ? field : *ret_field;
    }
    return true;
}

static bool take_error(struct hf_slice bytes, struct opamp_answer *answer)
{
    struct hf_wire_field words, retry, after;
    if (!find(bytes, 2, &words) || !find(bytes, 3, &retry)) {
        return false;
    }
    answer->has_error = true;
    answer->error = words.wire == HF_WIRE_BYTES ? words.bytes : HF_EMPTY_SLICE;
    if (retry.number == 0 || retry.wire != HF_WIRE_BYTES) {
        return true;
    }
    if (!find(retry.bytes, 1, &after)) {
        return false;
    }
    answer->retry_after_ns = after.wire == HF_WIRE_VARINT ? after.value : 0;
    return true;
}

static bool take_identification(struct hf_slice bytes, struct opamp_answer *answer)
{
    struct hf_wire_field uid;
    if (!find(bytes, 1, &uid)) {
        return false;
    }
    answer->has_new_uid =
        uid.number == 1 && uid.wire == HF_WIRE_BYTES && uid.bytes.size == OPAMP_UID_SIZE;
    if (answer->has_new_uid) {
        memcpy(answer->new_uid.bytes, uid.bytes.data, OPAMP_UID_SIZE);
    }
    return true;
}

/* Type 0, which is not written, is a restart; there is no other. */
static bool take_command(struct hf_slice bytes, struct opamp_answer *answer)
{
    struct hf_wire_field type;
    bool is_good = find(bytes, 1, &type);
    answer->is_restart = is_good && type.value == 0;
    return is_good;
}

static bool take_field(const struct hf_wire_field *field, struct opamp_answer *answer)
{
    if (field->number == FLAGS && field->wire == HF_WIRE_VARINT) {
        answer->wants_full_state = (field->value & REPORT_FULL_STATE) != 0;
        answer->wants_components = (field->value & REPORT_COMPONENTS) != 0;
    }
    if (field->wire != HF_WIRE_BYTES) {
        return true;
    }
    switch (field->number) {
    case ERROR_RESPONSE:
        return take_error(field->bytes, answer);
    case REMOTE_CONFIG:
        answer->has_remote_config = true;
        return true;
    case AGENT_IDENTIFICATION:
        return take_identification(field->bytes, answer);
    case COMMAND:
        return take_command(field->bytes, answer);
    default:
        return true;
    }
}

bool opamp_read_answer(struct hf_slice bytes, struct opamp_answer *ret_answer)
{
    struct hf_wire wire = hf_wire_of(bytes);
    *ret_answer = (struct opamp_answer){.has_error = false};
    while (!hf_wire_at_end(wire)) {
        struct hf_wire_field field;
        if (!hf_wire_next(&wire, &field) || !take_field(&field, ret_answer)) {
            return false;
        }
    }
    return true;
}
