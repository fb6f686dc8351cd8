/*
 * coralogix_names: sets cx.application.name and cx.subsystem.name of every resource of a request,
 * by which Coralogix sorts it. Owned by the delivery's thread.
 */
#pragma once

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "coralogix_config.h"
#include "util/compress/compress.h"

/* Zeroed at first but for `config`; coralogix_names_release() at last. */
struct coralogix_names {
    const struct coralogix_config *config;
    struct hf_bytes text;
};

/*
 * Appends the request with its names to `out`. When nothing is to change, nothing is appended and
 * `ret_changed` is false. HF_CORRUPT: `raw` is no request. HF_TOO_LARGE, HF_NOMEM.
 */
HF_MUST_USE enum hf_status coralogix_names_put(struct coralogix_names *names, enum hf_signal signal,
                                               struct hf_slice raw, struct hf_bytes *out,
                                               bool *ret_changed);
void coralogix_names_release(struct coralogix_names *names);
