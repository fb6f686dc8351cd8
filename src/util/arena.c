#include "arena.h"

#include <stdalign.h>
#include <stdlib.h>

#define BLOCK_LEAST 4096u

struct hf_arena_block {
    struct hf_arena_block *next;
    size_t used, capacity;
    alignas(max_align_t) uint8_t room[];
};

static struct hf_arena_block *add_block(struct hf_arena *arena, size_t size)
{
    size_t capacity = size > BLOCK_LEAST ? size : BLOCK_LEAST;
    if (arena->size > arena->limit || capacity > arena->limit - arena->size) {
        return NULL;
    }
    struct hf_arena_block *block = malloc(sizeof(*block) + capacity);
    if (block == NULL) {
        return NULL;
    }
    block->next = arena->blocks;
    block->used = 0;
    block->capacity = capacity;
    arena->blocks = block;
    arena->size += capacity;
    return block;
}

void *hf_arena_take(struct hf_arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    struct hf_arena_block *block = arena->blocks;
    if (size > PTRDIFF_MAX - align) {
        return NULL;
    }
    size = (size + align - 1) / align * align;
    if (block == NULL || size > block->capacity - block->used) {
        block = add_block(arena, size);
        if (block == NULL) {
            return NULL;
        }
    }
    void *piece = block->room + block->used;
    block->used += size;
    return piece;
}

void hf_arena_reset(struct hf_arena *arena)
{
    while (arena->blocks != NULL && arena->blocks->next != NULL) {
        struct hf_arena_block *block = arena->blocks;
        arena->blocks = block->next;
        arena->size -= block->capacity;
        free(block);
    }
    if (arena->blocks != NULL) {
        arena->blocks->used = 0;
    }
}

void hf_arena_release(struct hf_arena *arena)
{
    hf_arena_reset(arena);
    free(arena->blocks);
    arena->blocks = NULL;
    arena->size = 0;
}
