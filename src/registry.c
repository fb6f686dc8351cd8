/*
 * registry: every component that is built in, in the order of components.def.
 */
#include "registry.h"

#define HF_COMPONENT(name) extern const struct hf_component hf_##name;
#include "components.def"
#undef HF_COMPONENT

#define HF_COMPONENT(name) &hf_##name,
const struct hf_component *const hf_registry[] = {
#include "components.def"
    NULL,
};
