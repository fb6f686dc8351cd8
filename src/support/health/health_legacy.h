/*
 * health_legacy: the first version's page: 200 while durable enqueue works and the service runs;
 * 503 otherwise. No state but its arguments; any thread.
 */
#pragma once

#include "health.h"

/* Answers the request. `started_ns`: monotonic; `up_since_ns`: Unix time of the same moment. */
void hf_health_legacy_show(const struct hf_node *node, const struct hf_health_config *config,
                           uint64_t started_ns, uint64_t up_since_ns,
                           struct hf_http_request *request);
