/*
 * loki_text: values as the text that lines are made of. Any thread; no state.
 */
#pragma once

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/arena.h"
#include "util/compress.h"

/* Appends a value as JSON, texts in quotes. HF_NOMEM. */
HF_MUST_USE enum hf_status loki_json_value(struct hf_arena *arena, struct hf_slice value,
                                           struct hf_bytes *out);

/* An id in hex, at most 16 bytes of it. */
struct hf_slice loki_hex(struct hf_slice id, char room[33]);
