/*
 * replaced: what to use in place of a component that the Go collector had once and has no more. Any
 * thread; no state.
 */
#pragma once

#include <holdfast/component.h>

/* A sentence that goes on behind a semicolon; NULL: nothing is known of that type. */
const char *hf_replaced_by(enum hf_kind kind, const char *type);
