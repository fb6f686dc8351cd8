/*
 * host_observer: finds the sockets of this host that listen, at an interval, as endpoints.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "sockets.h"
#include "support/discovery/endpoints.h"
#include "util/loop.h"

#define PROC "/proc"
#define NAME_ROOM 256
#define COMMAND_ROOM 4096

struct host_config {
    uint64_t refresh_ns;
};

struct host_observer {
    struct hf_node *node;
    const struct host_config *config;
    struct hf_endpoints table;
    /* The observer's thread. */
    struct hf_loop *loop;
    struct hf_timer timer;
    bool has_failed; /* said */
};

static struct hf_endpoint *endpoint_of(const struct host_observer *host,
                                       const struct host_socket *socket)
{
    char name[NAME_ROOM] = "", command[COMMAND_ROOM] = "";
    const char *transport = socket->is_udp ? "UDP" : "TCP";
    /* All addresses are reached by one of them. */
    const char *address = strcmp(socket->address, "0.0.0.0") == 0 ? "127.0.0.1" : socket->address;
    bool is_known = socket->pid != 0 && host_process_read(PROC, socket->pid, name, sizeof(name),
                                                          command, sizeof(command));
    struct hf_endpoint_draft draft;
    hf_draft_begin(&draft, "hostport", 5);
    const char *open = socket->is_ipv6 ? "[" : "", *close = socket->is_ipv6 ? "]" : "";
    draft.target = hf_draft_print(&draft, "%s%s%s:%u", open, address, close, socket->port);
    draft.id = hf_draft_print(&draft, "(%s)%s%s%s-%u-%s", hf_node_id(host->node), open, address,
                              close, socket->port, transport);
    if (is_known) {
        draft.id = hf_draft_print(&draft, "%s-%d", draft.id, socket->pid);
    }
    hf_draft_text(&draft, &draft.variables, "process_name", hf_slice_text(name));
    hf_draft_text(&draft, &draft.variables, "command", hf_slice_text(command));
    hf_draft_flag(&draft, &draft.variables, "is_ipv6", socket->is_ipv6);
    hf_draft_number(&draft, &draft.variables, "port", socket->port);
    hf_draft_text(&draft, &draft.variables, "transport", hf_slice_text(transport));
    return hf_draft_end(&draft);
}

static int by_id(const void *a, const void *b)
{
    const struct hf_endpoint *left = *(struct hf_endpoint *const *)a;
    const struct hf_endpoint *right = *(struct hf_endpoint *const *)b;
    return strcmp(left->id, right->id);
}

/* Several sockets may share an address (SO_REUSEPORT): they are one endpoint. */
static size_t without_repeats(struct hf_endpoint **items, size_t count)
{
    size_t kept = 0;
    if (count != 0) {
        qsort(items, count, sizeof(struct hf_endpoint *), by_id);
    }
    for (size_t i = 0; i < count; i++) {
        if (kept != 0 && strcmp(items[kept - 1]->id, items[i]->id) == 0) {
            hf_ref_drop(&items[i]->ref);
        } else {
            items[kept++] = items[i];
        }
    }
    return kept;
}

static void look(struct host_observer *host)
{
    struct host_socket *sockets = NULL;
    size_t count = 0, made = 0;
    enum hf_status status = host_sockets_read(PROC, &sockets, &count);
    struct hf_endpoint **items =
        status == HF_OK ? calloc(count + 1, sizeof(struct hf_endpoint *)) : NULL;
    if (items == NULL) {
        if (!host->has_failed) {
            hf_node_log(host->node, HF_LOG_ERROR, "the sockets of the host cannot be read: %s",
                        status == HF_IO ? strerror(errno) : "out of memory");
        }
        host->has_failed = true;
        free(sockets);
        return; /* what was found before stays */
    }
    host->has_failed = false;
    for (size_t i = 0; i < count; i++) {
        struct hf_endpoint *endpoint = endpoint_of(host, &sockets[i]);
        if (endpoint != NULL) {
            items[made++] = endpoint;
        }
    }
    made = without_repeats(items, made);
    hf_endpoints_set(&host->table, hf_slice_text("host"), items, made);
    free(items);
    free(sockets);
}

static void fire(struct hf_timer *timer, uint64_t now_ns)
{
    struct host_observer *host = HF_CONTAINER(timer, struct host_observer, timer);
    look(host);
    enum hf_status status = hf_loop_timer_set(host->loop, timer, now_ns + host->config->refresh_ns);
    (void)status; /* the place of a timer that fires is free */
}

/* ---- life; the main thread ---- */

static void close_host(void *self)
{
    struct host_observer *host = self;
    hf_loop_free(host->loop);
    hf_endpoints_release(&host->table);
    free(host);
}

static enum hf_status open_host(struct hf_node *node, const void *config, void **ret_self,
                                char *reterr)
{
    struct host_observer *host = calloc(1, sizeof(*host));
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    if (host == NULL) {
        return HF_NOMEM;
    }
    host->node = node;
    host->config = config;
    host->timer.fire = fire;
    hf_endpoints_init(&host->table, node);
    enum hf_status status = hf_loop_new(&host->loop);
    if (status == HF_OK) {
        status = hf_loop_timer_set(host->loop, &host->timer, hf_loop_now_ns(host->loop));
    }
    if (status != HF_OK) {
        close_host(host);
        return status;
    }
    *ret_self = host;
    return HF_OK;
}

static enum hf_status start_host(void *self, char *reterr)
{
    struct host_observer *host = self;
    (void)reterr;
    return hf_loop_start_thread(host->loop, "host_observer");
}

static void stop_host(void *self)
{
    struct host_observer *host = self;
    hf_loop_join(host->loop);
}

/* ---- the component ---- */

static uint64_t version(void *self)
{
    const struct host_observer *host = self;
    return hf_endpoints_version(&host->table);
}

static void each(void *self, void (*visit)(void *user, struct hf_endpoint *endpoint), void *user)
{
    struct host_observer *host = self;
    hf_endpoints_each(&host->table, visit, user);
}

static void probe_outside(const void *config, struct hf_probe *probe)
{
    (void)config;
    hf_probe_read(probe, PROC "/net/tcp");
}

static const struct hf_field fields[] = {
    {.key = "refresh_interval",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct host_config, refresh_ns),
     .default_text = "10s",
     .min = 1e7,
     .max = 1e18,
     .help = "Time from one look at the sockets to the next."},
    HF_FIELDS_END,
};

static const struct hf_observer observer = {.version = version, .each = each};

static const struct hf_extension_ops extension_ops = {.observer = &observer};

const struct hf_component hf_extension_host_observer = {
    .type = "host_observer",
    .help = "Finds the sockets of this host that listen, for receiver_creator.",
    .kind = HF_EXTENSION,
    .config_size = sizeof(struct host_config),
    .fields = fields,
    .probe = probe_outside,
    .open = open_host,
    .start = start_host,
    .stop = stop_host,
    .close = close_host,
    .extension = &extension_ops,
};
