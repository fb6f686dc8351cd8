/*
 * quantity: amounts as the Kubernetes API writes them: "100m", "1.5", "128Mi", "1e3". Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

struct hf_kube_quantity {
    int64_t digits; /* the number is digits * 10^tens * 2^twos */
    int tens, twos;
};

/* False: it is none. Digits beyond the 18th are cut off. */
HF_MUST_USE bool hf_kube_quantity_read(struct hf_slice text, struct hf_kube_quantity *ret_quantity);

/* Rounded up, as the API does; clamped to int64_t. */
int64_t hf_kube_quantity_value(const struct hf_kube_quantity *quantity);
int64_t hf_kube_quantity_milli(const struct hf_kube_quantity *quantity);
double hf_kube_quantity_double(const struct hf_kube_quantity *quantity);
