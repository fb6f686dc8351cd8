/*
 * trace_state: the members of a span's trace state, "key=value,key=value" by the W3C. Any thread;
 * no state.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/slice.h>

#include "util/arena.h"

/* The value of a member; false: there is none, or the text is no trace state. */
bool hf_trace_state_find(struct hf_slice state, struct hf_slice key, struct hf_slice *ret_value);

/*
 * A state with that member, in front as the W3C has it, in memory of the arena. False: `state` is
 * none, key or value are empty (`ret_state` is untouched then), or out of memory.
 */
bool hf_trace_state_put(struct hf_arena *arena, struct hf_slice state, struct hf_slice key,
                        struct hf_slice value, struct hf_slice *ret_state);
