#include "log_intake.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "util/clock.h"

#define BATCH_BYTES ((size_t)4 << 20)
#define KEPT_BYTES ((size_t)256 << 10)
#define ARENA_BYTES_MAX ((size_t)256 << 20)
#define SAY_AGAIN_NS (60 * HF_NS_PER_S)
#define LOOK_NS (100 * HF_NS_PER_MS) /* at what operators hold */
#define PEER_ATTRIBUTES 7u

static void emit(void *user, struct hf_log_entry *entry)
{
    struct hf_log_intake *intake = user;
    hf_log_write(&intake->writer, entry);
    hf_arena_rewind(&intake->scratch, KEPT_BYTES);
}

static void say_failure(void *user, const char *operator_id, const char *why, bool quiet)
{
    struct hf_log_intake *intake = user;
    if (hf_log_limiter_allows(&intake->said, operator_id, why, hf_clock_coarse_ns())) {
        hf_node_log(intake->node, quiet ? HF_LOG_DEBUG : HF_LOG_ERROR, "operator %s: %s",
                    operator_id, why);
    }
}

/* The operators before, then those of the configuration, as one list; the items are copied. */
static enum hf_status open_pipeline(struct hf_log_intake *intake, const struct hf_value *before,
                                    size_t before_count, char *reterr)
{
    static const struct hf_log_pipeline_ops ops = {.emit = emit, .failed = say_failure};
    const struct hf_value *own = &intake->config->operators;
    if (own->type != HF_VALUE_NONE && own->type != HF_VALUE_LIST) {
        snprintf(reterr, HF_ERROR_MAX, "operators: expected a list");
        return HF_INVALID;
    }
    struct hf_value *items = calloc(before_count + own->count + 1, sizeof(*items));
    if (items == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < before_count + own->count; i++) {
        items[i] = i < before_count ? before[i] : own->items[i - before_count];
    }
    const struct hf_value all = {
        .type = HF_VALUE_LIST, .items = items, .count = before_count + own->count};
    enum hf_status status = hf_log_pipeline_new(&all, &ops, intake, &intake->pipeline, reterr);
    free(items);
    return status;
}

enum hf_status hf_log_intake_open(struct hf_log_intake *intake, struct hf_node *node,
                                  const struct hf_log_intake_config *config,
                                  const struct hf_value *before, size_t before_count, char *reterr)
{
    *intake = (struct hf_log_intake){.node = node, .config = config, .due_ns = UINT64_MAX};
    intake->arena.limit = intake->scratch.limit = ARENA_BYTES_MAX;
    hf_builder_init(&intake->builder, HF_LOGS, BATCH_BYTES);
    intake->writer = (struct hf_log_writer){.builder = &intake->builder,
                                            .scratch = &intake->scratch,
                                            .kept = {.limit = ARENA_BYTES_MAX}};
    hf_log_limiter_init(&intake->said, SAY_AGAIN_NS);
    return open_pipeline(intake, before, before_count, reterr);
}

void hf_log_intake_close(struct hf_log_intake *intake)
{
    if (intake->node == NULL) {
        return; /* never opened */
    }
    hf_log_pipeline_free(intake->pipeline);
    hf_builder_release(&intake->builder);
    hf_log_writer_release(&intake->writer);
    hf_arena_release(&intake->arena);
    hf_arena_release(&intake->scratch);
    hf_log_limiter_release(&intake->said);
}

/* ---- entries ---- */

static enum hf_status add_fixed(const struct hf_string_map *from, struct hf_log_entry *entry,
                                struct hf_expr_map *to)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < from->count && status == HF_OK; i++) {
        status = hf_expr_map_set(entry->arena, to, hf_slice_text(from->items[i].key),
                                 hf_expr_text(from->items[i].value));
    }
    return status;
}

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
    const struct hf_log_intake_config *config = intake->config;
    struct hf_log_entry entry;
    enum hf_status status =
        hf_log_entry_init(&entry, &intake->arena, config->attributes.count + PEER_ATTRIBUTES + 10);
    if (status == HF_OK) {
        entry.observed_ns = hf_clock_unix_ns();
        entry.source = source;
        entry.body = hf_expr_string(text);
        entry.body.type = is_bytes ? HF_EXPR_BYTES : HF_EXPR_STRING;
        status = add_peers(&entry, peers);
    }
    status =
        status == HF_OK ? add_fixed(&config->attributes, &entry, entry.attributes.map) : status;
    status = status == HF_OK ? add_fixed(&config->resource, &entry, entry.resource.map) : status;
    if (status == HF_OK) {
        hf_log_pipeline_process(intake->pipeline, &entry);
    } else {
        hf_node_log(intake->node, HF_LOG_ERROR, "no memory for an entry: it is dropped");
    }
    hf_arena_rewind(&intake->arena, KEPT_BYTES);
}

void hf_log_intake_forget(struct hf_log_intake *intake, const void *source)
{
    hf_log_pipeline_forget(intake->pipeline, source);
}

struct hf_batch *hf_log_intake_collect(struct hf_log_intake *intake, uint64_t now_ns, bool is_last)
{
    bool holds = hf_log_pipeline_tick(intake->pipeline, is_last ? UINT64_MAX : now_ns);
    intake->due_ns = holds ? now_ns + LOOK_NS : UINT64_MAX;
    if (hf_build_items(&intake->builder) != 0) {
        hf_log_writer_break(&intake->writer);
        if (hf_build_finish(&intake->builder) != HF_OK) {
            hf_node_log(intake->node, HF_LOG_ERROR, "no memory for a batch of entries: it is lost");
        }
    }
    return hf_build_take(&intake->builder);
}
