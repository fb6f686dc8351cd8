#include "prw_labels.h"

#include <stdlib.h>
#include <string.h>

#include "pdata/any.h"
#include "prometheus/names.h"
#include "util/grow.h"

#define LABEL_NAME 1u
#define LABEL_VALUE 2u

void prw_labels_release(struct prw_labels *labels)
{
    free(labels->items);
    *labels = (struct prw_labels){0};
}

static bool reserve(struct prw_labels *labels, size_t count)
{
    bool has_room = hf_grow(&labels->items, &labels->capacity, count, sizeof(*labels->items));
    labels->failed |= !has_room;
    return has_room;
}

static struct prw_label *find(const struct prw_labels *labels, struct hf_slice name)
{
    for (size_t i = 0; i < labels->count; i++) {
        if (hf_slice_equal(labels->items[i].name, name)) {
            return &labels->items[i];
        }
    }
    return NULL;
}

static void append(struct prw_labels *labels, struct hf_slice name, struct hf_slice value)
{
    if (name.size != 0 && value.size != 0 && reserve(labels, labels->count + 1)) {
        labels->items[labels->count++] = (struct prw_label){name, value};
    }
}

void prw_labels_set(struct prw_labels *labels, struct hf_slice name, struct hf_slice value)
{
    struct prw_label *known = find(labels, name);
    if (known == NULL) {
        append(labels, name, value);
    } else if (value.size != 0) {
        known->value = value;
    }
}

void prw_labels_offer(struct prw_labels *labels, struct hf_slice name, struct hf_slice value)
{
    if (find(labels, name) == NULL) {
        append(labels, name, value);
    }
}

struct hf_slice prw_text(struct hf_document *document, struct hf_slice value)
{
    struct hf_any any = hf_any_read(value);
    if (any.type == HF_ANY_STRING) {
        return any.bytes;
    }
    struct hf_bytes text = {0};
    struct hf_slice kept = HF_EMPTY_SLICE;
    if (hf_any_text(value, &text) == HF_OK) {
        kept = hf_document_keep(document, hf_slice_of(text.data, text.size));
    }
    hf_bytes_release(&text);
    return kept;
}

static bool is_clean(struct hf_slice key)
{
    for (size_t i = 0; i < key.size; i++) {
        uint8_t byte = key.data[i];
        bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        if (!is_letter && (i == 0 || ((byte < '0' || byte > '9') && byte != '_'))) {
            return false;
        }
    }
    return true;
}

struct hf_slice prw_name(struct hf_document *document, const char *prefix, struct hf_slice key,
                         bool as_is)
{
    bool has_prefix = prefix[0] != '\0';
    if (!has_prefix && (as_is || is_clean(key))) {
        return key;
    }
    struct hf_bytes name = {0};
    struct hf_slice kept = HF_EMPTY_SLICE;
    enum hf_status status = hf_bytes_append(&name, hf_slice_text(prefix));
    if (status == HF_OK) {
        status = as_is ? hf_bytes_append(&name, key) : hf_prom_label_name(key, &name);
    }
    if (status == HF_OK) {
        kept = hf_document_keep(document, hf_slice_of(name.data, name.size));
    }
    hf_bytes_release(&name);
    return kept;
}

/* They are few, and mostly sorted: insertion. */
static void sort(struct prw_label *items, size_t count)
{
    const size_t few = 32;
    if (count > few) {
        qsort(items, count, sizeof(*items), hf_slice_order);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        struct prw_label moved = items[i];
        size_t at = i;
        for (; at > 0 && hf_slice_order(&items[at - 1], &moved) > 0; at--) {
            items[at] = items[at - 1];
        }
        items[at] = moved;
    }
}

static struct hf_slice joined(struct hf_document *document, struct hf_slice left,
                              struct hf_slice right)
{
    struct hf_bytes text = {0};
    struct hf_slice kept = left;
    if (hf_bytes_append(&text, left) == HF_OK &&
        hf_bytes_append(&text, hf_slice_text(";")) == HF_OK &&
        hf_bytes_append(&text, right) == HF_OK) {
        kept = hf_document_keep(document, hf_slice_of(text.data, text.size));
    }
    hf_bytes_release(&text);
    return kept;
}

void prw_labels_add(struct prw_labels *labels, struct hf_document *document, const char *prefix,
                    const struct hf_attributes *attributes, const struct hf_attributes *over,
                    bool as_is)
{
    size_t start = labels->count;
    for (size_t i = 0; attributes != NULL && i < attributes->count; i++) {
        const struct hf_attribute *one = &attributes->items[i];
        if (over == NULL || hf_attributes_find(over, one->key) == NULL) {
            append(labels, one->key, prw_text(document, one->value));
        }
    }
    for (size_t i = 0; over != NULL && i < over->count; i++) {
        append(labels, over->items[i].key, prw_text(document, over->items[i].value));
    }
    sort(labels->items + start, labels->count - start);
    size_t count = labels->count;
    labels->count = start;
    for (size_t i = start; i < count; i++) {
        struct prw_label one = labels->items[i];
        one.name = prw_name(document, prefix, one.name, as_is);
        struct prw_label *known = find(labels, one.name);
        if (known == NULL && one.name.size != 0) {
            labels->items[labels->count++] = one;
        } else if (known != NULL && !hf_slice_equal(known->value, one.value)) {
            known->value = joined(document, known->value, one.value);
        }
    }
}

void prw_labels_write(struct prw_labels *labels, uint32_t number, struct hf_wire_writer *writer)
{
    writer->failed = writer->failed || labels->failed;
    sort(labels->items, labels->count);
    for (size_t i = 0; i < labels->count; i++) {
        const struct prw_label *label = &labels->items[i];
        struct hf_wire_message message =
            hf_wire_open(writer, number, label->name.size + label->value.size + 4);
        hf_wire_put_bytes(writer, LABEL_NAME, label->name);
        hf_wire_put_bytes(writer, LABEL_VALUE, label->value);
        hf_wire_close(writer, message);
    }
}

static void put_ref(struct prw_symbols *symbols, struct hf_slice text,
                    struct hf_wire_writer *writer)
{
    uint32_t number;
    if (prw_symbols_find(symbols, text, &number) == HF_OK) {
        hf_wire_put_packed(writer, HF_WIRE_VARINT, number);
    } else {
        writer->failed = true;
    }
}

void prw_labels_write_refs(struct prw_labels *labels, struct prw_symbols *symbols, uint32_t number,
                           struct hf_wire_writer *writer)
{
    writer->failed = writer->failed || labels->failed;
    sort(labels->items, labels->count);
    if (labels->count == 0) {
        return;
    }
    struct hf_wire_message packed = hf_wire_open(writer, number, 4 * labels->count);
    for (size_t i = 0; i < labels->count; i++) {
        put_ref(symbols, labels->items[i].name, writer);
        put_ref(symbols, labels->items[i].value, writer);
    }
    hf_wire_close(writer, packed);
}

enum hf_status prw_labels_copy(struct prw_labels *to, const struct prw_labels *from)
{
    to->count = 0;
    to->failed = from->failed;
    if (!reserve(to, from->count)) {
        return HF_NOMEM;
    }
    if (from->count != 0) {
        memcpy(to->items, from->items, from->count * sizeof(*from->items));
    }
    to->count = from->count;
    return HF_OK;
}
