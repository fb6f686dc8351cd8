/*
 * opamp_message: the messages of OpAMP on the wire (proto/opamp/opamp.proto): parts of
 * AgentToServer are written, ServerToAgent is read. No state; any thread.
 */
#pragma once

#include <holdfast/overview.h>

#include "opamp_uid.h"
#include "pdata/wire.h"
#include "support/health/health_tree.h"

enum opamp_capability {
    OPAMP_REPORTS_STATUS = 0x1,
    OPAMP_REPORTS_EFFECTIVE_CONFIG = 0x4,
    OPAMP_ACCEPTS_RESTART_COMMAND = 0x400,
    OPAMP_REPORTS_HEALTH = 0x800,
    OPAMP_REPORTS_AVAILABLE_COMPONENTS = 0x4000
};

/* ---- AgentToServer: the fields that every message has, then any of the others ---- */

void opamp_put_head(struct hf_wire_writer *writer, const struct opamp_uid *uid, uint64_t sequence,
                    uint64_t capabilities);

struct opamp_attribute {
    const char *key, *value;
    bool is_identifying;
};
void opamp_put_description(struct hf_wire_writer *writer, const struct opamp_attribute *attributes,
                           size_t count);

/* The content of the field, so that it can be compared with what was sent. */
void opamp_write_health(struct hf_wire_writer *writer, const struct hf_health_tree *tree,
                        uint64_t start_unix_ns);
void opamp_put_health(struct hf_wire_writer *writer, struct hf_slice health);

void opamp_put_config(struct hf_wire_writer *writer, const char *yaml);

/* All components that are built in, or their hash alone. HF_UNSUPPORTED: the system has no SHA-256.
 */
HF_MUST_USE enum hf_status opamp_put_components(struct hf_wire_writer *writer,
                                                const struct hf_node *node, bool hash_only);

void opamp_put_disconnect(struct hf_wire_writer *writer);

/* ---- ServerToAgent ---- */

struct opamp_answer {
    struct hf_slice error; /* the words of an error; has_error tells whether it is one */
    bool has_error;
    uint64_t retry_after_ns; /* of an error; 0: not said */
    bool wants_full_state, wants_components;
    bool has_new_uid, has_remote_config, is_restart;
    struct opamp_uid new_uid;
};

/* False: it is malformed. Slices point into `bytes`. */
HF_MUST_USE bool opamp_read_answer(struct hf_slice bytes, struct opamp_answer *ret_answer);
