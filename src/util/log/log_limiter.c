#include "log_limiter.h"

#include <string.h>

#include <holdfast/slice.h>

#include "util/fnv.h"

void hf_log_limiter_init(struct hf_log_limiter *limiter, uint64_t interval_ns)
{
    *limiter = (struct hf_log_limiter){.interval_ns = interval_ns};
    pthread_mutex_init(&limiter->lock, NULL);
}

void hf_log_limiter_release(struct hf_log_limiter *limiter)
{
    pthread_mutex_destroy(&limiter->lock);
}

static bool has_room(const struct hf_log_limiter_count *count, unsigned most, uint64_t now_ns)
{
    return now_ns >= count->until_ns || count->lines < most;
}

static void add_line(struct hf_log_limiter_count *count, uint64_t interval_ns, uint64_t now_ns)
{
    if (now_ns >= count->until_ns) {
        *count = (struct hf_log_limiter_count){.until_ns = now_ns + interval_ns};
    }
    count->lines++;
}

bool hf_log_limiter_allows(struct hf_log_limiter *limiter, const char *peer, const char *what,
                           uint64_t now_ns)
{
    const char *port = strrchr(peer, ':');
    struct hf_slice host = hf_slice_of(peer, port != NULL ? (size_t)(port - peer) : strlen(peer));
    uint64_t host_hash = hf_fnv(host);
    uint64_t hash = hf_fnv_add(host_hash, hf_slice_of("", 1)); /* where the one ends */
    hash = hf_fnv_add(hash, hf_slice_text(what));
    size_t place = hash % HF_LOG_LIMITER_PLACES;
    pthread_mutex_lock(&limiter->lock);
    struct hf_log_limiter_count *of_peer = &limiter->peers[host_hash % HF_LOG_LIMITER_PLACES];
    bool said = limiter->places[place].hash == hash && now_ns < limiter->places[place].until_ns;
    bool may_say = !said && has_room(of_peer, HF_LOG_LIMITER_TEXTS_MAX, now_ns) &&
                   has_room(&limiter->all, HF_LOG_LIMITER_LINES_MAX, now_ns);
    if (may_say) {
        limiter->places[place].hash = hash;
        limiter->places[place].until_ns = now_ns + limiter->interval_ns;
        add_line(of_peer, limiter->interval_ns, now_ns);
        add_line(&limiter->all, limiter->interval_ns, now_ns);
    }
    limiter->withheld += !said && !may_say ? 1 : 0;
    pthread_mutex_unlock(&limiter->lock);
    return may_say;
}

uint64_t hf_log_limiter_take_withheld(struct hf_log_limiter *limiter)
{
    pthread_mutex_lock(&limiter->lock);
    uint64_t withheld = limiter->withheld;
    limiter->withheld = 0;
    pthread_mutex_unlock(&limiter->lock);
    return withheld;
}
