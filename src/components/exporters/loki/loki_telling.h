/*
 * loki_telling: the attributes of a record that tell where it goes: that are labels, hints or a
 * tenant. A record that has none of them has the labels of its resource and of its severity, and
 * the tenant and the form of the line of its resource.
 *
 * Immutable after loki_telling_init(): any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "loki_labels.h"
#include "loki_record.h"

struct loki_telling {
    struct hf_slice *names; /* of the configuration or of this program: they are borrowed */
    size_t count;
    uint64_t sizes; /* of the names, a bit each, modulo 64 */
};

/* `tenant_key`: the attribute that the configuration names for the tenant; NULL: none. HF_NOMEM.
 * Ends with loki_telling_release() in any case. */
HF_MUST_USE enum hf_status loki_telling_init(struct loki_telling *telling,
                                             const struct loki_label_config *config,
                                             const char *tenant_key);
void loki_telling_release(struct loki_telling *telling);

/* Has a record with these attributes one of them? */
bool loki_is_telling(const struct loki_telling *telling, struct loki_pairs attributes);
