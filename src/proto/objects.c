#include "objects.h"

static void *take(void *arena, size_t size)
{
    return hf_arena_take(arena, size);
}

static void keep(void *arena, void *piece)
{
    (void)arena;
    (void)piece;
}

ProtobufCAllocator hf_objects_allocator(struct hf_arena *arena)
{
    return (ProtobufCAllocator){.alloc = take, .free = keep, .allocator_data = arena};
}

ProtobufCMessage *hf_objects_unpack(const ProtobufCMessageDescriptor *type, struct hf_arena *arena,
                                    struct hf_slice raw)
{
    static const uint8_t nothing[1];
    ProtobufCAllocator allocator = hf_objects_allocator(arena);
    return protobuf_c_message_unpack(type, &allocator, raw.size,
                                     raw.data != NULL ? raw.data : nothing);
}

struct hf_slice hf_objects_pack(const ProtobufCMessage *message, struct hf_arena *arena)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *room = hf_arena_take(arena, size);
    return room != NULL ? hf_slice_of(room, protobuf_c_message_pack(message, room))
                        : HF_EMPTY_SLICE;
}
