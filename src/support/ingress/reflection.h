/*
 * reflection: gRPC's server reflection: the services of a receiver and the files that define
 * them, so that grpcurl and its like need none. Immutable once it is made; any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

struct hf_bytes;

#define HF_REFLECTION_V1 "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
#define HF_REFLECTION_V1ALPHA "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
#define HF_REFLECTION_SERVICES_MAX 8u

/* Whose services they are: the paths of one method of each. */
struct hf_reflection {
    const char *paths[HF_REFLECTION_SERVICES_MAX];
    size_t count;
};

/* Appends the answer to one ServerReflectionRequest. HF_INVALID: the message is none. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_reflect(const struct hf_reflection *reflection,
                                      struct hf_slice request, struct hf_bytes *answer);

/* proto/, compiled: a google.protobuf.FileDescriptorSet (made by the build). */
extern const uint8_t hf_descriptors[];
extern const size_t hf_descriptors_size;
