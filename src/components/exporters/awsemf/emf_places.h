/*
 * emf_places: where a data point goes, by its namespace, log group and stream, and its labels.
 * Private to the exporter; owned by the delivery's thread.
 */
#pragma once

#include "bulk/walk.h"
#include "emf_points.h"

/* What stands around a point. */
struct emf_around {
    struct emf_points *points;
    struct hf_bulk_walk walk;
    const struct hf_export *export;
    uint64_t now_ns;
    struct emf_place of_resource; /* without time and kind */
    bool is_placed;               /* all placeholders were found in the resource */
    struct hf_slice scope;
    struct hf_slice metric; /* the one before, to see that another begins */
    struct emf_place place; /* of the metric's points; what one sets stays for the next */
    struct hf_slice name, unit;
    uint32_t item;
    size_t range;
    uint32_t range_first;
};

/* The resource of the point is another than before. HF_NOMEM, as all here. */
HF_MUST_USE enum hf_status emf_enter_resource(struct emf_around *around);
/* Placeholders that the resource did not tell may stand in the labels. */
HF_MUST_USE enum hf_status emf_place_by_labels(struct emf_around *around,
                                               const struct emf_labels *labels);

/* The labels of a point, with room for four more. */
HF_MUST_USE enum hf_status emf_make_labels(struct emf_around *around, struct hf_slice point,
                                           uint32_t number, struct emf_labels *ret_labels);
/* There is room. To be settled then. `key` lives as long as the labels. */
void emf_add_label(struct emf_labels *labels, const char *key, struct hf_slice value);
/* The label kubernetes, of pods and containers when that is configured. */
HF_MUST_USE enum hf_status emf_add_kubernetes(struct emf_points *points, struct emf_labels *labels);

/* Copies in the arena; without data: no memory. */
struct hf_slice emf_keep(struct emf_points *points, struct hf_slice text);
struct hf_slice emf_join(struct emf_points *points, struct hf_slice left, const char *between,
                         struct hf_slice right);
/* Fields of that number. */
size_t emf_count_pairs(struct hf_slice owner, uint32_t number);
