/*
 * between: what was seen at this scrape and at the one before, to tell what has grown in between.
 * What is not seen again is forgotten. The scraper's thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct hf_between_items {
    void *items;
    size_t count, capacity;
};

/* {.size = of an item, .most = items of a scrape} at first. An item begins with its key, a
 * uint64_t, which no other of a scrape has. */
struct hf_between {
    size_t size, most;
    struct hf_between_items now, before; /* before: by key */
};

/* The item of that key at the scrape before, valid until the turn; NULL: there was none. */
const void *hf_between_find(const struct hf_between *between, uint64_t key);
/* Copies it for the next scrape. Beyond `most`, or without memory, it is not kept. */
void hf_between_keep(struct hf_between *between, const void *item);
/* The scrape has ended: what was kept is the scrape before. */
void hf_between_turn(struct hf_between *between);
void hf_between_release(struct hf_between *between);
