/*
 * component: what a folder under src/components exports.
 *
 * Adding a component is that folder, one line in src/components.def and one test file. A NULL
 * pointer means "nothing to do". Life: open (allocate, check the environment) - start (traffic
 * flows) - stop (take no new data, finish requests in flight) - close (free). open, start, stop and
 * close run on the main thread, or, for a receiver that another one has started (subreceiver.h), on
 * a thread of that one. open and start of two components never run at the same time. The other
 * functions name their thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth.h"
#include "batch.h"
#include "connector.h"
#include "export.h"
#include "field.h"
#include "leader.h"
#include "node.h"
#include "observer.h"
#include "probe.h"
#include "queued_processor.h"
#include "status.h"

enum hf_kind {
    HF_RECEIVER = 0,
    HF_PROCESSOR,
    HF_EXPORTER,
    HF_EXTENSION,
    HF_CONNECTOR,
    HF_KIND_COUNT
};

struct hf_batching;
struct hf_storage_config;

/*
 * In the structs below `context_keys` names the client metadata that the component reads, asked
 * after open: lower-case header names, "client.address", or "auth.NAME". Receivers then keep them.
 * The array belongs to the component. NULL: none.
 */

/* A processor that answers at once. */
struct hf_processor_ops {
    /*
     * The receiving thread, many at a time, so `self` is immutable after start. Gives the batch
     * that continues in place of `batch` (borrowed): the same with a reference taken, a new one, or
     * NULL with HF_OK when nothing is left of it. On failure `ret_batch` is untouched, and the
     * client gets that status. NULL: it changes no batch.
     */
    enum hf_status (*process)(void *self, struct hf_batch *batch, struct hf_batch **ret_batch);
    const char *const *(*context_keys)(void *self, size_t *ret_count);
    /* How the exporters behind it batch their requests; part of `config`. NULL: it does not say. */
    const struct hf_batching *(*batching)(const void *config);
    /* After open: the limit of the process's memory in bytes; receivers then hold less. NULL: it
     * sets no limit. */
    uint64_t (*memory_limit)(const void *self);
};

/* A processor that waits or remembers, and a connector that does: see queued_processor.h. */
struct hf_queued_ops {
    /*
     * HF_OK: the input is the component's until hf_input_done(). Anything else: not now; it is
     * offered again when another input is done, and soon anyway.
     */
    enum hf_status (*process_queued)(void *self, struct hf_input *input);
    const char *const *(*context_keys)(void *self, size_t *ret_count);
};

struct hf_exporter_ops {
    /* See export.h. The delivery's thread. Ends in exactly one hf_export_done(), now or later. */
    void (*send)(void *self, struct hf_export *export);
    const char *const *(*context_keys)(void *self, size_t *ret_count);
    /* The default of the key `timeout`, which all exporters have; NULL: "5s". An attempt's own
     * deadline is in struct hf_export. */
    const char *timeout;
    /* It has none of the keys `timeout`, `sending_queue` and `retry_on_failure`: their defaults
     * apply. */
    bool has_no_delivery_keys;
    /* Requests lent at once when it has no such keys, 0: 1; when it has, the most that
     * num_consumers allows, 0: any. 1 keeps their order. */
    unsigned in_flight;
    /* What the protocol or the backend allows, whatever is configured; 0: no limit of its own. The
     * bytes are those of the protobuf before compression; 4 MiB less 64 KiB when 0. */
    uint64_t request_bytes_max, request_items_max;
    uint64_t wait_ns_max; /* the longest time that records wait for others to fill a request */
};

struct hf_extension_ops {
    const struct hf_auth *auth; /* it authenticates: see auth.h. Any thread. NULL: it does not */
    const struct hf_leader *leader; /* it elects a leader: see leader.h. NULL: it does not */
    /* It finds endpoints: see observer.h. NULL: it does not */
    const struct hf_observer *observer;
    /* It names the data directory: that part of `config`. NULL: it does not. */
    const struct hf_storage_config *(*storage)(const void *config);
};

struct hf_component {
    const char *type;           /* as in YAML: "otlphttp" */
    const char *const *aliases; /* other spellings, NULL-terminated, or NULL */
    const char *help;           /* one line */
    enum hf_kind kind;
    unsigned signals; /* HF_SIGNAL_BIT()s it can carry; extensions: 0 */
    size_t config_size;
    const struct hf_field *fields; /* ends with HF_FIELDS_END */

    /* What no single field can tell: NULL, or a sentence that names the key. See util/mistake.h. */
    const char *(*check)(const void *config);
    /* `holdfast check`: tells `probe` what it needs of the world outside; see probe.h. NULL:
     * nothing. */
    void (*probe)(const void *config, struct hf_probe *probe);

    /*
     * `config` is borrowed and outlives the component. On failure `reterr` (HF_ERROR_MAX bytes)
     * holds one plain sentence: what, where, what to do; nothing is left allocated.
     */
    enum hf_status (*open)(struct hf_node *node, const void *config, void **ret_self, char *reterr);
    enum hf_status (*start)(void *self, char *reterr);
    void (*stop)(void *self);
    void (*close)(void *self);

    /* What the kind does: the struct of its own kind, NULL for the others. A processor has one of
     * `processor` and `queued`; a connector has `connector`, and `queued` unless it answers at
     * once; receivers need none. */
    const struct hf_processor_ops *processor;
    const struct hf_queued_ops *queued;
    const struct hf_connector_ops *connector;
    const struct hf_exporter_ops *exporter;
    const struct hf_extension_ops *extension;
};

#define HF_ERROR_MAX 512
