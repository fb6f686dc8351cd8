/*
 * fluent: events of the Forward protocol of Fluentd and Fluent Bit as OTLP log records: the modes
 * Message, Forward, PackedForward and CompressedPackedForward. Any thread; no state.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "pdata/build.h"

enum hf_fluent_step {
    HF_FLUENT_WHOLE = 0,
    HF_FLUENT_MORE,   /* the event is not here yet */
    HF_FLUENT_BROKEN, /* no MessagePack, or nested too deep */
};

/* How many bytes the first event takes. */
enum hf_fluent_step hf_fluent_measure(struct hf_slice bytes, size_t *ret_size);

#define HF_FLUENT_ERROR_MAX 256
#define HF_FLUENT_UNPACKED_MAX ((size_t)64 << 20) /* what the entries of an event unpack to */

struct hf_fluent_event {
    struct hf_slice chunk; /* to be acknowledged, into the event's bytes; empty: nothing is asked */
    uint32_t records;
};

/*
 * Writes the records of a whole event, all or none of them, into a builder of logs, below the
 * resource and scope that are open. HF_INVALID or HF_TOO_LARGE with a sentence in `reterr`
 * (HF_FLUENT_ERROR_MAX); HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_fluent_read(struct hf_slice event, struct hf_builder *builder,
                                          struct hf_fluent_event *ret_event, char *reterr);
