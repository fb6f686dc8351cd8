/*
 * bulk_exporter: an exporter over the bulk API but for its documents and its URLs: the request, its
 * answer document by document, and the credentials of a configuration. On support/http_exporter and
 * the engine src/bulk. Owned by the thread of the delivery.
 */
#pragma once

#include <holdfast/export.h>
#include <holdfast/node.h>

#include "bulk/answer.h"
#include "bulk/bulk.h"
#include "support/settings/confighttp.h"

struct hf_bulk_exporter;

struct hf_bulk_exporter_ops {
    /* Writes the documents of `raw`, the bodies of `export` as one, with hf_bulk_next_item() for
     * each item; the same again when it is asked again. The request has begun. */
    enum hf_status (*build)(void *user, struct hf_bulk *bulk, const struct hf_export *export,
                            struct hf_slice raw);
    /* The URL of _bulk for that request. */
    const char *(*url)(void *user, const struct hf_export *export);
};

struct hf_bulk_exporter_options {
    struct hf_node *node;
    const struct hf_http_client_config *config; /* borrowed until close */
    unsigned signals;                           /* as HF_SIGNAL_BIT()s */
    const char *any_url;                        /* one of the URLs */
    uint64_t bytes_max;                         /* of a request's text */
    struct hf_bulk_retry retry;                 /* its codes are borrowed */
    const char *user_name, *password, *api_key; /* NULL or "": none */
    const struct hf_bulk_exporter_ops *ops;
    void *user; /* for the ops */
};

/* HF_INVALID and others with a sentence in `reterr` (HF_ERROR_MAX). Main thread, in `open`. */
HF_MUST_USE enum hf_status hf_bulk_exporter_open(const struct hf_bulk_exporter_options *options,
                                                 struct hf_bulk_exporter **ret_exporter,
                                                 char *reterr);
void hf_bulk_exporter_send(struct hf_bulk_exporter *exporter, struct hf_export *export);
const char *const *hf_bulk_exporter_context_keys(struct hf_bulk_exporter *exporter,
                                                 size_t *ret_count);
/* NULL: nothing. */
void hf_bulk_exporter_close(struct hf_bulk_exporter *exporter);

/* What is asked of an answer: what is read of it. A part of a URL's query. */
#define HF_BULK_FILTER                                                                             \
    "filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason,"                   \
    "items.*.error.caused_by.reason,error"
