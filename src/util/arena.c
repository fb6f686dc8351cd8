#include "arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>

#define BLOCK_LEAST 4096u
#define BLOCK_GROWN_MOST (256u << 10) /* blocks grow with the arena up to this */

struct hf_arena_block {
    struct hf_arena_block *next;
    size_t used, capacity;
    alignas(max_align_t) uint8_t room[];
};

static size_t aligned(size_t size)
{
    const size_t align = alignof(max_align_t);
    return (size + align - 1) / align * align;
}

/* As much as there is already, so that many small pieces need few blocks; less near the limit. */
static size_t next_capacity(const struct hf_arena *arena, size_t size)
{
    size_t left = arena->limit - arena->size;
    size_t grown = arena->size < BLOCK_GROWN_MOST ? arena->size : BLOCK_GROWN_MOST;
    size_t capacity = size > BLOCK_LEAST ? size : BLOCK_LEAST;
    return grown > capacity && grown <= left ? grown : capacity;
}

static struct hf_arena_block *add_block(struct hf_arena *arena, size_t size)
{
    struct hf_arena_block *spare = arena->spares;
    if (spare != NULL && size <= spare->capacity) {
        arena->spares = spare->next;
        spare->next = arena->blocks;
        spare->used = 0;
        arena->blocks = spare;
        return spare;
    }
    if (arena->size > arena->limit) {
        return NULL;
    }
    size_t capacity = next_capacity(arena, size);
    if (capacity > arena->limit - arena->size) {
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
    struct hf_arena_block *block = arena->blocks;
    if (size > PTRDIFF_MAX - alignof(max_align_t)) {
        return NULL;
    }
    size = aligned(size);
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

void hf_arena_trim(struct hf_arena *arena, const void *piece, size_t size)
{
    struct hf_arena_block *block = arena->blocks;
    const uint8_t *start = piece;
    assert(block != NULL && start >= block->room && start + size <= block->room + block->used);
    block->used = (size_t)(start - block->room) + aligned(size);
}

static void free_blocks(struct hf_arena *arena, struct hf_arena_block *blocks)
{
    while (blocks != NULL) {
        struct hf_arena_block *next = blocks->next;
        arena->size -= blocks->capacity;
        free(blocks);
        blocks = next;
    }
}

void hf_arena_rewind(struct hf_arena *arena, size_t most)
{
    if (arena->size > most) {
        hf_arena_release(arena);
        return;
    }
    /* The oldest becomes the first spare again. */
    while (arena->blocks != NULL) {
        struct hf_arena_block *block = arena->blocks;
        arena->blocks = block->next;
        block->next = arena->spares;
        arena->spares = block;
    }
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
    free_blocks(arena, arena->blocks);
    free_blocks(arena, arena->spares);
    arena->blocks = NULL;
    arena->spares = NULL;
    arena->size = 0;
}
