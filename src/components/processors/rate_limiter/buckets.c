#include "buckets.h"

#include <pthread.h>
#include <stdlib.h>

#include "util/time/clock.h"

struct bucket {
    struct hf_hash key;
    struct bucket *next;          /* of the same place in the table */
    struct bucket *older, *newer; /* by when they were used */
    double tokens;
    uint64_t filled_ns;
};

struct rate_limiter_buckets {
    pthread_mutex_t lock; /* guards all */
    struct bucket **table;
    size_t size, count, keys_max;
    struct bucket *oldest, *newest;
};

struct rate_limiter_buckets *rate_limiter_buckets_new(size_t keys_max)
{
    struct rate_limiter_buckets *buckets = calloc(1, sizeof(*buckets));
    if (buckets == NULL) {
        return NULL;
    }
    pthread_mutex_init(&buckets->lock, NULL);
    buckets->keys_max = keys_max;
    buckets->size = 64;
    while (buckets->size < keys_max && buckets->size < (1u << 16)) {
        buckets->size *= 2;
    }
    buckets->table = calloc(buckets->size, sizeof(struct bucket *));
    if (buckets->table == NULL) {
        rate_limiter_buckets_free(buckets);
        return NULL;
    }
    return buckets;
}

void rate_limiter_buckets_free(struct rate_limiter_buckets *buckets)
{
    if (buckets == NULL) {
        return;
    }
    while (buckets->oldest != NULL) {
        struct bucket *newer = buckets->oldest->newer;
        free(buckets->oldest);
        buckets->oldest = newer;
    }
    free(buckets->table);
    pthread_mutex_destroy(&buckets->lock);
    free(buckets);
}

/* ---- under the lock ---- */

static struct bucket **place_of(struct rate_limiter_buckets *buckets, struct hf_hash key)
{
    struct bucket **at = &buckets->table[key.low & (buckets->size - 1)];
    while (*at != NULL && !hf_hash_equal((*at)->key, key)) {
        at = &(*at)->next;
    }
    return at;
}

static void unlink_bucket(struct rate_limiter_buckets *buckets, struct bucket *bucket)
{
    *(bucket->older != NULL ? &bucket->older->newer : &buckets->oldest) = bucket->newer;
    *(bucket->newer != NULL ? &bucket->newer->older : &buckets->newest) = bucket->older;
}

static void link_newest(struct rate_limiter_buckets *buckets, struct bucket *bucket)
{
    bucket->older = buckets->newest;
    bucket->newer = NULL;
    *(buckets->newest != NULL ? &buckets->newest->newer : &buckets->oldest) = bucket;
    buckets->newest = bucket;
}

/* A new one is full; or that of the key that was used longest ago, made new. */
static struct bucket *make_bucket(struct rate_limiter_buckets *buckets, struct hf_hash key)
{
    struct bucket *bucket;
    if (buckets->count < buckets->keys_max) {
        bucket = calloc(1, sizeof(*bucket));
        if (bucket == NULL) {
            return NULL;
        }
        buckets->count++;
    } else {
        bucket = buckets->oldest;
        *place_of(buckets, bucket->key) = bucket->next;
        unlink_bucket(buckets, bucket);
    }
    bucket->key = key;
    bucket->next = NULL;
    *place_of(buckets, key) = bucket;
    link_newest(buckets, bucket);
    return bucket;
}

static struct bucket *fill(struct rate_limiter_buckets *buckets,
                           const struct rate_limiter_demand *demand, uint64_t now_ns)
{
    struct bucket *bucket = *place_of(buckets, demand->key);
    if (bucket == NULL) {
        bucket = make_bucket(buckets, demand->key);
        if (bucket != NULL) {
            bucket->tokens = demand->rate->burst;
            bucket->filled_ns = now_ns;
        }
        return bucket;
    }
    if (now_ns > bucket->filled_ns) {
        double seconds = (double)(now_ns - bucket->filled_ns) / (double)HF_NS_PER_S;
        bucket->tokens += seconds * demand->rate->per_s;
        bucket->filled_ns = now_ns;
    }
    bucket->tokens = bucket->tokens > demand->rate->burst ? demand->rate->burst : bucket->tokens;
    unlink_bucket(buckets, bucket);
    link_newest(buckets, bucket);
    return bucket;
}

static void give_back(struct rate_limiter_buckets *buckets,
                      const struct rate_limiter_demand *demands, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct bucket *bucket = *place_of(buckets, demands[i].key);
        if (bucket != NULL) {
            bucket->tokens += demands[i].tokens;
        }
    }
}

static enum hf_status take_all(struct rate_limiter_buckets *buckets,
                               const struct rate_limiter_demand *demands, size_t count,
                               uint64_t now_ns, size_t *ret_short)
{
    for (size_t i = 0; i < count; i++) {
        struct bucket *bucket = fill(buckets, &demands[i], now_ns);
        bool has_enough = bucket != NULL && (bucket->tokens >= demands[i].tokens ||
                                             bucket->tokens >= demands[i].rate->burst);
        if (!has_enough) {
            give_back(buckets, demands, i);
            *ret_short = i;
            return bucket != NULL ? HF_LIMITED : HF_NOMEM;
        }
        bucket->tokens -= demands[i].tokens;
    }
    return HF_OK;
}

enum hf_status rate_limiter_buckets_take(struct rate_limiter_buckets *buckets,
                                         const struct rate_limiter_demand *demands, size_t count,
                                         uint64_t now_ns, size_t *ret_short)
{
    pthread_mutex_lock(&buckets->lock);
    enum hf_status status = take_all(buckets, demands, count, now_ns, ret_short);
    pthread_mutex_unlock(&buckets->lock);
    return status;
}

size_t rate_limiter_buckets_count(struct rate_limiter_buckets *buckets)
{
    pthread_mutex_lock(&buckets->lock);
    size_t count = buckets->count;
    pthread_mutex_unlock(&buckets->lock);
    return count;
}
