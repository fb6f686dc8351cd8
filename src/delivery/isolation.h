/*
 * isolation: isolates requests that fail, so that the others overtake them. The delivery's loop.
 *
 * A request is isolated for one of two reasons: the backend fails at it with a server error (500,
 * INTERNAL) while it takes others, or it was refused for good and the dead letters are full. Each
 * is tried again by a backoff of its own. In the first case it is halved until its bad record is
 * alone; that one goes to the dead letters when it has failed for max_elapsed_time while others
 * were delivered. So one bad request does not block its queue, and an outage, in which no request
 * is delivered, discards nothing.
 *
 * An isolated request is still in the queue. A reader whose isolated requests reach ISOLATED_MAX or
 * ISOLATED_BYTES_MAX reads no more until there are fewer.
 */
#pragma once

#include "delivery_internal.h"

/* Handles the failure of a suspect request. True: it failed alone, and was isolated, halved or
 * given up. False: the backend itself may be failing, so the reader has to wait; the request is
 * still the caller's. */
HF_MUST_USE bool hf_isolated_judge(struct export_request *request,
                                   const struct hf_outcome *outcome);
/* Isolates the request while the reader waits, so that the next attempt is another request. */
void hf_isolated_wait(struct export_request *request, uint64_t resume_ns);
