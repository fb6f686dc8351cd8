/*
 * xray_config: the keys of the exporter. Immutable after loading.
 */
#pragma once

#include <holdfast/field.h>

#include "support/settings/configaws.h"

struct xray_config {
    struct hf_aws_config aws;
    struct hf_string_list indexed, log_groups;
    bool index_all, skip_validation;
    struct {
        bool enabled;
    } telemetry;
};

extern const struct hf_field xray_fields[];
const char *xray_check(const void *config);
