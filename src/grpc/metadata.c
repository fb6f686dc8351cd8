#include "metadata.h"

#include <stdlib.h>

#include "util/base64.h"

void hf_grpc_metadata_init(struct hf_grpc_metadata *metadata)
{
    metadata->count = 0;
    metadata->size = 0;
    metadata->capacity = sizeof(metadata->room);
    metadata->bytes = metadata->room;
}

void hf_grpc_metadata_release(struct hf_grpc_metadata *metadata)
{
    if (metadata->bytes != metadata->room) {
        free(metadata->bytes);
    }
    hf_grpc_metadata_init(metadata);
}

static enum hf_status grow(struct hf_grpc_metadata *metadata, size_t needed)
{
    size_t capacity = (size_t)4 * metadata->capacity;
    while (capacity < needed) {
        capacity *= 4;
    }
    uint8_t *inside = metadata->room;
    uint8_t *bytes = realloc(metadata->bytes != inside ? metadata->bytes : NULL, capacity);
    if (bytes == NULL) {
        return HF_NOMEM;
    }
    if (metadata->bytes == inside) {
        memcpy(bytes, inside, metadata->size);
    }
    metadata->bytes = bytes;
    metadata->capacity = (uint32_t)capacity;
    return HF_OK;
}

static bool is_binary(struct hf_slice name)
{
    return name.size > 4 && memcmp(name.data + name.size - 4, "-bin", 4) == 0;
}

enum hf_status hf_grpc_metadata_add(struct hf_grpc_metadata *metadata, struct hf_slice name,
                                    struct hf_slice value)
{
    bool binary = is_binary(name);
    size_t room = binary ? HF_BASE64_DECODED_SIZE(value.size) : value.size;
    if (metadata->count == HF_GRPC_METADATA_MAX || name.size > HF_GRPC_METADATA_BYTES_MAX ||
        room > HF_GRPC_METADATA_BYTES_MAX ||
        metadata->size + name.size + room > HF_GRPC_METADATA_BYTES_MAX) {
        return HF_TOO_LARGE;
    }
    size_t needed = metadata->size + name.size + room;
    if (needed > metadata->capacity && grow(metadata, needed) != HF_OK) {
        return HF_NOMEM;
    }
    uint8_t *bytes = metadata->bytes + metadata->size;
    memcpy(bytes, name.data, name.size);
    size_t value_size = value.size;
    if (binary) {
        if (!hf_base64_decode(value, HF_BASE64_ANY, bytes + name.size, &value_size)) {
            return HF_INVALID;
        }
    } else if (value.size != 0) {
        memcpy(bytes + name.size, value.data, value.size);
    }
    metadata->entries[metadata->count].at = (uint16_t)metadata->size;
    metadata->entries[metadata->count].name_size = (uint16_t)name.size;
    metadata->entries[metadata->count].value_size = (uint16_t)value_size;
    metadata->count++;
    metadata->size += (uint32_t)(name.size + value_size);
    return HF_OK;
}

bool hf_grpc_metadata_next(const struct hf_grpc_metadata *metadata, size_t *cursor,
                           struct hf_slice *ret_name, struct hf_slice *ret_value)
{
    if (*cursor >= metadata->count) {
        return false;
    }
    size_t i = (*cursor)++;
    const uint8_t *bytes = metadata->bytes + metadata->entries[i].at;
    *ret_name = hf_slice_of(bytes, metadata->entries[i].name_size);
    *ret_value =
        hf_slice_of(bytes + metadata->entries[i].name_size, metadata->entries[i].value_size);
    return true;
}

struct hf_slice hf_grpc_metadata_find(const struct hf_grpc_metadata *metadata, const char *name)
{
    size_t cursor = 0;
    struct hf_slice found_name, value, wanted = hf_slice_text(name);
    while (hf_grpc_metadata_next(metadata, &cursor, &found_name, &value)) {
        if (hf_slice_equal(found_name, wanted)) {
            return value;
        }
    }
    return HF_EMPTY_SLICE;
}
