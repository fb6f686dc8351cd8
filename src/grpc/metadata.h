/*
 * metadata: the request headers of one call that its user may read, copied into one small arena.
 *
 * Bounded: HF_GRPC_METADATA_BYTES_MAX bytes and HF_GRPC_METADATA_MAX headers. Most calls fit in the
 * room inside the struct and allocate nothing. Owned by its call.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#define HF_GRPC_METADATA_BYTES_MAX (16 * 1024)
#define HF_GRPC_METADATA_MAX 64

struct hf_grpc_metadata {
    struct {
        uint16_t at, name_size, value_size; /* the value follows the name */
    } entries[HF_GRPC_METADATA_MAX];
    uint32_t count, size, capacity;
    uint8_t *bytes; /* `room`, or allocated */
    uint8_t room[1024];
};

void hf_grpc_metadata_init(struct hf_grpc_metadata *metadata);
void hf_grpc_metadata_release(struct hf_grpc_metadata *metadata);
/* The memory that it has besides the struct. */
static inline size_t hf_grpc_metadata_allocated(const struct hf_grpc_metadata *metadata)
{
    return metadata->bytes != metadata->room ? metadata->capacity : 0;
}

/*
 * Copies both; the value of a name that ends in `-bin` is decoded. HF_TOO_LARGE past a bound,
 * HF_INVALID for a value that is no base64, HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_grpc_metadata_add(struct hf_grpc_metadata *metadata,
                                                struct hf_slice name, struct hf_slice value);

/* The first of that name, or an empty slice. */
struct hf_slice hf_grpc_metadata_find(const struct hf_grpc_metadata *metadata, const char *name);
/* In the order they came; `*cursor` starts at 0. False at the end. */
HF_MUST_USE bool hf_grpc_metadata_next(const struct hf_grpc_metadata *metadata, size_t *cursor,
                                       struct hf_slice *ret_name, struct hf_slice *ret_value);
