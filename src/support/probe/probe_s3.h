/*
 * probe_s3: is a store that speaks S3's protocol there, and may its bucket be read? The main
 * thread; each step takes at most the probe's timeout, or 3 s where credentials are looked for.
 */
#pragma once

#include <stdbool.h>

#include "probe.h"

struct hf_probe_s3 {
    const char *region, *endpoint, *bucket; /* as the keys have them; NULL: not given */
    bool force_path_style, disable_ssl;
};

/* Steps dns, tcp and tls of the server that has the bucket. */
void hf_probe_s3_server(struct hf_probe *probe, const struct hf_probe_s3 *store);

/* And the step bucket: asks for a list of nothing, with the credentials that a receiver would use.
 */
void hf_probe_s3_bucket(struct hf_probe *probe, const struct hf_probe_s3 *store);
