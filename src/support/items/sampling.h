/*
 * sampling: OpenTelemetry's consistent probability sampling: thresholds, randomness, and the `ot`
 * member of a trace state that carries both.
 *
 * An item is kept when its randomness is at least the threshold. Both have 56 bits. Pure; any
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>

#define HF_SAMPLING_HEX_DIGITS 14u
#define HF_SAMPLING_NEVER (UINT64_C(1) << 56) /* a threshold above every randomness */
#define HF_SAMPLING_ALWAYS UINT64_C(0)
#define HF_SAMPLING_RANDOMNESS_MAX (HF_SAMPLING_NEVER - 1)
#define HF_SAMPLING_PROBABILITY_MIN 0x1p-56

/*
 * The threshold of a probability, rounded to `precision` hexadecimal digits (1 to 14) behind those
 * that say little: leading zeros or `f`s. False: the probability is not between the least one and
 * 1.
 */
bool hf_sampling_threshold(double probability, unsigned precision, uint64_t *ret_threshold);
double hf_sampling_probability(uint64_t threshold);

/* The last 56 bits of a trace id of 16 bytes. */
uint64_t hf_sampling_randomness(const uint8_t *trace_id);

/* Text forms. Reading: false when the text is none. Writing: `ret_text` has HF_SAMPLING_HEX_DIGITS
 * bytes, no NUL; the size is returned (0: HF_SAMPLING_NEVER has no text). */
bool hf_sampling_read_threshold(struct hf_slice text, uint64_t *ret_threshold);
bool hf_sampling_read_randomness(struct hf_slice text, uint64_t *ret_randomness);
size_t hf_sampling_write_threshold(uint64_t threshold, char *ret_text);
size_t hf_sampling_write_randomness(uint64_t randomness, char *ret_text);

/* What a trace state says of sampling. Slices point into the state. */
struct hf_sampling_state {
    bool has_threshold, has_randomness;
    uint64_t threshold, randomness;
    struct hf_slice threshold_text, randomness_text; /* as they came */
    struct hf_slice otel;                            /* the value of `ot` */
};

#define HF_SAMPLING_STATE_MAX 1024u /* bytes of a trace state; a longer one is none */

/* False: `state` is no trace state by the W3C, or its `ot` is malformed. An empty one is good. */
bool hf_sampling_read_state(struct hf_slice state, struct hf_sampling_state *ret_state);

/* The randomness and the threshold add this much at most. */
#define HF_SAMPLING_WRITTEN_MAX (HF_SAMPLING_STATE_MAX + 64u)

/*
 * Writes `state`, which was read into `parsed`, with the texts of `parsed` for threshold and
 * randomness (empty: none), `ot` in front. `ret_text` has HF_SAMPLING_WRITTEN_MAX bytes. Returns
 * the size.
 */
size_t hf_sampling_write_state(struct hf_slice state, const struct hf_sampling_state *parsed,
                               char *ret_text);
