#include "only_leader.h"

#include <stdio.h>

#include <holdfast/component.h>

enum hf_status hf_only_leader_start(struct hf_only_leader *only, const struct hf_node *node,
                                    const char *id,
                                    void (*changed)(struct hf_leader_listener *listener,
                                                    bool is_leader, uint64_t since_ns),
                                    char *reterr)
{
    *only = (struct hf_only_leader){.listener = {.changed = changed}};
    if (id == NULL) {
        changed(&only->listener, true, 0);
        return HF_OK;
    }
    if (hf_node_leader(node, id, &only->leader, &only->elector) != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX,
                 "k8s_leader_elector: the extension %.200s elects no leader; use "
                 "k8s_leader_elector",
                 id);
        return HF_INVALID;
    }
    only->leader->join(only->elector, &only->listener);
    return HF_OK;
}

void hf_only_leader_stop(struct hf_only_leader *only)
{
    if (only->leader != NULL) {
        only->leader->leave(only->elector, &only->listener);
        only->leader = NULL;
    }
}
