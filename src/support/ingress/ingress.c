#include "ingress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <holdfast/component.h>

#include "pdata/build.h"
#include "util/intake.h"
#include "util/metrics/metrics.h"
#include "util/time/clock.h"

#define SAY_AGAIN_NS (60 * HF_NS_PER_S)

void hf_ingress_init(struct hf_ingress *ingress, struct hf_node *node)
{
    ingress->node = node;
    hf_log_limiter_init(&ingress->said, SAY_AGAIN_NS);
}

void hf_ingress_release(struct hf_ingress *ingress)
{
    hf_log_limiter_release(&ingress->said);
}

/* A counter of requests that were not data, by reason. */
static struct hf_series *error_series(const struct hf_ingress_port *port, const char *reason)
{
    static const struct hf_metric_family family = {
        .name = "holdfast_receiver_errors",
        .type = HF_COUNTER,
        .help = "Requests and connections refused for what they are, by reason.",
    };
    const struct hf_label labels[] = {{"receiver", hf_node_counted_id(port->node)},
                                      {"transport", port->transport},
                                      {"reason", reason},
                                      {NULL, NULL}};
    return hf_metrics_series(hf_node_metrics(port->node), &family, labels);
}

static struct hf_series *repeated_series(const struct hf_ingress_port *port)
{
    static const struct hf_metric_family family = {
        .name = "holdfast_receiver_repeated_items",
        .type = HF_COUNTER,
        .help = "Items that a Holdfast with `once` sent again and that were stored already.",
    };
    const struct hf_label labels[] = {
        {"receiver", hf_node_id(port->node)}, {"transport", port->transport}, {NULL, NULL}};
    return hf_metrics_series(hf_node_metrics(port->node), &family, labels);
}

enum hf_status hf_ingress_open_port(struct hf_ingress_port *port, const struct hf_auth_config *auth,
                                    bool include_metadata, char *reterr)
{
    port->malformed = error_series(port, "malformed");
    port->protocol = error_series(port, "protocol");
    port->unauthenticated = error_series(port, "unauthenticated");
    hf_ingress_find_wanted(port->node, port->key, include_metadata, &port->wanted);
    port->repeated = port->ingress->is_once ? repeated_series(port) : NULL;
    bool counted = port->malformed != NULL && port->protocol != NULL &&
                   port->unauthenticated != NULL &&
                   (port->repeated != NULL || !port->ingress->is_once);
    enum hf_status status = counted ? hf_node_add_transport(port->node, port->transport) : HF_NOMEM;
    return status == HF_OK ? hf_auth_find_server(port->node, auth, &port->auth, reterr) : status;
}

bool hf_ingress_may_complain(struct hf_ingress *ingress, const char *peer, const char *kind)
{
    return hf_log_limiter_allows(&ingress->said, peer, kind, hf_clock_coarse_ns());
}

void hf_ingress_say(struct hf_ingress *ingress, const char *peer, const char *what)
{
    uint64_t withheld = hf_log_limiter_take_withheld(&ingress->said);
    hf_node_log_keys(ingress->node, HF_LOG_WARN,
                     withheld == 0 ? "A client was refused"
                                   : "A client was refused, and others that were not logged",
                     HF_LOG_KEYS(HF_LOG_TEXT("peer", peer), HF_LOG_TEXT("error", what),
                                 withheld != 0
                                     ? (struct hf_log_key)HF_LOG_NUMBER("not_logged", withheld)
                                     : (struct hf_log_key){.key = NULL}));
}

void hf_ingress_complain_of(struct hf_ingress *ingress, const char *peer, const char *kind,
                            const char *what)
{
    if (hf_ingress_may_complain(ingress, peer, kind)) {
        hf_ingress_say(ingress, peer, what);
    }
}

void hf_ingress_complain(struct hf_ingress *ingress, const char *peer, const char *what)
{
    hf_ingress_complain_of(ingress, peer, what, what);
}

