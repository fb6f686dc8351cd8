/*
 * prometheus_scrape: serves /metrics over HTTP: authentication, negotiation, the page. Any thread
 * of the server.
 */
#pragma once

#include <holdfast/node.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "prometheus_config.h"
#include "prometheus_negotiation.h"
#include "prometheus_print.h"
#include "util/compress/compress.h"

struct prometheus_scrape;

struct prometheus_scrape_options {
    struct hf_node *node;
    const struct prometheus_config *config;
    /* Appends what stands behind the cursor of the page of that format, about `enough` bytes. Any
     * thread. HF_NOMEM. */
    enum hf_status (*render)(void *user, const struct prometheus_format *format,
                             struct prometheus_cursor *cursor, size_t enough, struct hf_bytes *out);
    void *user;
};

/* Listens, and looks the authenticator up. On failure `reterr` (HF_ERROR_MAX) says why. */
HF_MUST_USE enum hf_status prometheus_scrape_open(const struct prometheus_scrape_options *options,
                                                  struct prometheus_scrape **ret_scrape,
                                                  char *reterr);
HF_MUST_USE enum hf_status prometheus_scrape_start(struct prometheus_scrape *scrape, char *reterr);
void prometheus_scrape_stop(struct prometheus_scrape *scrape);
void prometheus_scrape_close(struct prometheus_scrape *scrape);
