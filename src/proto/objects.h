/*
 * objects: protobuf messages as C objects (protobuf-c, from proto/) in the memory of an arena: for
 * protocols other than OTLP, and wherever whole objects are simpler than messages over their bytes.
 *
 * An object is never freed alone: it lives until the arena is reset. Owned by the arena's thread.
 */
#pragma once

#include <protobuf-c/protobuf-c.h>

#include <holdfast/slice.h>

#include "util/arena.h"

/* The allocator for generated unpack functions. Borrows the arena. */
ProtobufCAllocator hf_objects_allocator(struct hf_arena *arena);

/* A message of that type; NULL: the bytes are malformed, or there is no memory. */
ProtobufCMessage *hf_objects_unpack(const ProtobufCMessageDescriptor *type, struct hf_arena *arena,
                                    struct hf_slice raw);

/* Its bytes, in memory of the arena; without data when there is none. */
struct hf_slice hf_objects_pack(const ProtobufCMessage *message, struct hf_arena *arena);
