/*
 * ch_target: where an exporter clickhouse sends to, made of `endpoint`, `connection_params` and the
 * keys beside them, which may be written as for the Go driver.
 *
 * The HTTP interface is the only one that is spoken. Immutable once read; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "ch_config.h"
#include "util/compress/compress.h"

#define CH_HOSTS_MAX 16u
#define CH_ADDRESS_MAX 512u
#define CH_TEXT_MAX 256u

struct ch_target {
    char hosts[CH_HOSTS_MAX][CH_ADDRESS_MAX]; /* "https://host:8443/path/?" */
    size_t host_count;
    enum ch_strategy { CH_IN_ORDER = 0, CH_ROUND_ROBIN, CH_RANDOM } strategy;
    char user[CH_TEXT_MAX], password[CH_TEXT_MAX], database[CH_TEXT_MAX];
    char proxy[CH_ADDRESS_MAX];     /* "": none */
    const char *compression;        /* as confighttp has it */
    bool skips_verification;        /* skip_verify */
    bool has_native_ports;          /* they stand for others: a warning says so */
    bool has_weak_async;            /* wait_for_async_insert is off: a warning says so */
    struct hf_bytes settings;       /* "async_insert=1&max_execution_time=60" */
    struct hf_bytes without_effect; /* "dial_timeout, debug": a warning says so */
};

/* NULL, or a sentence that names the key. `ret` is to be released in either case. */
const char *ch_target_read(const struct ch_config *config, struct ch_target *ret);
void ch_target_release(struct ch_target *target);

/* Appends `text`, which is then fit to be the value of a parameter of a URL. HF_NOMEM. */
HF_MUST_USE enum hf_status ch_escape(const char *text, struct hf_bytes *out);
