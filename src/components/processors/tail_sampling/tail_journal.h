/*
 * tail_journal: verdicts on disk before they have any effect, so that a trace of which a kill left
 * a part in the queue in front has the same verdict again, and late spans after a restart too.
 *
 * Verdicts are appended to a file, and committed together. When it has as many as are to be
 * remembered it takes the place of the one before, and a new one begins: so it has the last LIMIT
 * verdicts at least and twice as many at most. What a kill cut off at the end was not committed.
 *
 * Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/node.h>
#include <holdfast/status.h>

struct hf_sampling_tail_journal;

/* DIR/ID.decisions and DIR/ID.decisions.old; without a data directory nothing is kept. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_sampling_tail_journal_new(const struct hf_node *node, size_t limit,
                                                        struct hf_sampling_tail_journal **ret);
/* NULL is nothing. */
void hf_sampling_tail_journal_free(struct hf_sampling_tail_journal *journal);

/* Once, before the first verdict: shows those of before, the oldest first; `ids` have 16 bytes. An
 * unreadable file has none. HF_IO with errno. */
HF_MUST_USE enum hf_status
hf_sampling_tail_journal_load(struct hf_sampling_tail_journal *journal,
                              void (*visit)(void *user, const uint8_t *id, bool is_sampled),
                              void *user);
/* How many the load shows at most. */
size_t hf_sampling_tail_journal_count(const struct hf_sampling_tail_journal *journal);

/* Notes a verdict for the next commit. HF_NOMEM: it is not noted. */
HF_MUST_USE enum hf_status hf_sampling_tail_journal_add(struct hf_sampling_tail_journal *journal,
                                                        const uint8_t *id, bool is_sampled);
/* All that are noted are on disk. HF_IO with errno: they stay noted. */
HF_MUST_USE enum hf_status
hf_sampling_tail_journal_commit(struct hf_sampling_tail_journal *journal);

/* For messages; "": nothing is kept. */
const char *hf_sampling_tail_journal_path(const struct hf_sampling_tail_journal *journal);
