/*
 * stacks: how often each stack of each thread was seen: a table with a bound. Owned by one thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/status.h>

#define STACK_DEPTH_MAX 64u
#define STACKS_MAX 65536u

struct hf_stack {
    uint64_t hash, count; /* count 0: the place is free */
    int32_t thread_id;
    uint32_t depth;
    uint64_t *addresses; /* the innermost first */
};

struct hf_stacks {
    struct hf_stack *places; /* `room` of them: a power of two, or 0 */
    size_t room, count;
    uint64_t lost; /* samples that found no room, or no memory */
};

void hf_stacks_release(struct hf_stacks *stacks);
/* Counts `times` more of a stack of at most STACK_DEPTH_MAX addresses. */
void hf_stacks_add(struct hf_stacks *stacks, int32_t thread_id, const uint64_t *addresses,
                   uint32_t depth, uint64_t times);
