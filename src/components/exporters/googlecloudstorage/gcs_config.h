/*
 * gcs_config: the configuration of the exporter googlecloudstorage. Immutable; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/field.h>

#include "support/sending/object_body.h"
#include "util/tls/tls.h"

struct gcs_partition {
    const char *format, *prefix;
};

struct gcs_bucket {
    const char *name, *project_id, *region, *file_prefix;
    struct gcs_partition partition;
    bool reuse_if_exists;
    int64_t compression;
};

struct gcs_hmac {
    const char *access_id, *secret;
};

struct gcs_config {
    struct gcs_bucket bucket;
    const char *encoding, *endpoint;
    int64_t format; /* enum hf_object_format */
    struct gcs_hmac hmac;
    struct hf_tls_config tls;
};

extern const struct hf_field gcs_fields[];
const char *gcs_check(const void *config);

enum hf_coding gcs_coding(const struct gcs_config *config);
/* Is the XML interface spoken, with signatures by an HMAC key? */
bool gcs_has_hmac(const struct gcs_config *config);
