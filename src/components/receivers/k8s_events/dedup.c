#include "dedup.h"

#include <stdlib.h>

#include "util/hash.h"

#define ROWS 1024u
#define WAYS 8u

struct told {
    uint64_t uid; /* its hash; 0: none */
    uint64_t at_ns;
};

struct event_dedup {
    int64_t interval_ns;
    struct told rows[ROWS][WAYS]; /* a row for each hash; in it the oldest makes room */
};

struct event_dedup *event_dedup_new(int64_t interval_ns)
{
    struct event_dedup *dedup = calloc(1, sizeof(*dedup));
    if (dedup != NULL) {
        dedup->interval_ns = interval_ns;
    }
    return dedup;
}

void event_dedup_free(struct event_dedup *dedup)
{
    free(dedup);
}

/* That of the event, or else the one to replace. */
static struct told *find(struct told row[WAYS], uint64_t uid)
{
    struct told *oldest = &row[0];
    for (size_t i = 0; i < WAYS; i++) {
        if (row[i].uid == uid) {
            return &row[i];
        }
        oldest = row[i].at_ns < oldest->at_ns ? &row[i] : oldest;
    }
    return oldest;
}

bool event_dedup_tells(struct event_dedup *dedup, struct hf_slice uid, bool is_change,
                       uint64_t now_ns)
{
    uint64_t hash = hf_hash_64(uid) | 1;
    struct told *told = find(dedup->rows[hash / 2 % ROWS], hash);
    if (is_change && dedup->interval_ns < 0) {
        return false;
    }
    if (is_change && told->uid == hash && now_ns - told->at_ns < (uint64_t)dedup->interval_ns) {
        return false;
    }
    *told = (struct told){.uid = hash, .at_ns = now_ns};
    return true;
}
