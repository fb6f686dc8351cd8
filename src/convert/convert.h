/*
 * convert: a configuration of Fluent Bit as one of Holdfast, with a report of what has no equal.
 * Main thread.
 */
#pragma once

#include <stdio.h>

#include <holdfast/component.h>

struct hf_convert_options {
    const char *path; /* of a classic file, or of one that ends with .yaml or .yml */
    const struct hf_component *const *components;
    FILE *out, *report;
};

enum hf_convert_verdict {
    HF_CONVERT_WHOLE = 0, /* everything has an equal */
    HF_CONVERT_IN_PART,   /* the report names what was left out */
    HF_CONVERT_UNUSABLE   /* nothing was written: the report says why */
};

enum hf_convert_verdict hf_convert_run(const struct hf_convert_options *options);
