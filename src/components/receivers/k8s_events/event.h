/*
 * event: one event of a Kubernetes cluster as a log record.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pdata/build.h"
#include "json/json.h"

/* Unix time of RFC 3339 text, in nanoseconds. False: it is none. */
HF_MUST_USE bool k8s_event_parse_time(struct hf_slice text, uint64_t *ret_ns);

/* When it happened: eventTime, else lastTimestamp, else firstTimestamp; 0: it does not say. */
uint64_t k8s_event_time(const struct hf_json *event);

/* Writes a resource, a scope and one record. */
void k8s_event_build(struct hf_builder *builder, const struct hf_json *event, uint64_t observed_ns);
