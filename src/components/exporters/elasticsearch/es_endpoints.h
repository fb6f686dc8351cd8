/*
 * es_endpoints: where the nodes are: endpoint, endpoints, cloudid or the environment. Owned by the
 * exporter.
 */
#pragma once

#include <stddef.h>

#include <holdfast/status.h>

#include "es_config.h"

struct es_endpoints {
    char **urls; /* of _bulk, with what is asked of every request */
    size_t count, next;
};

/* NULL or a sentence. */
const char *es_endpoints_check(const struct es_config *config);

/* `query` stands behind each URL's own; "a=b&c=d" or "". HF_INVALID, HF_NOMEM with a sentence in
 * `reterr` (HF_ERROR_MAX). */
HF_MUST_USE enum hf_status es_endpoints_open(const struct es_config *config, const char *query,
                                             struct es_endpoints *ret, char *reterr);
/* The one whose turn it is. */
const char *es_endpoints_next(struct es_endpoints *endpoints);
void es_endpoints_close(struct es_endpoints *endpoints);
