#include "log_intake.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "util/time/clock.h"

#define BATCH_BYTES ((size_t)4 << 20)
#define LOOK_NS (100 * HF_NS_PER_MS) /* at what operators hold */
#define PEER_ATTRIBUTES 7u

enum hf_status hf_log_intake_open(struct hf_log_intake *intake, struct hf_node *node,
                                  const struct hf_log_intake_config *config,
                                  const struct hf_value *before, size_t before_count, char *reterr)
{
    const struct hf_log_entries_options options = {.node = node,
                                                   .config = &config->entries,
                                                   .before = before,
                                                   .before_count = before_count,
                                                   .build_bytes_max = BATCH_BYTES};
    intake->due_ns = UINT64_MAX;
    return hf_log_entries_open(&intake->entries, &options, reterr);
}

void hf_log_intake_close(struct hf_log_intake *intake)
{
    hf_log_entries_close(&intake->entries);
}

/* ---- entries ---- */

static enum hf_status add_text(struct hf_log_entry *entry, const char *key, const char *text)
{
    struct hf_slice copy = hf_expr_copy_text(entry->arena, hf_slice_text(text));
    return copy.data == NULL ? HF_NOMEM
                             : hf_expr_map_add(entry->arena, entry->attributes.map,
                                               hf_slice_text(key), hf_expr_string(copy));
}

struct end_keys {
    const char *ip, *port, *name;
};

static enum hf_status add_end(struct hf_log_entry *entry, const struct sockaddr_storage *end,
                              const struct end_keys *keys)
{
    char ip[INET6_ADDRSTRLEN] = "", port[16];
    const struct sockaddr_in *ip4 = (const void *)end;
    const struct sockaddr_in6 *ip6 = (const void *)end;
    if (end->ss_family == AF_INET) {
        (void)inet_ntop(AF_INET, &ip4->sin_addr, ip, sizeof(ip));
    } else if (end->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&ip6->sin6_addr)) {
        (void)inet_ntop(AF_INET, &ip6->sin6_addr.s6_addr[12], ip, sizeof(ip));
    } else if (end->ss_family == AF_INET6) {
        (void)inet_ntop(AF_INET6, &ip6->sin6_addr, ip, sizeof(ip));
    } else {
        return HF_OK;
    }
    snprintf(port, sizeof(port), "%u", (unsigned)ntohs(ip4->sin_port)); /* at the same place */
    enum hf_status status = add_text(entry, keys->ip, ip);
    status = status == HF_OK ? add_text(entry, keys->port, port) : status;
    return status == HF_OK ? add_text(entry, keys->name, ip) : status;
}

static enum hf_status add_peers(struct hf_log_entry *entry, const struct hf_log_peers *peers)
{
    static const struct end_keys host = {"net.host.ip", "net.host.port", "net.host.name"};
    static const struct end_keys peer = {"net.peer.ip", "net.peer.port", "net.peer.name"};
    if (peers == NULL) {
        return HF_OK;
    }
    enum hf_status status = add_text(entry, "net.transport", peers->transport);
    status = status == HF_OK ? add_end(entry, &peers->remote, &peer) : status;
    return status == HF_OK ? add_end(entry, &peers->local, &host) : status;
}

void hf_log_intake_take(struct hf_log_intake *intake, struct hf_slice text, bool is_bytes,
                        const struct hf_log_peers *peers, void *source)
{
    struct hf_log_entry entry;
    enum hf_status status = hf_log_entries_begin(&intake->entries, PEER_ATTRIBUTES, &entry);
    if (status == HF_OK) {
        entry.source = source;
        entry.body = hf_expr_string(text);
        entry.body.type = is_bytes ? HF_EXPR_BYTES : HF_EXPR_STRING;
        status = add_peers(&entry, peers);
    }
    status = status == HF_OK ? hf_log_entries_label(&intake->entries, &entry) : status;
    hf_log_entries_end(&intake->entries, &entry, status);
}

void hf_log_intake_forget(struct hf_log_intake *intake, const void *source)
{
    hf_log_pipeline_forget(intake->entries.pipeline, source);
}

struct hf_batch *hf_log_intake_collect(struct hf_log_intake *intake, uint64_t now_ns, bool is_last)
{
    bool holds = hf_log_pipeline_tick(intake->entries.pipeline, is_last ? UINT64_MAX : now_ns);
    intake->due_ns = holds ? now_ns + LOOK_NS : UINT64_MAX;
    return hf_log_entries_take(&intake->entries);
}
