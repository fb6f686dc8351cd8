/*
 * loki_text: values as the text that lines are made of. Any thread; no state.
 */
#pragma once

#include <stddef.h>

#include <holdfast/slice.h>

#include "pdata/any_make.h"
#include "pdata/json_write.h"
#include "util/arena.h"

/*
 * A value as JSON: keys of maps sorted, of a key that is there more often the last; null for an
 * empty value, "NaN", "+Inf" and "-Inf" for numbers that JSON does not have. `arena` is for maps;
 * when it has no memory, the writer has failed.
 */
void loki_put_value(struct hf_json_writer *writer, struct hf_arena *arena, struct hf_slice value);

/* The same as a map of these pairs, which it sorts. */
void loki_put_pairs(struct hf_json_writer *writer, struct hf_arena *arena,
                    struct hf_any_pair *pairs, size_t count);

/* An id in hex, at most 16 bytes of it. */
struct hf_slice loki_hex(struct hf_slice id, char room[33]);
