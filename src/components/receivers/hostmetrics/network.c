/*
 * network: traffic of interfaces, from /proc/net/dev; TCP connections by state; the size of the
 * connection tracking table.
 *
 * /proc/net is that of the reader's network namespace. With a root_path the files of process 1 are
 * preferred: they are the host's, also when this process runs in a pod with a network of its own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connections.h"
#include "filter.h"
#include "source.h"
#include "util/grow.h"

#define INTERFACES_MAX 65536u

#define METRICS(X)                                                                                 \
    X(NETWORK_CONNECTIONS, "system.network.connections", "{connections}", UPDOWN, on,              \
      "TCP connections by state.")                                                                 \
    X(NETWORK_CONNTRACK_COUNT, "system.network.conntrack.count", "{entries}", UPDOWN, off,         \
      "Entries of the connection tracking table.")                                                 \
    X(NETWORK_CONNTRACK_MAX, "system.network.conntrack.max", "{entries}", UPDOWN, off,             \
      "Limit of the connection tracking table.")                                                   \
    X(NETWORK_DROPPED, "system.network.dropped", "{packets}", COUNTER, on, "Packets dropped.")     \
    X(NETWORK_ERRORS, "system.network.errors", "{errors}", COUNTER, on, "Errors.")                 \
    X(NETWORK_IO, "system.network.io", "By", COUNTER, on, "Bytes transmitted and received.")       \
    X(NETWORK_PACKETS, "system.network.packets", "{packets}", COUNTER, on,                         \
      "Packets transmitted and received.")

enum { METRICS(HF_METRIC_ID) METRIC_COUNT };
static const struct hf_metric_row metrics[] = {METRICS(HF_METRIC_ROW)};
static const struct hf_field metric_fields[] = {METRICS(HF_METRIC_FIELD) HF_FIELDS_END};

struct network_config {
    struct hf_metric_choice metrics[METRIC_COUNT];
    struct host_match include, exclude;
};

/* Columns of /proc/net/dev behind the name. */
enum { BYTES, PACKETS, ERRORS, DROPPED, TRANSMIT = 8, COLUMN_COUNT = 16 };

struct interface {
    struct hf_slice name; /* in the text of the file */
    uint64_t columns[COLUMN_COUNT];
};

struct network {
    struct host_filter filter;
    struct interface *interfaces;
    size_t count, capacity;
    struct hf_bytes listeners; /* room for counting connections */
};

/* ---- interfaces ---- */

static bool read_net(struct host *host, const char *name, struct hf_slice *ret_text)
{
    return (host->root[0] != '\0' && host_read_proc(host, ret_text, "1/net/%s", name)) ||
           host_read_proc(host, ret_text, "net/%s", name);
}

static bool grow(struct network *network)
{
    return network->count < INTERFACES_MAX &&
           hf_grow(&network->interfaces, &network->capacity, network->count + 1,
                   sizeof(*network->interfaces));
}

/* The name ends at the last colon of the row: an alias has one of its own. */
static bool read_interface(struct hf_slice line, struct interface *interface)
{
    const uint8_t *colon = line.size != 0 ? memrchr(line.data, ':', line.size) : NULL;
    if (colon == NULL) {
        return false;
    }
    struct hf_slice name = hf_slice_of(line.data, (size_t)(colon - line.data));
    struct hf_slice rest = hf_slice_of(colon + 1, line.size - name.size - 1);
    if (!host_next_word(&name, &interface->name)) {
        return false;
    }
    for (unsigned i = 0; i < COLUMN_COUNT; i++) {
        if (!host_next_number(&rest, &interface->columns[i])) {
            return false;
        }
    }
    return true;
}

static bool read_interfaces(struct network *network, struct host *host)
{
    struct hf_slice text, line;
    network->count = 0;
    if (!read_net(host, "dev", &text)) {
        return false;
    }
    while (host_next_line(&text, &line)) {
        if (!grow(network)) {
            errno = ENOMEM;
            return false;
        }
        struct interface *interface = &network->interfaces[network->count];
        network->count +=
            read_interface(line, interface) && host_filter_takes(&network->filter, interface->name);
    }
    return true;
}

static void put_interfaces(struct network *network, struct host_run *run)
{
    static const struct {
        unsigned id, column;
    } counters[] = {{NETWORK_PACKETS, PACKETS},
                    {NETWORK_DROPPED, DROPPED},
                    {NETWORK_ERRORS, ERRORS},
                    {NETWORK_IO, BYTES}};
    if (!read_interfaces(network, run->host)) {
        host_failed(run, 4, "reading net/dev failed: %s", strerror(errno));
        return;
    }
    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
        bool is_on = host_metric(run, counters[i].id);
        for (size_t k = 0; is_on && k < network->count; k++) {
            const struct interface *interface = &network->interfaces[k];
            HOST_INT(run, interface->columns[TRANSMIT + counters[i].column],
                     {"device", interface->name}, {"direction", HOST_TEXT("transmit")});
            HOST_INT(run, interface->columns[counters[i].column], {"device", interface->name},
                     {"direction", HOST_TEXT("receive")});
        }
    }
}

