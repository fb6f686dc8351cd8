#include "stacks.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 1024u

void hf_stacks_release(struct hf_stacks *stacks)
{
    for (size_t i = 0; i < stacks->room; i++) {
        free(stacks->places[i].addresses);
    }
    free(stacks->places);
    *stacks = (struct hf_stacks){0};
}

static uint64_t hash_of(int32_t thread_id, const uint64_t *addresses, uint32_t depth)
{
    uint64_t hash = (uint32_t)thread_id * UINT64_C(0x9e3779b97f4a7c15);
    for (uint32_t i = 0; i < depth; i++) {
        hash = (hash ^ addresses[i]) * UINT64_C(0x100000001b3);
        hash ^= hash >> 29;
    }
    return hash;
}

static bool grow(struct hf_stacks *stacks)
{
    size_t room = stacks->room == 0 ? FIRST_ROOM : 2 * stacks->room;
    struct hf_stack *places = stacks->count < STACKS_MAX ? calloc(room, sizeof(*places)) : NULL;
    if (places == NULL) {
        return false;
    }
    for (size_t i = 0; i < stacks->room; i++) {
        size_t at = stacks->places[i].hash & (room - 1);
        while (stacks->places[i].count != 0 && places[at].count != 0) {
            at = (at + 1) & (room - 1);
        }
        if (stacks->places[i].count != 0) {
            places[at] = stacks->places[i];
        }
    }
    free(stacks->places);
    stacks->places = places;
    stacks->room = room;
    return true;
}

static bool is_same(const struct hf_stack *stack, int32_t thread_id, const uint64_t *addresses,
                    uint32_t depth)
{
    return stack->thread_id == thread_id && stack->depth == depth &&
           memcmp(stack->addresses, addresses, depth * sizeof(*addresses)) == 0;
}

void hf_stacks_add(struct hf_stacks *stacks, int32_t thread_id, const uint64_t *addresses,
                   uint32_t depth, uint64_t times)
{
    uint64_t hash = hash_of(thread_id, addresses, depth);
    bool may_add = 2 * stacks->count < stacks->room || grow(stacks);
    if (stacks->room == 0) {
        stacks->lost += times;
        return;
    }
    size_t at = hash & (stacks->room - 1);
    while (stacks->places[at].count != 0 &&
           !(stacks->places[at].hash == hash &&
             is_same(&stacks->places[at], thread_id, addresses, depth))) {
        at = (at + 1) & (stacks->room - 1);
    }
    struct hf_stack *stack = &stacks->places[at];
    if (stack->count == 0) {
        stack->addresses = may_add ? malloc((depth + 1) * sizeof(*addresses)) : NULL;
        if (stack->addresses == NULL) {
            stacks->lost += times;
            return;
        }
        memcpy(stack->addresses, addresses, depth * sizeof(*addresses));
        stack->hash = hash;
        stack->thread_id = thread_id;
        stack->depth = depth;
        stacks->count++;
    }
    stack->count += times;
}
