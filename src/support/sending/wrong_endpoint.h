/*
 * wrong_endpoint: an answer of HTTP that is about the endpoint and says nothing of the data,
 * whatever its code: from a port for another protocol, or a page for people where a backend was to
 * be. Pure; any thread.
 */
#pragma once

#include "http/client.h"

/* A sentence with the key to change: the data waits, and the exporter is unhealthy. NULL: the
 * answer is a backend's. */
const char *hf_wrong_endpoint(const struct hf_http_result *result);
