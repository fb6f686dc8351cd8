/*
 * syslog_lines: log records as syslog messages, by RFC 5424 or RFC 3164. The fields of a message
 * are attributes of the record, as the receiver `syslog` makes them. Owned by the delivery's
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/export.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/compress/compress.h"

enum syslog_protocol { SYSLOG_RFC5424 = 0, SYSLOG_RFC3164 };

/* Zeroed at first but for the settings; syslog_lines_release() at last. */
struct syslog_lines {
    enum syslog_protocol protocol;
    bool counts_octets;
    bool ends_at_breaks;   /* the first line break ends a message for its reader */
    size_t line_bytes_max; /* 0: no limit */

    struct hf_bytes bytes; /* all messages, each with its line break */
    uint32_t *ends;        /* where each message ends in `bytes` */
    size_t count, capacity;
    /* Records that are longer than the limit, and so not among the messages. */
    struct hf_item_outcome *refused;
    size_t refused_count, refused_capacity;
    size_t textless; /* records with a body and without a message, whose body is not sent */
    struct hf_bytes line, text;
};

/* Writes the messages of a request in place of those before. HF_CORRUPT: `raw` is no request of
 * logs. HF_TOO_LARGE: 4 GiB of messages. HF_NOMEM. */
HF_MUST_USE enum hf_status syslog_lines_write(struct syslog_lines *lines, struct hf_slice raw);
void syslog_lines_release(struct syslog_lines *lines);
