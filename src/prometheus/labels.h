/*
 * labels: the labels of a series or of a target while they are being made: a small list without
 * order, in which each name stands once.
 *
 * The texts are borrowed from a scrape's body, a configuration or an arena. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#define HF_PROM_LABELS_MAX 512u /* of one series or target */

struct hf_prom_label {
    struct hf_slice name, value;
};

struct hf_prom_labels {
    struct hf_prom_label items[HF_PROM_LABELS_MAX];
    size_t count;
};

/* The value; empty when there is none. */
struct hf_slice hf_prom_labels_get(const struct hf_prom_labels *labels, struct hf_slice name);

/* Sets or replaces; an empty value removes the label. False: HF_PROM_LABELS_MAX are there. */
HF_MUST_USE bool hf_prom_labels_set(struct hf_prom_labels *labels, struct hf_slice name,
                                    struct hf_slice value);
void hf_prom_labels_remove(struct hf_prom_labels *labels, struct hf_slice name);

/* A hash of one label. That of a set of labels is the sum of theirs, so that order does not
 * matter. */
uint64_t hf_prom_label_hash(const struct hf_prom_label *label);
uint64_t hf_prom_labels_hash(const struct hf_prom_label *items, size_t count);

/* A hash of bytes. */
uint64_t hf_prom_hash(struct hf_slice bytes, uint64_t seed);

static inline bool hf_prom_has_prefix(struct hf_slice text, const char *prefix, size_t size)
{
    return text.size >= size && memcmp(text.data, prefix, size) == 0;
}

static inline bool hf_prom_has_suffix(struct hf_slice text, const char *suffix, size_t size)
{
    return text.size >= size && memcmp(text.data + text.size - size, suffix, size) == 0;
}
