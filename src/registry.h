/*
 * registry: the components that are built in. Immutable.
 */
#pragma once

#include <holdfast/component.h>

extern const struct hf_component *const hf_registry[]; /* ends with NULL */
