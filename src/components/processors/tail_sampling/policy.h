/*
 * policy: the policies of tail_sampling. Whatever one needs of the spans is noted when they come,
 * in a few bytes per trace, so that a decision reads no span again. The verdicts are those of the
 * Go collector.
 *
 * Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "pdata/walk.h"
#include "tail_config.h"
#include "tail_spans.h"

/* What is known of a trace. */
struct hf_sampling_tail_facts {
    uint64_t bits;             /* the policies that a span or resource matched */
    uint64_t start_ns, end_ns; /* earliest and latest, 0: none */
    uint64_t bytes;            /* of its spans, with their resource and scope once per request */
    uint32_t spans;
};

enum hf_sampling_tail_verdict {
    HF_TAIL_UNDECIDED = 0,
    HF_TAIL_SAMPLED,
    HF_TAIL_NOT_SAMPLED,
    HF_TAIL_DROPPED,
    HF_TAIL_FAILED, /* a policy has no vote, as a condition failed; no verdict */
    HF_TAIL_VERDICT_COUNT
};

struct hf_sampling_tail_policies;
struct hf_ottl_groups;
struct hf_ottl_watch;

/* `config` has passed hf_sampling_tail_check() and outlives them. HF_NOMEM, HF_INVALID. */
HF_MUST_USE enum hf_status
hf_sampling_tail_policies_new(const struct hf_sampling_tail_config *config,
                              struct hf_sampling_tail_policies **ret_policies);
/* NULL is nothing. */
void hf_sampling_tail_policies_free(struct hf_sampling_tail_policies *policies);

/* Learns of conditions that fail; borrowed. NULL: no one does. And what they are in. */
void hf_sampling_tail_policies_watch(struct hf_sampling_tail_policies *policies,
                                     struct hf_ottl_watch *watch);
const struct hf_ottl_groups *
hf_sampling_tail_policies_groups(const struct hf_sampling_tail_policies *policies);

/* Is there a condition, which is asked of a document? Then the spans are matched between `begin`
 * and `end`, with their places. HF_NOMEM: what was matched does not count. */
bool hf_sampling_tail_has_conditions(const struct hf_sampling_tail_policies *policies);
void hf_sampling_tail_match_begin(struct hf_sampling_tail_policies *policies,
                                  struct hf_document *document);
HF_MUST_USE enum hf_status hf_sampling_tail_match_end(struct hf_sampling_tail_policies *policies);

/* The bits of a resource, which is empty when there is none; of a span, which adds to the facts,
 * but for the bytes. `place` is where it stands in the document; NULL when there are no conditions.
 */
uint64_t hf_sampling_tail_match_resource(const struct hf_sampling_tail_policies *policies,
                                         struct hf_slice resource);
void hf_sampling_tail_match_span(struct hf_sampling_tail_policies *policies,
                                 const struct hf_sampling_tail_span *span,
                                 const struct hf_place *place,
                                 struct hf_sampling_tail_facts *facts);
void hf_sampling_tail_facts_join(struct hf_sampling_tail_facts *facts,
                                 const struct hf_sampling_tail_facts *more);

/*
 * The verdict: SAMPLED, NOT_SAMPLED or DROPPED. `ret_votes` has the vote of each policy of the
 * configuration, UNDECIDED of one that was not asked.
 */
enum hf_sampling_tail_verdict hf_sampling_tail_decide(struct hf_sampling_tail_policies *policies,
                                                      const uint8_t *trace_id,
                                                      const struct hf_sampling_tail_facts *facts,
                                                      uint64_t now_ns,
                                                      enum hf_sampling_tail_verdict *ret_votes);

/* Likewise by what one request says: SAMPLED or DROPPED, or UNDECIDED while later spans may tell.
 */
enum hf_sampling_tail_verdict
hf_sampling_tail_decide_part(struct hf_sampling_tail_policies *policies, const uint8_t *trace_id,
                             const struct hf_sampling_tail_facts *facts, uint64_t now_ns,
                             enum hf_sampling_tail_verdict *ret_votes);
