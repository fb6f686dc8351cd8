/*
 * instance: one receiver that was started for an endpoint, and how it is made of a template.
 * Owned by the creator's thread.
 */
#pragma once

#include <holdfast/node.h>
#include <holdfast/observer.h>
#include <holdfast/subreceiver.h>

#include "config.h"
#include "expand.h"
#include "util/hash.h"

/* What a receiver is to be made of; borrowed, in the arena of the variables or longer. */
struct creator_plan {
    const char *id;   /* of the template: "redis/1" */
    const char *type; /* the part of it before the slash */
    struct hf_value config;
    const struct hf_string_pair *attributes;
    size_t attribute_count;
    unsigned signals;      /* that are wanted */
    struct hf_hash digest; /* of all of this */
};

struct creator_instance {
    struct creator_instance *next;
    struct hf_hash id_hash;     /* of the template's id */
    struct hf_hash digest;      /* of the plan */
    struct hf_subreceiver *sub; /* NULL: it did not start */
    uint64_t retry_ns;          /* monotonic: when that is tried again; UINT64_MAX: never */
    char place[HF_SUBRECEIVER_PLACE_MAX + 1];
    bool is_wanted; /* in a look at its endpoint: by what is there now */
};

/*
 * Makes the plan for a template: `attributes` are those of the template itself. HF_INVALID with a
 * sentence in `reterr` (CREATOR_ERROR_MAX): an expression has no value; HF_NOMEM.
 */
struct creator_wish {
    const char *id;
    const struct hf_value *config;
    const struct hf_string_map *attributes; /* NULL: none */
    unsigned signals;
};
HF_MUST_USE enum hf_status creator_plan_make(const struct creator_config *config,
                                             const struct hf_endpoint *endpoint,
                                             const struct creator_variables *variables,
                                             const struct creator_wish *wish,
                                             struct creator_plan *ret_plan, char *reterr);

/* With what the places of a creator begin. */
void creator_place_prefix(const struct hf_node *node,
                          char ret_prefix[HF_SUBRECEIVER_PLACE_MAX + 1]);

/* Starts it. A failure is logged, and noted in the instance. */
void creator_instance_start(struct hf_node *node, const struct hf_endpoint *endpoint,
                            const struct creator_plan *plan, struct creator_instance *instance);
