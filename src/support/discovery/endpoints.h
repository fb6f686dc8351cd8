/*
 * endpoints: what observers share: endpoints are drafted, and kept in a table that receivers look
 * at (holdfast/observer.h).
 *
 * The table keeps the endpoints by their owner: the object, container or host that gives them and
 * is read as a whole. It is a meeting place; a draft belongs to one thread.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/node.h>
#include <holdfast/observer.h>
#include <holdfast/slice.h>

#include "util/arena.h"

/* ---- one endpoint ---- */

struct hf_endpoint_draft {
    struct hf_arena arena;
    const char *id, *target, *type; /* `type` is a literal */
    struct hf_value variables;
    bool failed;
};

/* A map for `variables`, or within another one, of at most `capacity` entries. Of a draft that has
 * failed all functions do nothing. */
void hf_draft_begin(struct hf_endpoint_draft *draft, const char *type, size_t capacity);
struct hf_value *hf_draft_map(struct hf_endpoint_draft *draft, struct hf_value *map,
                              const char *key, size_t capacity);
/* Keys are copied, as are texts. */
void hf_draft_text(struct hf_endpoint_draft *draft, struct hf_value *map, const char *key,
                   struct hf_slice text);
void hf_draft_number(struct hf_endpoint_draft *draft, struct hf_value *map, const char *key,
                     int64_t number);
void hf_draft_flag(struct hf_endpoint_draft *draft, struct hf_value *map, const char *key,
                   bool flag);
/* In the draft's memory; "" when there is none. */
const char *hf_draft_print(struct hf_endpoint_draft *draft, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The endpoint, with one reference. NULL: out of memory. The draft is empty then. */
struct hf_endpoint *hf_draft_end(struct hf_endpoint_draft *draft);

/* ---- the table ---- */

#define HF_ENDPOINTS_MAX 10000u
#define HF_ENDPOINTS_BYTES_MAX ((size_t)64 << 20)

struct hf_endpoints_owner;

struct hf_endpoints {
    const struct hf_node *node;
    pthread_mutex_t lock;               /* guards what follows */
    struct hf_endpoints_owner **owners; /* by name */
    size_t owner_count, owner_capacity;
    size_t count, bytes;
    bool is_full; /* some are left out */
    _Atomic uint64_t version;
};

/* `node` is borrowed until the release, which drops the endpoints. */
void hf_endpoints_init(struct hf_endpoints *table, const struct hf_node *node);
void hf_endpoints_release(struct hf_endpoints *table);

/*
 * What `owner` gives from now on, instead of what it gave before: `items` (their references are
 * taken over; a NULL is one that there was no memory for). None: the owner is gone. Beyond the
 * limits endpoints are left out, which is logged.
 */
void hf_endpoints_set(struct hf_endpoints *table, struct hf_slice owner, struct hf_endpoint **items,
                      size_t count);
/* Removes every owner but those that `stays` is true for. */
void hf_endpoints_keep(struct hf_endpoints *table, bool (*stays)(void *user, struct hf_slice owner),
                       void *user);

/* As struct hf_observer has them. */
uint64_t hf_endpoints_version(const struct hf_endpoints *table);
void hf_endpoints_each(struct hf_endpoints *table,
                       void (*visit)(void *user, struct hf_endpoint *endpoint), void *user);
