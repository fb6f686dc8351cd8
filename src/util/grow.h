/*
 * grow: room in an array that grows. Any thread; no state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/status.h>

/* Makes room for `needed` items of `size` bytes in the array at `*items`, twice the room it has at
 * least, so that many small steps copy little. `items` is the address of the array's pointer.
 * False: no memory, and nothing has changed. */
HF_MUST_USE bool hf_grow(void *items, size_t *capacity, size_t needed, size_t size);
