/*
 * census: counts the connections of a server, in all and per peer, and says when there are too
 * many.
 *
 * Who is refused may be let in once an idle connection was closed for it: of the same peer when
 * that has too many, else of any. A meeting place; any thread.
 */
#pragma once

#include <stddef.h>

#include <holdfast/status.h>

#include "peer.h"

struct hf_census;

struct hf_census_limits {
    size_t connections_max;
    size_t per_peer_max; /* 0: no limit of its own */
};

enum hf_census_verdict {
    HF_CENSUS_ADMITTED, /* and counted, until hf_census_leave() */
    HF_CENSUS_FULL,
    HF_CENSUS_PEER_FULL,
    HF_CENSUS_NO_MEMORY,
};

/* HF_NOMEM. */
HF_MUST_USE enum hf_status hf_census_new(const struct hf_census_limits *limits,
                                         struct hf_census **ret_census);
/* NULL is nothing. */
void hf_census_free(struct hf_census *census);

/* A connection came, and is counted unless it is refused; each one that entered leaves once. */
HF_MUST_USE enum hf_census_verdict hf_census_enter(struct hf_census *census,
                                                   const struct hf_peer *peer);
void hf_census_leave(struct hf_census *census, const struct hf_peer *peer);
size_t hf_census_count(struct hf_census *census);