void hf_ingress_complain_refused(struct hf_ingress *ingress, const char *peer,
                                 enum hf_status status)
{
    if (status != HF_CLOSED) {
        hf_ingress_complain(ingress, peer, hf_status_row(status)->says);
    }
}

void hf_ingress_warn_reload(const struct hf_ingress_port *port, const char *why)
{
    size_t size = strlen(port->key);
    size -= size >= 2 ? 2 : 0; /* the "::" */
    hf_node_log(port->node, HF_LOG_WARN,
                "%.*s%sreloading TLS files failed; keeping the previous certificate: %s", (int)size,
                port->key, size != 0 ? ": " : "", why);
}

void hf_ingress_warn_default(const struct hf_ingress_port *port, const char *endpoint)
{
    hf_node_log(port->node, HF_LOG_WARN,
                "%sendpoint is not set: listening on %s, open to every network of this machine; "
                "set localhost or one address to narrow it",
                port->key, endpoint);
}

uint64_t hf_ingress_intake_total(const struct hf_ingress_port *port, const char *key, uint64_t most)
{
    uint64_t total = hf_intake_total(hf_node_memory(port->node));
    uint64_t largest = hf_intake_limits_of(total).message;
    if (most > largest) {
        hf_node_log(port->node, HF_LOG_WARN,
                    "%s%s: %" PRIu64 " MiB are more than the memory allows; larger requests than "
                    "%" PRIu64 " MiB are refused",
                    port->key, key, most >> 20, largest >> 20);
    }
    return total;
}

size_t hf_ingress_message_limit(const struct hf_ingress_port *port, const char *key,
                                uint64_t wanted_bytes, uint64_t memory_bytes)
{
    uint64_t share = memory_bytes / 4; /* the message as it came, unpacked, and others beside it */
    uint64_t most = share < HF_INGRESS_MESSAGE_MAX ? share : HF_INGRESS_MESSAGE_MAX;

    most = most > HF_INGRESS_MESSAGE_DEFAULT ? most : HF_INGRESS_MESSAGE_DEFAULT;
    if (wanted_bytes <= most) {
        return (size_t)wanted_bytes;
    }
    hf_node_log(port->node, HF_LOG_WARN,
                "%s%s allows %" PRIu64 " MiB, of which %" PRIu64
                " MiB are used: a record of the queue holds 256 MiB, and one message gets at most "
                "a quarter of the memory",
                port->key, key, wanted_bytes >> 20, most >> 20);
    return (size_t)most;
}

struct hf_batch *hf_ingress_batch(const struct hf_ingress_body *body, struct hf_slice bytes,
                                  uint32_t items)
{
    struct hf_batch *batch = hf_batch_new(body->route.signal, bytes.size, body->meta);
    if (batch != NULL) {
        if (bytes.size != 0) {
            memcpy(hf_batch_room(batch), bytes.data, bytes.size);
        }
        hf_batch_seal(batch, bytes.size, items);
    }
    return batch;
}

enum hf_status hf_ingress_take_built(const struct hf_ingress_body *body, struct hf_builder *builder,
                                     struct hf_batch **ret_batch, char *reterr)
{
    enum hf_status status = hf_build_finish(builder);
    *ret_batch = NULL;
    if (status != HF_OK) {
        return status;
    }
    struct hf_batch *built = hf_build_take(builder);
    struct hf_batch *more = hf_build_take(builder);
    if (more != NULL || (built != NULL && built->wire.size > HF_INGRESS_MESSAGE_MAX)) {
        snprintf(reterr, HF_INGRESS_ERROR_MAX,
                 "as OTLP the body is larger than one request may be (256 MiB)");
        status = HF_TOO_LARGE;
    } else if (built != NULL) {
        *ret_batch = hf_ingress_batch(body, built->wire, built->items);
        status = *ret_batch != NULL ? HF_OK : HF_NOMEM;
    }
    hf_ref_drop(built != NULL ? &built->ref : NULL);
    hf_ref_drop(more != NULL ? &more->ref : NULL);
    return status;
}