/* ---- connections ---- */

/* By the kernel's numbers. The three without number are the Go collector's and always 0. */
static const struct hf_slice states[] = {
    [1] = HOST_TEXT("ESTABLISHED"), [2] = HOST_TEXT("SYN_SENT"),    [3] = HOST_TEXT("SYN_RECV"),
    [4] = HOST_TEXT("FIN_WAIT1"),   [5] = HOST_TEXT("FIN_WAIT2"),   [6] = HOST_TEXT("TIME_WAIT"),
    [7] = HOST_TEXT("CLOSE"),       [8] = HOST_TEXT("CLOSE_WAIT"),  [9] = HOST_TEXT("LAST_ACK"),
    [10] = HOST_TEXT("LISTEN"),     [11] = HOST_TEXT("CLOSING"),    [12] = HOST_TEXT("DELETE"),
    [13] = HOST_TEXT("FIN_WAIT_1"), [14] = HOST_TEXT("FIN_WAIT_2"),
};
#define STATE_COUNT (sizeof(states) / sizeof(states[0]))

/* The Go collector leaves these two out when there are none. */
static bool is_rare(size_t state)
{
    return state == 4 || state == 5;
}

static void put_connections(struct network *network, struct host_run *run)
{
    uint64_t counts[STATE_COUNT] = {0};
    _Static_assert(STATE_COUNT >= CONNECTION_STATES, "room of the counts");
    if (!host_wants(run, NETWORK_CONNECTIONS)) {
        return;
    }
    if (!host_count_connections(run->host, &network->listeners, counts)) {
        host_failed(run, 1, "reading net/tcp failed: %s", strerror(errno));
        return;
    }
    bool is_on = host_metric(run, NETWORK_CONNECTIONS);
    for (size_t i = 1; is_on && i < STATE_COUNT; i++) {
        if (counts[i] != 0 || !is_rare(i)) {
            HOST_INT(run, counts[i], {"protocol", HOST_TEXT("tcp")}, {"state", states[i]});
        }
    }
}

/* ---- connection tracking ---- */

static void put_conntrack(struct host_run *run, unsigned id, const char *name)
{
    struct hf_slice text, line;
    uint64_t number;
    if (!host_wants(run, id)) {
        return;
    }
    if (!host_read_proc(run->host, &text, "sys/net/netfilter/%s", name)) {
        host_failed(run, 1, "reading %s failed: %s", name, strerror(errno));
    } else if (!host_next_line(&text, &line) || !host_next_number(&line, &number)) {
        host_failed(run, 1, "%s is not a number", name);
    } else if (host_metric(run, id)) {
        host_int(run, number, NULL, 0);
    }
}

static void scrape_network(void *self, struct host_run *run)
{
    struct network *network = self;
    put_interfaces(network, run);
    put_connections(network, run);
    put_conntrack(run, NETWORK_CONNTRACK_COUNT, "nf_conntrack_count");
    put_conntrack(run, NETWORK_CONNTRACK_MAX, "nf_conntrack_max");
}

static void close_network(void *self)
{
    struct network *network = self;
    host_filter_release(&network->filter);
    hf_bytes_release(&network->listeners);
    free(network->interfaces);
    free(network);
}

static enum hf_status open_network(const void *config, struct host *host, void **ret_self,
                                   char *reterr)
{
    const struct network_config *keys = config;
    (void)host;
    struct network *network = calloc(1, sizeof(*network));
    if (network == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    enum hf_status status =
        host_filter_init(&network->filter, &keys->include, &keys->exclude, reterr);
    if (status != HF_OK) {
        close_network(network);
        return status;
    }
    *ret_self = network;
    return HF_OK;
}

static const char *check_network(const void *config)
{
    const struct network_config *keys = config;
    const char *problem = host_match_check(&keys->include);
    return problem != NULL ? problem : host_match_check(&keys->exclude);
}

static const struct hf_field match_fields[] = {HOST_MATCH_FIELDS("interfaces")};

HOST_CHECK_ROOM(struct network_config);

const struct hf_field host_network_fields[] = {
    HOST_METRICS_BLOCK(metric_fields),
    {.key = "include",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct network_config, include),
     .inner = match_fields,
     .help = "Only these interfaces."},
    {.key = "exclude",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct network_config, exclude),
     .inner = match_fields,
     .help = "Not these interfaces."},
    HF_FIELDS_END,
};

const struct host_source host_network = {
    .name = "network",
    .metrics = metrics,
    .metric_count = METRIC_COUNT,
    .check = check_network,
    .open = open_network,
    .scrape = scrape_network,
    .close = close_network,
};
