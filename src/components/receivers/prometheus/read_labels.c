/*
 * read_labels: the labels of a series: those that it brings, those of its target, and what rules
 * and limits say of them.
 */
#include <string.h>

#include "read_internal.h"

#define LITERAL(text) ((struct hf_slice){(const uint8_t *)(text), sizeof(text) - 1})
#define EXPORTED "exported_"

/* A label of the target takes the place of one that the series brings, which gets another name. */
static bool export_label(struct reading *reading, struct hf_prom_labels *labels,
                         struct hf_prom_label *label)
{
    struct hf_slice name = label->name;
    do {
        size_t size = sizeof(EXPORTED) - 1 + name.size;
        uint8_t *text = hf_arena_take(&reading->receiver->arena, size);
        if (text == NULL) {
            return false;
        }
        memcpy(text, EXPORTED, sizeof(EXPORTED) - 1);
        memcpy(text + sizeof(EXPORTED) - 1, name.data, name.size);
        name = hf_slice_of(text, size);
    } while (hf_prom_labels_get(labels, name).size != 0);
    label->name = name;
    return true;
}

static struct hf_prom_label *find(struct hf_prom_labels *labels, struct hf_slice name)
{
    for (size_t i = 0; i < labels->count; i++) {
        if (hf_slice_equal(labels->items[i].name, name)) {
            return &labels->items[i];
        }
    }
    return NULL;
}

bool prom_read_target_labels(struct reading *reading, struct hf_prom_labels *labels)
{
    const struct prom_target *target = reading->target;
    bool honors = reading->job->config->honor_labels;
    size_t own_count = labels->count;
    for (size_t i = 0; i < target->label_count; i++) {
        const struct hf_prom_label *label = &target->labels[i];
        struct hf_prom_label *own = own_count != 0 ? find(labels, label->name) : NULL;
        if (own != NULL && honors) {
            continue;
        }
        if (own != NULL && own->value.size == 0) {
            own->value = label->value;
            continue;
        }
        if ((own != NULL && !export_label(reading, labels, own)) ||
            labels->count == HF_PROM_LABELS_MAX) {
            return false;
        }
        labels->items[labels->count++] = *label;
    }
    return true;
}

bool prom_read_external_labels(struct reading *reading, struct hf_prom_labels *labels)
{
    const struct hf_string_map *map = &reading->receiver->config->prometheus.global.external_labels;
    for (size_t i = 0; i < map->count; i++) {
        if (!hf_prom_labels_set(labels, hf_slice_text(map->items[i].key),
                                hf_slice_text(map->items[i].value))) {
            return false;
        }
    }
    return true;
}

bool prom_read_relabel(struct reading *reading, struct hf_slice *name,
                       struct hf_prom_labels *labels)
{
    if (reading->job->metric_relabel == NULL) {
        return true;
    }
    if (!hf_prom_labels_set(labels, LITERAL("__name__"), *name)) {
        reading->no_memory = true;
        return false;
    }
    switch (hf_relabel_apply(reading->job->metric_relabel, labels, &reading->receiver->arena)) {
    case HF_RELABEL_DROPPED:
        return false;
    case HF_RELABEL_NO_MEMORY:
        reading->no_memory = true;
        return false;
    case HF_RELABEL_KEPT:
        break;
    }
    *name = hf_prom_labels_get(labels, LITERAL("__name__"));
    hf_prom_labels_remove(labels, LITERAL("__name__"));
    if (name->size == 0) {
        reading->error = "a rule of metric_relabel_configs removes the name of a series";
    }
    return reading->error == NULL;
}

bool prom_read_is_within_limits(struct reading *reading, struct hf_slice name,
                                const struct hf_prom_labels *labels)
{
    const struct prom_limits *limits = &reading->job->limits;
    if (limits->labels != 0 && (int64_t)labels->count + 1 > limits->labels) {
        reading->error = "a series has more labels than label_limit";
    }
    for (size_t i = 0; i < labels->count && limits->label_name + limits->label_value != 0; i++) {
        const struct hf_prom_label *label = &labels->items[i];
        if (limits->label_name != 0 && (int64_t)label->name.size > limits->label_name) {
            reading->error = "the name of a label is longer than label_name_length_limit";
        }
        if (limits->label_value != 0 && (int64_t)label->value.size > limits->label_value) {
            reading->error = "the value of a label is longer than label_value_length_limit";
        }
    }
    if (limits->label_value != 0 && (int64_t)name.size > limits->label_value) {
        reading->error = "the name of a metric is longer than label_value_length_limit";
    }
    return reading->error == NULL;
}
