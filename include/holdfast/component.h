/*
 * component: what one file under src/receiver, processor, exporter or extension exports.
 *
 * Adding a component is that file, one line in src/components.def and one test file. A NULL pointer
 * means "nothing to do". Life: open (allocate, check the outside world) - start (traffic flows) -
 * stop (take nothing new, finish what is in flight) - close (free). open, start, stop and close run
 * on the main thread; the others say where.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth.h"
#include "batch.h"
#include "export.h"
#include "field.h"
#include "node.h"
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

struct hf_component {
    const char *type;           /* as in YAML: "otlphttp" */
    const char *const *aliases; /* other spellings, NULL-terminated, or NULL */
    const char *help;           /* one line */
    enum hf_kind kind;
    unsigned signals; /* HF_SIGNAL_BIT()s it can carry; extensions: 0 */
    size_t config_size;
    const struct hf_field *fields; /* ends with HF_FIELDS_END */

    /* Only what no single field can tell. Returns NULL, or one sentence that names the key. */
    const char *(*check)(const void *config);

    /*
     * `config` is borrowed and outlives the component. On failure `reterr` (HF_ERROR_MAX bytes)
     * holds one plain sentence: what, where, what to do; nothing is left allocated.
     */
    enum hf_status (*open)(struct hf_node *node, const void *config, void **ret_self, char *reterr);
    enum hf_status (*start)(void *self, char *reterr);
    void (*stop)(void *self);
    void (*close)(void *self);

    /*
     * Processor: the receiving thread, many at a time, so `self` is immutable after start. Makes of
     * `batch` (borrowed) the batch that goes on: the same with a reference taken, a new one, or
     * NULL with HF_OK when nothing is left of it. `ret_batch` is untouched on failure, and the
     * failure is what the sender is told.
     */
    enum hf_status (*process)(void *self, struct hf_batch *batch, struct hf_batch **ret_batch);

    /*
     * Processor that waits or remembers, connector: see stage.h. HF_OK: the input is the
     * component's until hf_input_done(). Anything else: not now; it is offered again when something
     * else is done with, and soon anyway.
     */
    enum hf_status (*process_queued)(void *self, struct hf_input *input);

    /* Exporter: see export.h. The sender's thread. Ends in exactly one hf_export_done(), now or
     * later. */
    void (*send)(void *self, struct hf_export *export);

    /* Exporter: its configuration begins with struct hf_delivery_config (sending.h). */
    bool has_delivery_keys;

    /*
     * Processor: the client metadata it reads, after open: lower-case header names, or
     * "client.address", or "auth.NAME". Receivers then keep them. The array is the component's.
     * NULL: none.
     */
    const char *const *(*context_keys)(void *self, size_t *ret_count);

    /* Processor, after open: the bytes that the process shall never use; receivers hold less then.
     * NULL: it sets no limit. */
    uint64_t (*memory_limit)(const void *self);

    /* Extension that authenticates: see auth.h. Any thread. */
    const struct hf_auth *auth;
};

#define HF_ERROR_MAX 512
