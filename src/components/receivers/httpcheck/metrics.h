/*
 * metrics: the metrics of httpcheck, as a table.
 */
#pragma once

#include "support/scrape/metric_table.h"

#define HTTPCHECK_METRICS(X)                                                                       \
    X(HC_CONNECTION, "httpcheck.client.connection.duration", "ns", GAUGE, off,                     \
      "Time until the TCP connection is made.")                                                    \
    X(HC_REQUEST, "httpcheck.client.request.duration", "ns", GAUGE, off,                           \
      "Time until the request is sent.")                                                           \
    X(HC_LOOKUP, "httpcheck.dns.lookup.duration", "ns", GAUGE, off,                                \
      "Time until the name is resolved.")                                                          \
    X(HC_DURATION, "httpcheck.duration", "ms", GAUGE, on, "Time of the whole check.")              \
    X(HC_ERROR, "httpcheck.error", "{error}", UPDOWN, on, "1 for a check without an answer.")      \
    X(HC_RESPONSE, "httpcheck.response.duration", "ns", GAUGE, off,                                \
      "Time from the first byte of the answer to the last.")                                       \
    X(HC_SIZE, "httpcheck.response.size", "By", GAUGE, off, "Size of the answer's body.")          \
    X(HC_STATUS, "httpcheck.status", "1", UPDOWN, on,                                              \
      "1 for the class of the answer's status code, 0 for the others.")                            \
    X(HC_CERTIFICATE, "httpcheck.tls.cert_remaining", "s", GAUGE, off,                             \
      "Time until the server's certificate ends, negative when it has ended. Every check then "    \
      "makes a connection of its own.")                                                            \
    X(HC_HANDSHAKE, "httpcheck.tls.handshake.duration", "ns", GAUGE, off,                          \
      "Time of the TLS handshake.")                                                                \
    X(HC_FAILED, "httpcheck.validation.failed", "{validation}", UPDOWN, off,                       \
      "Validations that the answer did not pass.")                                                 \
    X(HC_PASSED, "httpcheck.validation.passed", "{validation}", UPDOWN, off,                       \
      "Validations that the answer passed.")

enum httpcheck_metric { HTTPCHECK_METRICS(HF_METRIC_ID) HTTPCHECK_METRIC_COUNT };

extern const struct hf_metric_row httpcheck_rows[];

struct httpcheck_wanted {
    struct hf_metric_choice metrics[HTTPCHECK_METRIC_COUNT];
};
