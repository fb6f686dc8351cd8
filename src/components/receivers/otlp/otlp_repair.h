/*
 * otlp_repair: the check of a request, and the repair of its text when that is all that is wrong.
 * Any thread.
 */
#pragma once

#include "otlp_receiver.h"
#include "pdata/scan.h"
#include "util/compress.h"

/* A counter of strings that were not UTF-8 and were repaired. */
struct hf_series *otlp_repair_series(const struct hf_node *node, const char *transport);

/*
 * hf_scan(), and hf_repair() when it fails: HF_OK with bytes in `repaired` means that these stand
 * instead of `raw`; the peer is named in the log then, once per minute. HF_INVALID: not an Export
 * request of that signal, or `strict_utf8` is on. HF_TOO_LARGE, HF_NOMEM.
 */
HF_MUST_USE enum hf_status otlp_scan(struct otlp_receiver *receiver, struct hf_series *repairs,
                                     const char *peer, enum hf_signal signal, struct hf_slice raw,
                                     struct hf_bytes *repaired, struct hf_scan *ret_scan);

/* A batch of a copy of `bytes`. NULL: out of memory. */
struct hf_batch *otlp_batch_of(enum hf_signal signal, const struct hf_bytes *bytes,
                               struct hf_slice meta);

/*
 * "`what`: text that is not UTF-8 at byte 71, in resourceSpans[0]...", or `what` alone when nothing
 * is found. Without `has_offset` the byte is left out: `raw` is not what the peer sent.
 */
#define OTLP_FAULT_MAX 640
void otlp_explain_fault(const char *what, enum hf_signal signal, struct hf_slice raw,
                        bool has_offset, char ret_text[OTLP_FAULT_MAX]);
