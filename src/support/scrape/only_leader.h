/*
 * only_leader: receivers that work in one process of a cluster alone, by the key
 * `k8s_leader_elector`: they begin when the elector says so; without the key, at once.
 *
 * Embed the struct. start and stop run on the main thread.
 */
#pragma once

#include <holdfast/field.h>
#include <holdfast/leader.h>
#include <holdfast/node.h>
#include <holdfast/status.h>

struct hf_only_leader {
    struct hf_leader_listener listener;
    const struct hf_leader *leader; /* NULL: there is no elector */
    void *elector;
};

#define HF_ONLY_LEADER_FIELD(offset_)                                                              \
    {                                                                                              \
        .key = "k8s_leader_elector", .type = HF_FIELD_REF, .offset = (offset_),                    \
        .help = "The extension that elects the one process that reads; each one does without."     \
    }

/*
 * `changed` as in leader.h; without an elector (`id` NULL) it is called once, here. HF_INVALID with
 * a sentence in `reterr` (HF_ERROR_MAX): the extension elects no leader.
 */
HF_MUST_USE enum hf_status hf_only_leader_start(struct hf_only_leader *only,
                                                const struct hf_node *node, const char *id,
                                                void (*changed)(struct hf_leader_listener *listener,
                                                                bool is_leader, uint64_t since_ns),
                                                char *reterr);
/* `changed` is not called any more when it returns. */
void hf_only_leader_stop(struct hf_only_leader *only);
