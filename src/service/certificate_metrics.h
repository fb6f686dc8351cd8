/*
 * certificate_metrics: the gauge holdfast_certificate_seconds_until_expiry, for each key of a
 * component that names certificates. Files are read at most once a minute, by the scraping thread.
 *
 * Of a server's or client's own certificates (cert_file, cert_pem) the one that expires first
 * counts, as what comes with it is of no use without it; of authorities the one that expires last,
 * since until then a peer can be trusted, and a bundle has some that are over. Negative: expired.
 * 0: it cannot be read. Owned by one thread at a time.
 */
#pragma once

#include "config/config.h"
#include "util/metrics/metrics.h"

struct hf_certificate_metrics;

HF_MUST_USE enum hf_status hf_certificate_metrics_new(struct hf_metrics *metrics,
                                                      struct hf_certificate_metrics **ret_metrics);
/* NULL is nothing. */
void hf_certificate_metrics_free(struct hf_certificate_metrics *metrics);
/* Sets the gauges. What the configuration no longer names has HF_CERTIFICATE_NONE_S. */
void hf_certificate_metrics_show(struct hf_certificate_metrics *metrics,
                                 const struct hf_config *config, uint64_t unix_s,
                                 uint64_t monotonic_ns);
/* The next time the files are read, because the configuration has changed. */
void hf_certificate_metrics_forget(struct hf_certificate_metrics *metrics);

#define HF_CERTIFICATE_NONE_S INT64_C(1000000000)
