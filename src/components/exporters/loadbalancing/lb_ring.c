#include "lb_ring.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/checksum.h"
#include "util/compress/compress.h"

#define POSITIONS 131071u
#define POINTS 200u
#define PROBES 10u
#define SECTOR_POSITIONS 128u /* as many sectors of these hold all positions */

struct candidate {
    uint32_t position, hash, endpoint;
    const char *name;
};

static int compare_candidates(const void *left, const void *right)
{
    const struct candidate *a = left;
    const struct candidate *b = right;
    if (a->position != b->position) {
        return a->position < b->position ? -1 : 1;
    }
    if (a->hash != b->hash) {
        return a->hash < b->hash ? -1 : 1;
    }
    return strcmp(a->name, b->name);
}

static int compare_items(const void *left, const void *right)
{
    const struct lb_ring_item *a = left;
    const struct lb_ring_item *b = right;
    return a->position < b->position ? -1 : a->position > b->position;
}

/* The points of one endpoint: its name and a number of four bytes, the lowest first. */
static enum hf_status add_points(struct candidate *points, const char *name, uint32_t endpoint)
{
    struct hf_bytes text = {0};
    size_t size = strlen(name);
    enum hf_status status = hf_bytes_reserve(&text, size + 4);
    if (status != HF_OK) {
        return status;
    }
    memcpy(text.data, name, size);
    for (uint32_t i = 0; i < POINTS; i++) {
        const uint8_t number[] = {(uint8_t)i, (uint8_t)(i >> 8), (uint8_t)(i >> 16),
                                  (uint8_t)(i >> 24)};
        memcpy(text.data + size, number, sizeof(number));
        uint32_t hash = hf_crc32(text.data, size + 4);
        points[i] = (struct candidate){hash % POSITIONS, hash, endpoint, name};
    }
    hf_bytes_release(&text);
    return HF_OK;
}

/* In order of the candidates: each takes the first free position of the next few, or none. */
static void place(struct lb_ring *ring, const struct candidate *candidates, size_t count,
                  bool *is_taken)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t position = candidates[i].position;
        unsigned probes = 0;
        while (is_taken[position] && probes < PROBES) {
            position = (position + 1) % POSITIONS;
            probes++;
        }
        if (probes < PROBES) {
            is_taken[position] = true;
            ring->items[ring->count++] = (struct lb_ring_item){position, candidates[i].endpoint};
        }
    }
}

static void divide(struct lb_ring *ring)
{
    uint32_t item = 0;
    for (uint32_t sector = 0; sector <= LB_RING_SECTORS; sector++) {
        while (item < ring->count && ring->items[item].position < sector * SECTOR_POSITIONS) {
            item++;
        }
        ring->sectors[sector] = item;
    }
}

enum hf_status lb_ring_init(struct lb_ring *ring, const char *const *endpoints, size_t count)
{
    *ring = (struct lb_ring){0};
    if (count == 0) {
        return HF_OK;
    }
    struct candidate *candidates = calloc(count * POINTS, sizeof(*candidates));
    bool *is_taken = calloc(POSITIONS, sizeof(*is_taken));
    ring->items = calloc(count * POINTS, sizeof(*ring->items));
    enum hf_status status =
        candidates != NULL && is_taken != NULL && ring->items != NULL ? HF_OK : HF_NOMEM;
    for (size_t i = 0; i < count && status == HF_OK; i++) {
        status = add_points(candidates + i * POINTS, endpoints[i], (uint32_t)i);
    }
    if (status == HF_OK) {
        qsort(candidates, count * POINTS, sizeof(*candidates), compare_candidates);
        place(ring, candidates, count * POINTS, is_taken);
        qsort(ring->items, ring->count, sizeof(*ring->items), compare_items);
        divide(ring);
    } else {
        lb_ring_release(ring);
    }
    free(candidates);
    free(is_taken);
    return status;
}

void lb_ring_release(struct lb_ring *ring)
{
    free(ring->items);
    *ring = (struct lb_ring){0};
}

uint32_t lb_ring_find(const struct lb_ring *ring, struct hf_slice identifier)
{
    assert(ring->count != 0);
    uint32_t position = hf_crc32(identifier.data, identifier.size) % POSITIONS;
    size_t low = ring->sectors[position / SECTOR_POSITIONS];
    size_t high = ring->sectors[position / SECTOR_POSITIONS + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ring->items[middle].position < position) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return ring->items[low < ring->count ? low : 0].endpoint;
}
