/*
 * lb_split: one export request as a request for each backend that its items belong to.
 *
 * Owned by the loop of the delivery.
 */
#pragma once

#include <holdfast/export.h>

#include "lb_backends.h"
#include "lb_route.h"
#include "pdata/payload.h"
#include "util/compress/compress.h"

#define LB_SHARES_MAX 1024u /* as LB_ENDPOINTS_MAX */

/* The items of one export request for one backend. */
struct lb_share {
    struct lb_split *split;
    struct lb_backend *backend;
    struct hf_bytes bytes;
    struct hf_export_body body; /* into `bytes` */
    uint64_t begun_ns;
    struct hf_outcome outcome; /* its message is in `message`, or a constant */
    char message[257];
};

struct lb_split {
    struct hf_export *export;
    void *owner;              /* the exporter */
    uint16_t *share_of_item;  /* by the item's number; NULL: one share has them all */
    size_t share_count, open; /* shares without an answer */
    struct lb_share *shares;
};

/* HF_CORRUPT: the bodies do not decode, or do not have the items that they should have. HF_NOMEM.
 */
HF_MUST_USE enum hf_status lb_split_new(struct hf_export *export, struct lb_router *router,
                                        struct lb_backends *backends, struct hf_payload *scratch,
                                        struct lb_split **ret_split);
/* Every share has its outcome: ends the export, and frees. */
void lb_split_end(struct lb_split *split, const struct lb_backends *backends);
void lb_split_free(struct lb_split *split);
