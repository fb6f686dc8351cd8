#include "my_digests.h"

#include <stdlib.h>

static int by_hash(const void *a, const void *b)
{
    uint64_t left = ((const struct my_digest *)a)->hash,
             right = ((const struct my_digest *)b)->hash;
    return left < right ? -1 : left > right;
}

static int by_round(const void *a, const void *b)
{
    uint64_t left = ((const struct my_digest *)a)->round,
             right = ((const struct my_digest *)b)->round;
    return left > right ? -1 : left < right; /* the newest first */
}

void my_digests_release(struct my_digests *digests)
{
    free(digests->items);
    *digests = (struct my_digests){.items = NULL};
}

static struct my_digest *find(const struct my_digests *digests, const struct my_digest *now)
{
    return digests->count != 0 ? bsearch(now, digests->items, digests->count, sizeof(*now), by_hash)
                               : NULL;
}

bool my_digests_grown(const struct my_digests *digests, const struct my_digest *now,
                      int64_t *ret_time, int64_t *ret_count)
{
    const struct my_digest *before = find(digests, now);
    if (before == NULL || now->time < before->time || now->count < before->count) {
        return false;
    }
    *ret_time = now->time - before->time;
    *ret_count = now->count - before->count;
    return true;
}

enum hf_status my_digests_report(struct my_digests *digests, struct my_digest *now, size_t count,
                                 size_t most)
{
    struct my_digest *all = calloc(count + digests->count + 1, sizeof(*all));
    if (all == NULL) {
        return HF_NOMEM;
    }
    digests->round++;
    for (size_t i = 0; i < count; i++) {
        struct my_digest *before = find(digests, &now[i]);
        if (before != NULL) {
            before->round = 0;
        }
        now[i].round = digests->round;
        all[i] = now[i];
    }
    for (size_t i = 0; i < digests->count; i++) {
        if (digests->items[i].round != 0) {
            all[count++] = digests->items[i];
        }
    }
    if (count > most) {
        qsort(all, count, sizeof(*all), by_round);
        count = most;
    }
    qsort(all, count, sizeof(*all), by_hash);
    free(digests->items);
    digests->items = all;
    digests->count = count;
    return HF_OK;
}
