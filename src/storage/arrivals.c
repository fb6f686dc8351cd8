#include "arrivals.h"

#include <assert.h>
#include <string.h>

static struct hf_arrival **bucket_of(struct hf_arrivals *arrivals, const struct hf_arrival *arrival)
{
    return &arrivals->buckets[arrival->origin[0] % HF_ARRIVALS_BUCKETS];
}

static bool do_meet(const struct hf_arrival *a, const struct hf_arrival *b)
{
    if (memcmp(a->origin, b->origin, sizeof(a->origin)) != 0) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        for (size_t j = 0; j < b->count; j++) {
            if (hf_record_place_compare(a->ranges[i].from, b->ranges[j].to) < 0 &&
                hf_record_place_compare(b->ranges[j].from, a->ranges[i].to) < 0) {
                return true;
            }
        }
    }
    return false;
}

bool hf_arrivals_begin(struct hf_arrivals *arrivals, struct hf_arrival *arrival)
{
    struct hf_arrival **bucket = bucket_of(arrivals, arrival);
    bool does_meet = false;
    pthread_mutex_lock(&arrivals->mutex);
    for (const struct hf_arrival *a = *bucket; a != NULL && !does_meet; a = a->next) {
        does_meet = do_meet(a, arrival);
    }
    if (!does_meet) {
        arrival->next = *bucket;
        *bucket = arrival;
    }
    pthread_mutex_unlock(&arrivals->mutex);
    return !does_meet;
}

void hf_arrivals_end(struct hf_arrivals *arrivals, struct hf_arrival *arrival)
{
    pthread_mutex_lock(&arrivals->mutex);
    struct hf_arrival **link = bucket_of(arrivals, arrival);
    while (*link != arrival) {
        assert(*link != NULL && "it was begun");
        link = &(*link)->next;
    }
    *link = arrival->next;
    pthread_mutex_unlock(&arrivals->mutex);
}
