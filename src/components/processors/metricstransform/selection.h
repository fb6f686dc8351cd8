/*
 * selection: the metrics, and the data points of them, that a transform is about. Compiled once;
 * any thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/field.h>
#include <holdfast/status.h>

#include "pdata/message.h"
#include "util/regex/regex.h"

struct metricstransform_selection {
    const char *include;
    struct hf_string_map labels;
    struct hf_regex *name;      /* NULL: `include` as it is */
    struct hf_regex **of_label; /* in the order of `labels`; NULL: as they are */
};

/* `include` and `labels` are borrowed; `name` is the key. HF_INVALID with one sentence in `reterr`
 * (HF_ERROR_MAX); HF_NOMEM. What was made is released in any case by the function below. */
HF_MUST_USE enum hf_status metricstransform_select(struct metricstransform_selection *selection,
                                                   const char *name, bool is_regexp, char *reterr);
void metricstransform_selection_release(struct metricstransform_selection *selection);

bool metricstransform_means_name(const struct metricstransform_selection *selection,
                                 struct hf_slice name);
/* By the labels alone: a label that is not there counts as an empty one. */
bool metricstransform_means_point(const struct metricstransform_selection *selection,
                                  struct hf_message *point);

/* How many of the points are meant. */
struct metricstransform_share {
    size_t meant, all;
};

struct metricstransform_share
metricstransform_share(const struct metricstransform_selection *selection, struct hf_message *data);

/* By the name, and by a point at least, if there is any. */
bool metricstransform_means(const struct metricstransform_selection *selection,
                            struct hf_message *metric);
