/*
 * leader: how an extension tells receivers whether this process leads its cluster.
 *
 * A receiver joins in start and leaves in stop. In between it is told when this process becomes the
 * leader and when it is no longer; at first it is not.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Embed it; all but the function is zeroed. */
struct hf_leader_listener {
    /*
     * On the elector's thread; may wait for other threads, but not for the main one. `since_ns`, of
     * a new leader: Unix time until which another leader has surely worked; 0: there was none.
     */
    void (*changed)(struct hf_leader_listener *listener, bool is_leader, uint64_t since_ns);
    struct hf_leader_listener *next; /* the elector's */
};

struct hf_leader {
    /* Any thread but the elector's. `changed` is called before it returns when this process leads
     * already. */
    void (*join)(void *self, struct hf_leader_listener *listener);
    /* Likewise; `changed` is not called any more when it returns. Nothing when it has not joined.
     */
    void (*leave)(void *self, struct hf_leader_listener *listener);
};
