#include "labels.h"

#include <endian.h>

#define FACTOR_1 UINT64_C(0xa0761d6478bd642f)
#define FACTOR_2 UINT64_C(0xe7037ed1a0b428db)

static struct hf_prom_label *find(struct hf_prom_labels *labels, struct hf_slice name)
{
    for (size_t i = 0; i < labels->count; i++) {
        if (hf_slice_equal(labels->items[i].name, name)) {
            return &labels->items[i];
        }
    }
    return NULL;
}

struct hf_slice hf_prom_labels_get(const struct hf_prom_labels *labels, struct hf_slice name)
{
    for (size_t i = 0; i < labels->count; i++) {
        if (hf_slice_equal(labels->items[i].name, name)) {
            return labels->items[i].value;
        }
    }
    return HF_EMPTY_SLICE;
}

bool hf_prom_labels_set(struct hf_prom_labels *labels, struct hf_slice name, struct hf_slice value)
{
    if (value.size == 0) {
        hf_prom_labels_remove(labels, name);
        return true;
    }
    struct hf_prom_label *label = find(labels, name);
    if (label != NULL) {
        label->value = value;
        return true;
    }
    if (labels->count == HF_PROM_LABELS_MAX) {
        return false;
    }
    labels->items[labels->count++] = (struct hf_prom_label){name, value};
    return true;
}

void hf_prom_labels_remove(struct hf_prom_labels *labels, struct hf_slice name)
{
    struct hf_prom_label *label = find(labels, name);
    if (label != NULL) {
        *label = labels->items[--labels->count];
    }
}

/* ---- hashes ---- */

static uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* 1 to 8 bytes, the first the lowest. Two loads that overlap, or three bytes, stand for a copy of
 * any size, which would be a call. */
static uint64_t read_tail(const uint8_t *data, size_t size)
{
    if (size == 8) {
        uint64_t word;
        memcpy(&word, data, 8);
        return le64toh(word);
    }
    if (size >= 4) {
        uint32_t low, high;
        memcpy(&low, data, 4);
        memcpy(&high, data + size - 4, 4);
        return le32toh(low) | (uint64_t)le32toh(high) << (8 * (size - 4));
    }
    return data[0] | (uint64_t)data[size / 2] << (8 * (size / 2)) |
           (uint64_t)data[size - 1] << (8 * (size - 1));
}

uint64_t hf_prom_hash(struct hf_slice bytes, uint64_t seed)
{
    const uint8_t *data = bytes.data;
    size_t left = bytes.size;
    uint64_t hash = seed ^ mix(bytes.size ^ FACTOR_1, FACTOR_2);
    while (left >= 16) {
        uint64_t first, second;
        memcpy(&first, data, 8);
        memcpy(&second, data + 8, 8);
        hash = mix(first ^ FACTOR_1 ^ hash, second ^ FACTOR_2);
        data += 16;
        left -= 16;
    }
    if (left == 0) {
        return hash;
    }
    uint64_t first = read_tail(data, left < 8 ? left : 8);
    uint64_t second = left > 8 ? read_tail(data + 8, left - 8) : 0;
    return mix(first ^ FACTOR_1 ^ hash, second ^ FACTOR_2);
}

uint64_t hf_prom_label_hash(const struct hf_prom_label *label)
{
    return hf_prom_hash(label->value, hf_prom_hash(label->name, FACTOR_2));
}

uint64_t hf_prom_labels_hash(const struct hf_prom_label *items, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += hf_prom_label_hash(&items[i]);
    }
    return sum;
}
