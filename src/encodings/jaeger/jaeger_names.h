/*
 * jaeger_names: names that the readers and the writers of Jaeger's formats share.
 */
#pragma once

#include <stdint.h>

#include <holdfast/slice.h>

#define HF_JAEGER_NO_SERVICE "OTLPResourceNoServiceName" /* what the Go collector writes */
#define HF_JAEGER_REFERENCE_TYPE "opentracing.ref_type"

/* "server" and others, by OTLP's kinds; empty: none. */
static inline struct hf_slice hf_jaeger_kind_name(int64_t kind)
{
    static const char *const names[] = {"", "internal", "server", "client", "producer", "consumer"};
    bool is_known = kind > 0 && (size_t)kind < sizeof(names) / sizeof(names[0]);
    return hf_slice_text(names[is_known ? kind : 0]);
}
