#include "otlp_repair.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pdata/fault.h"
#include "pdata/repair.h"
#include "util/metrics.h"

#define NOT_UTF8 "strings that are not UTF-8"

struct hf_series *otlp_repair_series(const struct hf_node *node, const char *transport)
{
    static const struct hf_metric_family family = {
        .name = "holdfast_receiver_repaired_strings",
        .type = HF_COUNTER,
        .help = "Strings that were not UTF-8 and were repaired with U+FFFD.",
    };
    const struct hf_label labels[] = {
        {"receiver", hf_node_id(node)}, {"transport", transport}, {NULL, NULL}};
    return hf_metrics_series(hf_node_metrics(node), &family, labels);
}

void otlp_explain_fault(const char *what, enum hf_signal signal, struct hf_slice raw,
                        bool has_offset, char ret_text[OTLP_FAULT_MAX])
{
    char fault[HF_FAULT_TEXT_MAX];
    if (!hf_fault_find(signal, raw, fault)) {
        snprintf(ret_text, OTLP_FAULT_MAX, "%s", what);
        return;
    }
    const char *offset = strstr(fault, " at byte ");
    const char *path = offset != NULL ? strstr(offset, ", in ") : NULL;
    if (has_offset || path == NULL) {
        snprintf(ret_text, OTLP_FAULT_MAX, "%s: %s", what, fault);
    } else {
        snprintf(ret_text, OTLP_FAULT_MAX, "%s: %.*s%s", what, (int)(offset - fault), fault, path);
    }
}

/* The search for the first one costs a pass, so it is made only for a line that is logged. */
static void log_repair(struct otlp_receiver *receiver, const char *peer, enum hf_signal signal,
                       struct hf_slice raw, uint64_t count)
{
    char what[128];
    char text[OTLP_FAULT_MAX];
    if (otlp_may_complain(receiver, peer, NOT_UTF8)) {
        snprintf(what, sizeof(what),
                 "%" PRIu64 " " NOT_UTF8 " in a request, repaired with U+FFFD; the first", count);
        otlp_explain_fault(what, signal, raw, false, text);
        otlp_say(receiver, peer, text);
    }
}

enum hf_status otlp_scan(struct otlp_receiver *receiver, struct hf_series *repairs,
                         const char *peer, enum hf_signal signal, struct hf_slice raw,
                         struct hf_bytes *repaired, struct hf_scan *ret_scan)
{
    uint64_t count = 0;
    enum hf_status status = hf_scan(signal, raw, ret_scan);
    if (status == HF_OK || receiver->config->strict_utf8) {
        return status;
    }
    status = hf_repair(signal, raw, repaired, &count);
    if (status == HF_OK && count == 0) {
        status = HF_INVALID;
    }
    if (status == HF_OK && repaired->size > OTLP_MESSAGE_BYTES_MAX) {
        status = HF_TOO_LARGE;
    }
    if (status == HF_OK) {
        status = hf_scan(signal, hf_slice_of(repaired->data, repaired->size), ret_scan);
    }
    if (status == HF_OK) {
        hf_series_add(repairs, (int64_t)count);
        log_repair(receiver, peer, signal, raw, count);
    }
    return status;
}

struct hf_batch *otlp_batch_of(enum hf_signal signal, const struct hf_bytes *bytes,
                               struct hf_slice meta)
{
    struct hf_batch *batch = hf_batch_new(signal, bytes->size, meta);
    if (batch != NULL) {
        if (bytes->size != 0) {
            memcpy(hf_batch_room(batch), bytes->data, bytes->size);
        }
        hf_batch_seal(batch, bytes->size, 0);
    }
    return batch;
}
