/*
 * arena: memory for pieces that die together. Pieces do not move and are never freed alone; reset
 * keeps one block for the next round, rewind all of them. Owned by one thread: {.limit = bytes} at
 * first, hf_arena_release() at last.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct hf_arena_block;

struct hf_arena {
    struct hf_arena_block *blocks; /* the newest first */
    struct hf_arena_block *spares; /* kept by a rewind, to be used next */
    size_t size;                   /* of all blocks, spare ones too */
    size_t limit;                  /* `size` never passes it; 0: no piece at all */
};

/* `size` bytes, aligned for anything, not zeroed. NULL: out of memory or beyond the limit. */
void *hf_arena_take(struct hf_arena *arena, size_t size);

/* Frees the bytes behind the first `size` of the latest allocation. */
void hf_arena_trim(struct hf_arena *arena, const void *piece, size_t size);

/* Frees every piece. The blocks are kept for the next round, unless they are more than `most` bytes
 * together: none is then. */
void hf_arena_rewind(struct hf_arena *arena, size_t most);

/* Frees every piece; one block is kept. Release frees all, and it may be used again. */
void hf_arena_reset(struct hf_arena *arena);
void hf_arena_release(struct hf_arena *arena);
