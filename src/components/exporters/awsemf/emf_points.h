/*
 * emf_points: the data points of a request as values with labels, in groups. Owned by the
 * delivery's thread.
 */
#pragma once

#include <holdfast/export.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "emf_config.h"
#include "emf_deltas.h"
#include "emf_groups.h"
#include "util/compress/compress.h"

struct emf_points {
    const struct emf_config *config;
    struct hf_slice default_stream;
    struct emf_deltas *deltas;
    struct emf_groups *groups;
    struct hf_arena *arena; /* the groups' */
    struct hf_bytes text;   /* kept for the next request */
    uint64_t left_out;      /* points that have no value, or one that JSON has not */
};

/* Reads all points of `raw`, the bodies of the export as one. HF_NOMEM, also when the arena's limit
 * is reached; HF_CORRUPT. */
HF_MUST_USE enum hf_status emf_points_read(struct emf_points *points,
                                           const struct hf_export *export, struct hf_slice raw,
                                           uint64_t now_ns);
