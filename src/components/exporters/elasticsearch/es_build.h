/*
 * es_build: the documents of one export request. Owned by the delivery's thread: zeroed at first,
 * es_builder_release() at last.
 */
#pragma once

#include <holdfast/export.h>

#include "bulk/bulk.h"
#include "es_context.h"
#include "es_metrics.h"

struct es_builder {
    const struct es_config *config;
    enum es_mode mode; /* the configured one */
    struct es_context context;
    struct es_metrics metrics;
};

/* Writes the documents of `raw`, the bodies of `export` as one. Whether memory ran out says the
 * status of `bulk`. */
void es_build(struct es_builder *builder, struct hf_bulk *bulk, const struct hf_export *export,
              struct hf_slice raw);

/* The mode of a request: the header that came with the data, else the configured one. */
enum es_mode es_mode_of_request(const struct es_builder *builder, struct hf_slice meta);

void es_builder_release(struct es_builder *builder);

#define ES_MODE_HEADER "x-elastic-mapping-mode"
