/*
 * creator: one receiver_creator: the endpoints that its observers have shown, and the receivers
 * that run for them.
 *
 * Its thread looks at the observers from time to time, and compares what they show with what it
 * knows: no change is missed, however fast they come.
 */
#pragma once

#include <semaphore.h>
#include <stddef.h>

#include <holdfast/node.h>
#include <holdfast/observer.h>

#include "instance.h"
#include "util/loop.h"

#define CREATOR_INSTANCES_MAX 1000u

/* An endpoint that was shown. */
struct creator_known {
    struct hf_endpoint *endpoint; /* a reference */
    struct creator_instance *instances;
    uint64_t gone_ns; /* monotonic: when it was shown no longer; 0: it is there */
};

struct creator_observer {
    const struct hf_observer *ops;
    void *self;
    uint64_t version; /* of the last look; 0: none */
};

struct creator {
    struct hf_node *node;
    const struct creator_config *config;
    struct hf_expr **rules; /* of each template */
    struct creator_observer *observers;
    size_t observer_count;
    struct hf_loop *loop;
    sem_t stopped;
    /* The creator's thread. */
    struct hf_timer timer;
    struct hf_task end;
    struct hf_arena arena;
    struct creator_known *known; /* by the endpoints' ids */
    size_t known_count;
    struct creator_instance *dying; /* stopped, and still used by some thread */
    size_t running;                 /* receivers */
    bool is_full;                   /* said: there is no room for more */
    uint64_t *absent;               /* hashes of places, sorted: see forget.c */
    size_t absent_count;
    uint64_t forget_ns; /* monotonic: the next look for them */
};

/* Compares what the observers show with what is known, and starts and stops receivers. Those of
 * which nothing changed stay as they are. `now_ns`: monotonic. */
void creator_look(struct creator *creator, uint64_t now_ns);
/* Looks for places that nothing will read on from, and forgets them. */
void creator_forget(struct creator *creator);
/* Stops all. */
void creator_end_all(struct creator *creator);
/* Frees those that are stopped and that no thread uses any more. */
void creator_sweep(struct creator *creator);
