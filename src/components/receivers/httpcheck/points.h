/*
 * points: the answers of a round as metrics. The scraper's thread.
 */
#pragma once

#include "exchange.h"
#include "pdata/build.h"

/* Points that were written. `begun_ns`: Unix time of the receiver's start. */
uint32_t httpcheck_points_write(struct hf_builder *builder, const struct httpcheck_wanted *wanted,
                                const struct httpcheck_url *urls, size_t count, uint64_t begun_ns);
