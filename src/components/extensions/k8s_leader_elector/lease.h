/*
 * lease: who leads, by a Lease object that all candidates look at, without input and output.
 *
 * The holder renews the lease; it gives up by itself when that has failed for `renew_deadline_ns`.
 * The others take the lease when it has not changed for its own duration, by their own clock, so
 * that clocks need not agree. Of two that write the same version the server refuses one.
 *
 * Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/status.h>

#include "json/json.h"

#define LEASE_TEXT_MAX 256u

struct lease_config {
    const char *name, *space; /* the Lease and its namespace */
    const char *identity;     /* of this candidate */
    uint64_t duration_ns, renew_deadline_ns;
};

/* A Lease as the server has it. */
struct lease_record {
    char version[LEASE_TEXT_MAX], holder[LEASE_TEXT_MAX]; /* holder "": no candidate */
    char acquired[LEASE_TEXT_MAX];                        /* time, as text */
    uint64_t renewed_ns;                                  /* Unix time; 0: not said */
    uint64_t duration_ns;
    int64_t transitions;
};

struct lease {
    const struct lease_config *config;
    bool is_leader;
    uint64_t renewed_ns;       /* monotonic: when the renewal that succeeded last was begun */
    char seen[LEASE_TEXT_MAX]; /* version of the record that was seen last */
    uint64_t seen_ns;          /* monotonic: when it was seen first */
};

enum lease_step {
    LEASE_WAIT = 0, /* another candidate holds it */
    LEASE_CREATE,
    LEASE_TAKE,
    LEASE_RENEW
};

/* False: it is no Lease. */
HF_MUST_USE bool lease_read(const struct hf_json *object, struct lease_record *ret_record);

/* What to do about the record; NULL: there is none. Notes it. */
enum lease_step lease_decide(struct lease *lease, const struct lease_record *record,
                             uint64_t now_ns);

/*
 * The object to write for the step, or, with LEASE_WAIT, to give the lease up: JSON in `ret_text`.
 * `record` NULL with LEASE_CREATE. HF_TOO_LARGE: no room.
 */
HF_MUST_USE enum hf_status lease_write(const struct lease *lease, enum lease_step step,
                                       const struct lease_record *record, uint64_t unix_ns,
                                       char *ret_text, size_t room);

/* It was written, by a request begun at `begun_ns`. */
void lease_won(struct lease *lease, uint64_t begun_ns);
/* Has the leader failed to renew for too long? Then it is none any more. */
bool lease_is_overdue(const struct lease *lease, uint64_t now_ns);
