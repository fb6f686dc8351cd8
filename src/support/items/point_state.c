#include "point_state.h"

#include "util/compress/compress.h"

enum hf_status hf_point_state_get(const struct hf_state *state, struct hf_hash key,
                                  enum hf_point_kind kind, struct hf_arena *arena,
                                  struct hf_point *ret_point)
{
    struct hf_slice stored;
    return hf_state_find(state, key, &stored) ? hf_point_read(stored, kind, arena, ret_point)
                                              : HF_NOT_FOUND;
}

static enum hf_status put(struct hf_state *state, struct hf_hash key, const struct hf_point *point,
                          uint64_t touched_ns, bool evicts)
{
    struct hf_bytes bytes = {0};
    struct hf_wire_writer writer = {.out = &bytes};
    hf_point_write(point, &writer);
    enum hf_status status = hf_wire_status(&writer);
    if (status == HF_OK) {
        struct hf_slice value = hf_slice_of(bytes.data, bytes.size);
        do {
            status = hf_state_put(state, key, value, touched_ns);
        } while (status == HF_FULL && evicts && hf_state_evict(state));
    }
    hf_bytes_release(&bytes);
    return status;
}

enum hf_status hf_point_state_put(struct hf_state *state, struct hf_hash key,
                                  const struct hf_point *point, uint64_t touched_ns)
{
    return put(state, key, point, touched_ns, false);
}

enum hf_status hf_point_state_push(struct hf_state *state, struct hf_hash key,
                                   const struct hf_point *point, uint64_t touched_ns)
{
    return put(state, key, point, touched_ns, true);
}
