#include "prometheus_labels.h"

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

/* A label whose name and value are still to come. */
static HF_MUST_USE enum hf_status take(struct prometheus_labels *labels,
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
    *ret_label = label;
    return HF_OK;
}

/* The name, in a label whose value is still to come. */
static HF_MUST_USE enum hf_status begin(struct prometheus_labels *labels, struct hf_slice name,
                                        struct prometheus_label **ret_label)
{
    struct prometheus_label *label = NULL;
    enum hf_status status = take(labels, &label);
    if (status != HF_OK) {
        return status;
    }
    status = labels->is_utf8 ? hf_bytes_append(&labels->texts, name)
                             : hf_prom_label_name(name, &labels->texts);
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

/* ---- labels that were printed ---- */

bool prometheus_labels_are_quoted(struct hf_slice printed)
{
    static const char inner[] = {',', '"'}; /* may also end a value, which does no harm */
    return printed.size > 0 && (printed.data[0] == '"' ||
                                memmem(printed.data, printed.size, inner, sizeof(inner)) != NULL);
}

/* Appends the text behind a quote without its backslashes; `at` passes the quote that ends it. */
static HF_MUST_USE enum hf_status unquote(struct hf_slice printed, size_t *at, struct hf_bytes *out)
{
    enum hf_status status = HF_OK;
    while (*at < printed.size && printed.data[*at] != '"' && status == HF_OK) {
        size_t start = *at;
        while (*at < printed.size && printed.data[*at] != '"' && printed.data[*at] != '\\') {
            ++*at;
        }
        status = hf_bytes_append(out, hf_slice_of(printed.data + start, *at - start));
        if (status == HF_OK && *at < printed.size && printed.data[*at] == '\\') {
            struct hf_slice next =
                hf_slice_of(printed.data + *at + 1, *at + 1 < printed.size ? 1 : 0);
            status = hf_bytes_append(out, hf_slice_is(next, "n") ? hf_slice_text("\n") : next);
            *at += 2;
        }
    }
    *at += *at < printed.size;
    return status;
}

/* The name at `at`, escaped; `at` passes the `="` behind it. */
static HF_MUST_USE enum hf_status take_name(struct hf_slice printed, size_t *at,
                                            enum hf_prom_escaping escaping, struct hf_bytes *out)
{
    struct hf_bytes name = {.size = 0};
    enum hf_status status = HF_OK;
    if (printed.data[*at] == '"') {
        ++*at;
        status = unquote(printed, at, &name);
    } else {
        size_t start = *at;
        while (*at < printed.size && printed.data[*at] != '=') {
            ++*at;
        }
        status = hf_bytes_append(&name, hf_slice_of(printed.data + start, *at - start));
    }
    if (status == HF_OK) {
        status = hf_prom_escape_name(HF_PROM_LABEL_NAME, hf_slice_of(name.data, name.size),
                                     escaping, out);
    }
    hf_bytes_release(&name);
    *at += 2;
    return status;
}

enum hf_status prometheus_labels_add_printed(struct prometheus_labels *labels,
                                             struct hf_slice printed,
                                             enum hf_prom_escaping escaping)
{
    enum hf_status status = HF_OK;
    for (size_t at = 0; at < printed.size && status == HF_OK; at++) { /* over the comma */
        struct prometheus_label *label = NULL;
        status = take(labels, &label);
        status = status == HF_OK ? take_name(printed, &at, escaping, &labels->texts) : status;
        if (status == HF_OK) {
            label->value = labels->texts.size;
            label->name_size = label->value - label->name;
            status = unquote(printed, &at, &labels->texts);
        }
        if (status == HF_OK) {
            end(labels, label);
        }
    }
    return status;
}

/* ---- printing ---- */

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

static HF_MUST_USE enum hf_status print_name(struct hf_slice name, struct hf_bytes *out)
{
    if (hf_prom_is_classic(HF_PROM_LABEL_NAME, name)) {
        return hf_bytes_append(out, name);
    }
    enum hf_status status = hf_bytes_append(out, hf_slice_text("\""));
    status = status == HF_OK ? hf_prom_escape(name, true, out) : status;
    return status == HF_OK ? hf_bytes_append(out, hf_slice_text("\"")) : status;
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
            status = status == HF_OK ? print_name(name, out) : status;
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
