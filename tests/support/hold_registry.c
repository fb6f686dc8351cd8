/*
 * The registry of the tests' own program: what is built in, the examples, and what
 * only tests have.
 */
#include "registry.h"

#define HF_COMPONENT(name) extern const struct hf_component hf_##name;
#include "components.def"
#include "made_up.def"
#undef HF_COMPONENT

#define HF_COMPONENT(name) &hf_##name,
const struct hf_component *const hf_registry[] = {
#include "components.def"
#include "made_up.def"
    NULL,
};
