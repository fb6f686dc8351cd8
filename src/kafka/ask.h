/*
 * ask: are brokers there, and do they take our credentials? Asked by a client of its own, which
 * lives for the call. Any thread.
 */
#pragma once

#include <stdint.h>

#include <holdfast/status.h>

#include "library.h"
#include "settings.h"

/* Waits at most `timeout_ns`. `ret_brokers` is how many the cluster has. Otherwise what the library
 * says last is in `reterr` (HF_ERROR_MAX). */
HF_MUST_USE enum hf_status hf_kafka_ask(const struct hf_kafka_library *library,
                                        const struct hf_kafka_settings *settings,
                                        uint64_t timeout_ns, int *ret_brokers, char *reterr);
