/*
 * entity: the event that tells of the host as an entity, for a pipeline of logs: a record whose
 * attributes are those of an entity's state. What stands on its way, such as `resourcedetection`,
 * says which host it is.
 */
#pragma once

#include <stdint.h>

#include "pdata/build.h"

/* Adds the event. `interval_ns`: the time to the next one; 0: there is none. */
void host_entity_build(struct hf_builder *builder, uint64_t now_ns, uint64_t interval_ns);
