/*
 * self_metrics: Holdfast's own metrics: gauges of the process and of every queue, refreshed at each
 * scrape, and their HTTP endpoint.
 */
#pragma once

#include "config/config.h"
#include "pipeline/graph.h"

struct hf_self_metrics;

/* Registers the gauges of the process and the store. HF_NOMEM. Main thread, as all below. */
HF_MUST_USE enum hf_status hf_self_metrics_new(const struct hf_host *host,
                                               struct hf_self_metrics **ret_self);
/* The process's service.instance.id, as long as `self`. */
const char *hf_self_metrics_instance(const struct hf_self_metrics *self);
/* Stops the endpoint. NULL is nothing. */
void hf_self_metrics_free(struct hf_self_metrics *self);

/* The graph whose exporters are asked at a scrape; NULL while it changes: waits for a scrape in
 * progress. */
void hf_self_metrics_watch(struct hf_self_metrics *self, struct hf_graph *graph);

/*
 * Serves /metrics as the telemetry section says; an endpoint of before is stopped when it has
 * changed. Level none or no address: no endpoint. On failure `reterr` says why.
 */
HF_MUST_USE enum hf_status hf_self_metrics_serve(struct hf_self_metrics *self,
                                                 const struct hf_telemetry_config *telemetry,
                                                 char *reterr);
