#include "prometheus_labels.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "pdata/any.h"
#include "prometheus/names.h"
#include "prometheus/text.h"

void prometheus_labels_reset(struct prometheus_labels *labels)
{
    labels->count = 0;
    labels->texts.size = 0;
}

/* The name, in a label whose value is still to come. */
static HF_MUST_USE enum hf_status begin(struct prometheus_labels *labels, struct hf_slice name,
                                        struct prometheus_label **ret_label)
{
    if (labels->count == labels->capacity) {
        size_t capacity = labels->capacity != 0 ? 2 * labels->capacity : 32;
        void *grown = realloc(labels->items, capacity * sizeof(*labels->items));
        if (grown == NULL) {
            return HF_NOMEM;
        }
        labels->items = grown;
        labels->capacity = capacity;
    }
    struct prometheus_label *label = &labels->items[labels->count];
    *label = (struct prometheus_label){.name = labels->texts.size, .order = labels->count};
    enum hf_status status = hf_prom_label_name(name, &labels->texts);
    label->value = labels->texts.size;
    label->name_size = label->value - label->name;
    *ret_label = label;
    return status;
}

static void end(struct prometheus_labels *labels, struct prometheus_label *label)
{
    label->value_size = labels->texts.size - label->value;
    if (label->value_size > 0 && label->name_size > 0) {
        labels->count++;
    }
}

enum hf_status prometheus_labels_add(struct prometheus_labels *labels, struct hf_slice name,
                                     struct hf_slice value)
{
    struct prometheus_label *label = NULL;
    enum hf_status status = begin(labels, name, &label);
    if (status == HF_OK && value.size > 0) {
        status = hf_bytes_append(&labels->texts, value);
    }
    if (status == HF_OK) {
        end(labels, label);
    }
    return status;
}

enum hf_status prometheus_labels_add_any(struct prometheus_labels *labels, struct hf_slice name,
                                         struct hf_slice value)
{
    struct prometheus_label *label = NULL;
    enum hf_status status = begin(labels, name, &label);
    if (status == HF_OK) {
        status = hf_any_text(value, &labels->texts);
    }
    if (status == HF_OK) {
        end(labels, label);
    }
    return status;
}

static struct hf_slice name_of(const struct prometheus_labels *labels,
                               const struct prometheus_label *label)
{
    return hf_slice_of(labels->texts.data + label->name, label->name_size);
}

static int by_name(const void *a, const void *b, void *user)
{
    const struct prometheus_labels *labels = user;
    const struct prometheus_label *one = a;
    const struct prometheus_label *other = b;
    int order = hf_slice_compare(name_of(labels, one), name_of(labels, other));
    return order != 0 ? order : (one->order > other->order) - (one->order < other->order);
}

enum hf_status prometheus_labels_print(struct prometheus_labels *labels, struct hf_slice *ret_text)
{
    struct hf_bytes *out = &labels->printed;
    enum hf_status status = HF_OK;
    out->size = 0;
    if (labels->count > 1) {
        qsort_r(labels->items, labels->count, sizeof(*labels->items), by_name, labels);
    }
    for (size_t i = 0; i < labels->count && status == HF_OK; i++) {
        const struct prometheus_label *label = &labels->items[i];
        struct hf_slice name = name_of(labels, label);
        bool is_again = i > 0 && hf_slice_equal(name, name_of(labels, label - 1));
        if (is_again) {
            out->data[out->size - 1] = ';'; /* where the quote was */
        } else {
            status = i > 0 ? hf_bytes_append(out, hf_slice_text(",")) : HF_OK;
            status = status == HF_OK ? hf_bytes_append(out, name) : status;
            status = status == HF_OK ? hf_bytes_append(out, hf_slice_text("=\"")) : status;
        }
        if (status == HF_OK) {
            status = hf_prom_escape(
                hf_slice_of(labels->texts.data + label->value, label->value_size), true, out);
        }
        status = status == HF_OK ? hf_bytes_append(out, hf_slice_text("\"")) : status;
    }
    *ret_text = hf_slice_of(out->data, out->size);
    return status;
}

void prometheus_labels_release(struct prometheus_labels *labels)
{
    free(labels->items);
    hf_bytes_release(&labels->texts);
    hf_bytes_release(&labels->printed);
    *labels = (struct prometheus_labels){.count = 0};
}
