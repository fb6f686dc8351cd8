/*
 * drain_command: the part of `holdfast drain` in the running process: it refuses intake and counts
 * the backlog that is left.
 */
#pragma once

#include <stdio.h>

#include "hand_over.h"
#include "service.h"
#include "storage/storage.h"

/*
 * Answers one request: `words` are "drain", and "--cancel" to take data again, or "--to" and the
 * endpoint of a peer that gets the backlog in place of the backends. Refuses intake from
 * now on and writes one line to `out`: the backlog that is left. HF_EXIT_OK: none;
 * HF_EXIT_NOT_EMPTY: ask again; HF_EXIT_FAILED: only backlogs of exporters that are not configured.
 */
enum hf_exit hf_drain_command(struct hf_storage *store, struct hf_hand_over *hand_over, int count,
                              char *const *words, FILE *out);

/* Is nothing queued that an exporter may still deliver, and nothing on its way to a queue? True for
 * good only while intake is refused. */
HF_MUST_USE bool hf_drain_is_done(struct hf_storage *store);
