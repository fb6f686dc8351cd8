/*
 * zpages: the pages, each written into HTML. Any thread.
 */
#pragma once

#include <holdfast/overview.h>

#include "support/health/html.h"

struct hf_http_request;

void hf_zpages_service(const struct hf_node *node, uint64_t started_unix_ns, struct hf_html *html);
/* A component of a pipeline when the query names one. */
void hf_zpages_pipelines(const struct hf_node *node, const struct hf_http_request *request,
                         struct hf_html *html);
/* An extension when the query names one. */
void hf_zpages_extensions(const struct hf_node *node, const struct hf_http_request *request,
                          struct hf_html *html);
void hf_zpages_features(struct hf_html *html);
/* The spans of a bucket when the query names one. */
void hf_zpages_traces(const struct hf_node *node, const struct hf_http_request *request,
                      struct hf_html *html);
