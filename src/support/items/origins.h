/*
 * origins: the resources and scopes that gathered items came from, each kept once as it came, to be
 * written again around what was gathered. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "pdata/walk.h"
#include "pdata/wire.h"
#include "util/hash.h"

/* Embed as the first member. */
struct hf_origin_item {
    struct hf_origin_item *next;
};

/* A scope in its resource. */
struct hf_origin {
    struct hf_hash key;
    struct hf_origin *bucket, *next;
    struct hf_slice resource, resource_url, scope, scope_url; /* the origin's own */
    struct hf_origin_item *first, **end;
};

struct hf_origins {
    struct hf_origin **table;
    size_t size, count;
    struct hf_origin *first, **end; /* in the order in which they came */
    size_t bytes;                   /* of their texts */
};

/* HF_NOMEM. */
HF_MUST_USE enum hf_status hf_origins_init(struct hf_origins *origins);
/* Forgets all; `free_item` is called with each item. */
void hf_origins_clear(struct hf_origins *origins, void (*free_item)(struct hf_origin_item *item));
/* After a clear, or of what was never used. */
void hf_origins_release(struct hf_origins *origins);

/* The origin of that place, whose key is `key`. NULL: out of memory. */
struct hf_origin *hf_origins_need(struct hf_origins *origins, struct hf_hash key,
                                  const struct hf_place *place);
void hf_origin_add(struct hf_origin *origin, struct hf_origin_item *item);

/* A copy of bytes by malloc; data NULL: out of memory. */
struct hf_slice hf_origin_copy(struct hf_slice bytes);

struct hf_origin_open {
    struct hf_wire_message resource, scope;
};

/* Writes the resource and the scope; what is written until the close is in the scope.
 * `expected_size`: of that, in bytes; a guess. */
void hf_origin_open(struct hf_wire_writer *writer, const struct hf_origin *origin,
                    size_t expected_size, struct hf_origin_open *ret_open);
void hf_origin_close(struct hf_wire_writer *writer, const struct hf_origin_open *open);
