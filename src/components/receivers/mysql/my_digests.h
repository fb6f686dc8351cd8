/*
 * my_digests: what forms of statements had counted at the last report, to tell what they have
 * counted since. Of more forms than fit those seen last are kept.
 *
 * Owned by one thread: zeroed at first, my_digests_release() at last.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/status.h>

/* A form: its numbers since the server began to count. */
struct my_digest {
    uint64_t hash;
    int64_t time, count;
    uint64_t round; /* the struct's own: of the report in which it was last seen; 0: replaced */
};

struct my_digests {
    struct my_digest *items; /* by their hash */
    size_t count;
    uint64_t round;
};

void my_digests_release(struct my_digests *digests);

/* What a form has counted since the report before. False: it is new, or its numbers have shrunk. */
bool my_digests_grown(const struct my_digests *digests, const struct my_digest *now,
                      int64_t *ret_time, int64_t *ret_count);

/* Takes over a report of `count` forms; keeps at most `most`. HF_NOMEM: nothing
 * is changed. */
HF_MUST_USE enum hf_status my_digests_report(struct my_digests *digests, struct my_digest *now,
                                             size_t count, size_t most);
