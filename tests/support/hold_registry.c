/*
 * The registry of the tests' own program: what is built in, hold.c and stall.c.
 */
#include "registry.h"

#define HF_COMPONENT(name) extern const struct hf_component hf_##name;
#include "components.def"
HF_COMPONENT(processor_hold)
HF_COMPONENT(processor_stall)
HF_COMPONENT(connector_pass)
#undef HF_COMPONENT

#define HF_COMPONENT(name) &hf_##name,
const struct hf_component *const hf_registry[] = {
#include "components.def"
    HF_COMPONENT(processor_hold) HF_COMPONENT(processor_stall) HF_COMPONENT(connector_pass) NULL,
};
