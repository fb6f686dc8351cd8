/*
 * opamp_report: what an agent tells its server, as one message: always who it is, and of the rest
 * what the server lacks. Owned by the agent's thread.
 */
#pragma once

#include <holdfast/component.h>

#include "opamp_config.h"
#include "opamp_message.h"

struct opamp_report {
    const struct hf_node *node;
    const struct opamp_config *config;
    struct opamp_uid uid;
    uint64_t sequence; /* of the last message */
    uint64_t start_unix_ns;
    struct hf_bytes health; /* as it was told last; empty: not yet */
    struct hf_bytes seen;   /* as it was looked at last */
    struct hf_bytes message;
};

/* What goes into a message. */
struct opamp_parts {
    bool everything, health, components, disconnect;
};

/* `report` is zeroed. The uid is that of the configuration, else of the process. */
void opamp_report_init(struct opamp_report *report, const struct hf_node *node,
                       const struct opamp_config *config);
void opamp_report_release(struct opamp_report *report);

uint64_t opamp_report_capabilities(const struct opamp_config *config);

/* Has the health changed since it was told last? False when it is not reported. HF_NOMEM is false
 * too: it is looked at again. */
bool opamp_report_is_changed(struct opamp_report *report);

/* The next message, borrowed until the next call. HF_NOMEM. */
HF_MUST_USE enum hf_status opamp_report_write(struct opamp_report *report,
                                              const struct opamp_parts *parts,
                                              struct hf_slice *ret_message);
