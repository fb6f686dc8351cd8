#include "seldom.h"

#include <string.h>

#include <holdfast/slice.h>

void hf_seldom_init(struct hf_seldom *seldom, uint64_t interval_ns)
{
    *seldom = (struct hf_seldom){.interval_ns = interval_ns};
    pthread_mutex_init(&seldom->lock, NULL);
}

void hf_seldom_release(struct hf_seldom *seldom)
{
    pthread_mutex_destroy(&seldom->lock);
}

/* FNV-1a. */
static uint64_t add_to_hash(uint64_t hash, struct hf_slice bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        hash = (hash ^ bytes.data[i]) * UINT64_C(1099511628211);
    }
    return hash;
}

bool hf_seldom_may_say(struct hf_seldom *seldom, const char *peer, const char *what,
                       uint64_t now_ns)
{
    const char *port = strrchr(peer, ':');
    struct hf_slice host = hf_slice_of(peer, port != NULL ? (size_t)(port - peer) : strlen(peer));
    uint64_t hash = add_to_hash(UINT64_C(14695981039346656037), host);
    hash = add_to_hash(hash, hf_slice_of("", 1)); /* where the one ends and the other begins */
    hash = add_to_hash(hash, hf_slice_text(what));
    size_t place = hash % HF_SELDOM_PLACES;
    pthread_mutex_lock(&seldom->lock);
    bool said = seldom->places[place].hash == hash && now_ns < seldom->places[place].until_ns;
    if (!said) {
        seldom->places[place].hash = hash;
        seldom->places[place].until_ns = now_ns + seldom->interval_ns;
    }
    pthread_mutex_unlock(&seldom->lock);
    return !said;
}
