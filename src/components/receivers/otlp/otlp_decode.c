/*
 * otlp_decode: a body or message becomes a batch: around its own bytes when it is protobuf, of
 * converted ones when it is JSON. Text that is not UTF-8 is repaired when that is all that is
 * wrong, unless `strict_utf8` is on.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "otlp_internal.h"
#include "pdata/fault.h"
#include "pdata/json.h"
#include "pdata/repair.h"
#include "pdata/scan.h"
#include "pdata/unknown.h"
#include "util/compress/compress.h"
#include "util/metrics/metrics.h"

#define NOT_UTF8 "strings that are not UTF-8"

/* "`what`: text that is not UTF-8 at byte 71, in resourceSpans[0]..."; without the byte when `raw`
 * is not what the peer sent. */
static void explain(const char *what, enum hf_signal signal, struct hf_slice raw, bool has_offset,
                    char *reterr)
{
    char fault[HF_FAULT_TEXT_MAX];
    if (!hf_fault_find(signal, raw, fault)) {
        snprintf(reterr, HF_INGRESS_ERROR_MAX, "%s", what);
        return;
    }
    const char *offset = strstr(fault, " at byte ");
    const char *path = offset != NULL ? strstr(offset, ", in ") : NULL;
    if (has_offset || path == NULL) {
        snprintf(reterr, HF_INGRESS_ERROR_MAX, "%s: %s", what, fault);
    } else {
        snprintf(reterr, HF_INGRESS_ERROR_MAX, "%s: %.*s%s", what, (int)(offset - fault), fault,
                 path);
    }
}

/* The search for the first one costs a pass, so it is made only for a line that is logged. */
static void log_repair(const struct hf_ingress_body *body, struct hf_slice raw, uint64_t count)
{
    char what[128];
    char text[HF_INGRESS_ERROR_MAX];
    struct hf_ingress *ingress = body->port->ingress;
    if (hf_ingress_may_complain(ingress, body->peer, NOT_UTF8)) {
        snprintf(what, sizeof(what),
                 "%" PRIu64 " " NOT_UTF8 " in a request, repaired with U+FFFD; the first", count);
        explain(what, body->route.signal, raw, false, text);
        hf_ingress_say(ingress, body->peer, text);
    }
}

/* hf_scan(), and hf_repair() when it fails: HF_OK with bytes in `repaired` means that these stand
 * instead of `raw`. */
static enum hf_status scan(const struct otlp_receiver *receiver, const struct hf_ingress_body *body,
                           struct hf_slice raw, struct hf_bytes *repaired, struct hf_scan *ret_scan)
{
    uint64_t count = 0;
    enum hf_status status = hf_scan(body->route.signal, raw, ret_scan);
    if (status == HF_OK || receiver->config->strict_utf8) {
        return status;
    }
    status = hf_repair(body->route.signal, raw, repaired, &count);
    if (status == HF_OK && count == 0) {
        status = HF_INVALID;
    }
    if (status == HF_OK && repaired->size > HF_INGRESS_MESSAGE_MAX) {
        status = HF_TOO_LARGE;
    }
    if (status == HF_OK) {
        status = hf_scan(body->route.signal, hf_slice_of(repaired->data, repaired->size), ret_scan);
    }
    if (status == HF_OK) {
        hf_series_add(receiver->repairs[body->request != NULL], (int64_t)count);
        log_repair(body, raw, count);
    }
    return status;
}

static enum hf_status decode_proto(const struct otlp_receiver *receiver,
                                   struct hf_ingress_body *body, struct hf_batch **ret_batch,
                                   char *reterr)
{
    const char *what = body->request != NULL
                           ? "the body is not an Export request of this signal"
                           : "the message is not an Export request of this service";
    struct hf_scan found;
    struct hf_bytes repaired = {0};
    enum hf_signal signal = body->route.signal;
    enum hf_status status = scan(receiver, body, body->raw, &repaired, &found);
    if (status != HF_OK && status != HF_NOMEM) {
        explain(what, signal, body->raw, true, reterr);
    }
    if (status == HF_OK && (repaired.size != 0 || body->owner == NULL)) {
        /* Without an owner there is no body: a request without resources. */
        *ret_batch = hf_ingress_batch(body, hf_slice_of(repaired.data, repaired.size), found.items);
    } else if (status == HF_OK) {
        *ret_batch = hf_batch_wrap(signal, body->coding, body->wire, body->owner, body->meta);
        if (*ret_batch != NULL) {
            (*ret_batch)->raw = body->raw;
            (*ret_batch)->items = found.items;
        }
    }
    if (status == HF_OK && hf_unknown_in_proto(body->raw, &found)) {
        body->note = OTLP_UNKNOWN;
    }
    hf_bytes_release(&repaired);
    return status == HF_OK && *ret_batch == NULL ? HF_NOMEM : status;
}

/* The limit is that of any body: numbers in an array, "0,", may become four times as long. */
static enum hf_status decode_json(const struct otlp_receiver *receiver,
                                  struct hf_ingress_body *body, struct hf_batch **ret_batch,
                                  char *reterr)
{
    struct hf_bytes proto = {0};
    struct hf_bytes repaired = {0};
    struct hf_scan found;
    enum hf_signal signal = body->route.signal;
    char error[HF_JSON_ERROR_MAX] = "";
    enum hf_status status =
        receiver->config->strict_utf8
            ? hf_json_to_proto(signal, body->raw, body->bytes_max, &proto, error)
            : hf_json_to_proto_any_text(signal, body->raw, body->bytes_max, &proto, error);
    snprintf(reterr, HF_INGRESS_ERROR_MAX, "%s", error);
    if (status == HF_OK) {
        struct hf_slice raw = hf_slice_of(proto.data, proto.size);
        status = scan(receiver, body, raw, &repaired, &found);
        if (status != HF_OK) {
            explain("the body is not an Export request of this signal", signal, raw, false, reterr);
        }
    }
    if (status == HF_OK) {
        const struct hf_bytes *good = repaired.size != 0 ? &repaired : &proto;
        *ret_batch = hf_ingress_batch(body, hf_slice_of(good->data, good->size), found.items);
        status = *ret_batch != NULL ? HF_OK : HF_NOMEM;
    }
    if (status == HF_OK && found.resources == 0 && hf_unknown_in_json(signal, body->raw)) {
        body->note = OTLP_UNKNOWN;
    }
    hf_bytes_release(&proto);
    hf_bytes_release(&repaired);
    return status;
}

enum hf_status otlp_decode(void *user, struct hf_ingress_body *body, struct hf_batch **ret_batch,
                           char *reterr)
{
    return body->route.format == OTLP_JSON ? decode_json(user, body, ret_batch, reterr)
                                           : decode_proto(user, body, ret_batch, reterr);
}
