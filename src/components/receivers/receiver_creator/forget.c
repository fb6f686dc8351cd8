/*
 * forget: the places of receivers whose endpoints are gone for good. A container that ends may come
 * back under its id, and its receiver goes on where it stood; so a place is forgotten once no
 * receiver of it ran at two looks in a row.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "creator.h"

#define ABSENT_MAX 65536u

/* A look at all places. */
struct search {
    struct creator *creator;
    uint64_t *absent; /* hashes of the places without a receiver */
    size_t count, capacity;
};

static int by_number(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

static bool is_running(const struct creator *creator, const char *place)
{
    for (size_t i = 0; i < creator->known_count; i++) {
        const struct creator_instance *one = creator->known[i].instances;
        for (; one != NULL; one = one->next) {
            if (strcmp(one->place, place) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void note_absent(struct search *search, uint64_t hash)
{
    if (search->count == search->capacity && search->count < ABSENT_MAX) {
        size_t capacity = 2 * search->capacity + 64;
        uint64_t *absent = reallocarray(search->absent, capacity, sizeof(*absent));
        if (absent == NULL) {
            return; /* it is noted at a later look */
        }
        search->absent = absent;
        search->capacity = capacity;
    }
    if (search->count < search->capacity) {
        search->absent[search->count++] = hash;
    }
}

static void look_at(void *user, const char *place)
{
    struct search *search = user;
    struct creator *creator = search->creator;
    uint64_t hash = hf_hash_64(hf_slice_text(place));
    if (is_running(creator, place)) {
        return;
    }
    bool was_absent =
        creator->absent_count != 0 &&
        bsearch(&hash, creator->absent, creator->absent_count, sizeof(hash), by_number) != NULL;
    if (was_absent) {
        hf_subreceiver_forget(creator->node, place);
    } else {
        note_absent(search, hash);
    }
}

void creator_forget(struct creator *creator)
{
    char prefix[HF_SUBRECEIVER_PLACE_MAX + 1];
    struct search search = {.creator = creator};
    creator_place_prefix(creator->node, prefix);
    hf_subreceiver_each_place(creator->node, prefix, look_at, &search);
    if (search.count != 0) {
        qsort(search.absent, search.count, sizeof(*search.absent), by_number);
    }
    free(creator->absent);
    creator->absent = search.absent;
    creator->absent_count = search.count;
}
