/*
 * go_escape: the escapes of Go's texts (The Go Programming Language Specification, "Rune
 * literals"), which Prometheus' and Loki's labels have too. Any thread; no state.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>

#include "util/rune.h"

/*
 * What stands behind a backslash at the front of `text`, either quote included. Returns how many
 * bytes of it are the escape; 0: it is not known. `ret_size`: how many it became, which are never
 * more than the escape has with its backslash.
 */
size_t hf_go_escape(struct hf_slice text, uint8_t out[HF_RUNE_MAX], size_t *ret_size);
