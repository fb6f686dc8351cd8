#include "selection.h"

#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "pdata/any.h"
#include "pdata/metric_fields.h"
#include "pdata/walk.h"

static enum hf_status compile(const char *name, const char *key, const char *pattern,
                              struct hf_regex **ret_regex, char *reterr)
{
    char why[HF_REGEX_ERROR_MAX];
    enum hf_status status = hf_regex_new(pattern, ret_regex, why);
    if (status == HF_INVALID) {
        snprintf(reterr, HF_ERROR_MAX, "%.60s::%.60s: %.250s", name, key, why);
    }
    return status;
}

enum hf_status metricstransform_select(struct metricstransform_selection *selection,
                                       const char *name, bool is_regexp, char *reterr)
{
    if (!is_regexp) {
        return HF_OK;
    }
    enum hf_status status = compile(name, "include", selection->include, &selection->name, reterr);
    selection->of_label = calloc(selection->labels.count + 1, sizeof(struct hf_regex *));
    if (status == HF_OK && selection->of_label == NULL) {
        status = HF_NOMEM;
    }
    for (size_t i = 0; status == HF_OK && i < selection->labels.count; i++) {
        status = compile(name, "experimental_match_labels", selection->labels.items[i].value,
                         &selection->of_label[i], reterr);
    }
    return status;
}

void metricstransform_selection_release(struct metricstransform_selection *selection)
{
    for (size_t i = 0; selection->of_label != NULL && i < selection->labels.count; i++) {
        hf_regex_free(selection->of_label[i]);
    }
    free(selection->of_label);
    hf_regex_free(selection->name);
    selection->of_label = NULL;
    selection->name = NULL;
}

bool metricstransform_means_name(const struct metricstransform_selection *selection,
                                 struct hf_slice name)
{
    return selection->name != NULL ? hf_regex_matches(selection->name, name)
                                   : hf_slice_is(name, selection->include);
}

bool metricstransform_means_point(const struct metricstransform_selection *selection,
                                  struct hf_message *point)
{
    uint32_t number = hf_message_attributes_number(hf_message_type(point));
    for (size_t i = 0; i < selection->labels.count; i++) {
        const struct hf_string_pair *label = &selection->labels.items[i];
        struct hf_slice text = HF_EMPTY_SLICE, value;
        if (hf_message_attribute(point, number, hf_slice_text(label->key), &value)) {
            struct hf_any any = hf_any_read(value);
            text = any.type == HF_ANY_STRING ? any.bytes : HF_EMPTY_SLICE;
        }
        bool matches = selection->of_label != NULL ? hf_regex_matches(selection->of_label[i], text)
                                                   : hf_slice_is(text, label->value);
        if (!matches) {
            return false;
        }
    }
    return true;
}

struct metricstransform_share
metricstransform_share(const struct metricstransform_selection *selection, struct hf_message *data)
{
    struct metricstransform_share share = {0, 0};
    struct hf_message *point = hf_message_first(data, HF_DATA_POINTS);
    for (; point != NULL; point = hf_message_next(point)) {
        share.meant += metricstransform_means_point(selection, point);
        share.all++;
    }
    return share;
}

bool metricstransform_means(const struct metricstransform_selection *selection,
                            struct hf_message *metric)
{
    if (!metricstransform_means_name(selection, hf_message_bytes(metric, HF_METRIC_NAME))) {
        return false;
    }
    struct metricstransform_share share = metricstransform_share(selection, hf_place_data(metric));
    return share.meant > 0 || share.all == 0;
}
