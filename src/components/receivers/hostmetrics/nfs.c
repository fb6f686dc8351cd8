/*
 * nfs: the kernel's NFS client and server, from /proc/net/rpc/nfs and nfsd. A machine without them
 * has no points.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "source.h"

#define VALUES_MAX 128u /* of one line; later ones are those of a newer kernel */

#define METRICS(X)                                                                                 \
    X(CLIENT_NET, "nfs.client.net.count", "{record}", COUNTER, on,                                 \
      "TCP segments and UDP datagrams of the client.")                                             \
    X(CLIENT_CONNECTIONS, "nfs.client.net.tcp.connection.accepted", "{connection}", COUNTER, on,   \
      "TCP connections of the client.")                                                            \
    X(CLIENT_OPERATIONS, "nfs.client.operation.count", "{operation}", COUNTER, on,                 \
      "Operations of the client, NFSv4 and later.")                                                \
    X(CLIENT_PROCEDURES, "nfs.client.procedure.count", "{procedure}", COUNTER, on,                 \
      "Procedures of the client.")                                                                 \
    X(CLIENT_REFRESHES, "nfs.client.rpc.authrefresh.count", "{authrefresh}", COUNTER, on,          \
      "Refreshes of the client's credentials.")                                                    \
    X(CLIENT_RPC, "nfs.client.rpc.count", "{request}", COUNTER, on, "Requests of the client.")     \
    X(CLIENT_RETRANSMITS, "nfs.client.rpc.retransmit.count", "{retransmit}", COUNTER, on,          \
      "Requests that the client repeated.")                                                        \
    X(SERVER_STALE, "nfs.server.fh.stale.count", "{fh}", COUNTER, on,                              \
      "Stale file handles of the server.")                                                         \
    X(SERVER_IO, "nfs.server.io", "By", COUNTER, on, "Bytes that the server read and wrote.")      \
    X(SERVER_NET, "nfs.server.net.count", "{request}", COUNTER, on,                                \
      "TCP segments and UDP datagrams of the server.")                                             \
    X(SERVER_CONNECTIONS, "nfs.server.net.tcp.connection.accepted", "{connection}", COUNTER, on,   \
      "TCP connections of the server.")                                                            \
    X(SERVER_OPERATIONS, "nfs.server.operation.count", "{operation}", COUNTER, on,                 \
      "Operations of the server, NFSv4 and later.")                                                \
    X(SERVER_PROCEDURES, "nfs.server.procedure.count", "{procedure}", COUNTER, on,                 \
      "Procedures of the server.")                                                                 \
    X(SERVER_REPLY_CACHE, "nfs.server.repcache.requests", "{request}", COUNTER, on,                \
      "Requests of the server by what its reply cache had.")                                       \
    X(SERVER_RPC, "nfs.server.rpc.count", "{request}", COUNTER, on,                                \
      "Requests that the server refused, by reason.")                                              \
    X(SERVER_THREADS, "nfs.server.thread.count", "{thread}", UPDOWN, on, "Threads of the server.")

enum { METRICS(HF_METRIC_ID) METRIC_COUNT };
static const struct hf_metric_row metrics[] = {METRICS(HF_METRIC_ROW)};
static const struct hf_field metric_fields[] = {METRICS(HF_METRIC_FIELD) HF_FIELDS_END};

struct nfs_config {
    struct hf_metric_choice metrics[METRIC_COUNT];
};

/* The names by number: RFC 1813 and, for version 4, the kernel's own order; NULL: not used. */
static const char *const procedures_3[] = {
    "NULL",    "GETATTR",     "SETATTR", "LOOKUP", "ACCESS",   "READLINK", "READ",   "WRITE",
    "CREATE",  "MKDIR",       "SYMLINK", "MKNOD",  "REMOVE",   "RMDIR",    "RENAME", "LINK",
    "READDIR", "READDIRPLUS", "FSSTAT",  "FSINFO", "PATHCONF", "COMMIT",
};

static const char *const client_operations_4[] = {
    "NULL",
    "READ",
    "WRITE",
    "COMMIT",
    "OPEN",
    "OPEN_CONFIRM",
    "OPEN_NOATTR",
    "OPEN_DOWNGRADE",
    "CLOSE",
    "SETATTR",
    "FSINFO",
    "RENEW",
    "SETCLIENTID",
    "SETCLIENTID_CONFIRM",
    "LOCK",
    "LOCKT",
    "LOCKU",
    "ACCESS",
    "GETATTR",
    "LOOKUP",
    "LOOKUP_ROOT",
    "REMOVE",
    "RENAME",
    "LINK",
    "SYMLINK",
    "CREATE",
    "PATHCONF",
    "STATFS",
    "READLINK",
    "READDIR",
    "SERVER_CAPS",
    "DELEGRETURN",
    "GETACL",
    "SETACL",
    "FS_LOCATIONS",
    "RELEASE_LOCKOWNER",
    "SECINFO",
    "FSID_PRESENT",
    "EXCHANGE_ID",
    "CREATE_SESSION",
    "DESTROY_SESSION",
    "SEQUENCE",
    "GET_LEASE_TIME",
    "RECLAIM_COMPLETE",
    "GETDEVICEINFO",
    "LAYOUTGET",
    "LAYOUTCOMMIT",
    "LAYOUTRETURN",
    "SECINFO_NO_NAME",
    "TEST_STATEID",
    "FREE_STATEID",
    "GETDEVICELIST",
    "BIND_CONN_TO_SESSION",
    "DESTROY_CLIENTID",
    "SEEK",
    "ALLOCATE",
    "DEALLOCATE",
    "LAYOUTSTATS",
    "CLONE",
    "COPY",
    "OFFLOAD_CANCEL",
    "COPY_NOTIFY",
    "LOOKUPP",
    "LAYOUTERROR",
    "GETXATTR",
    "SETXATTR",
    "LISTXATTRS",
    "REMOVEXATTR",
    "READ_PLUS",
};

static const char *const server_procedures_4[] = {
    "NULL",
    "COMPOUND",
};

static const char *const server_operations_4[] = {
    NULL,
    NULL,
    NULL,
    "ACCESS",
    "CLOSE",
    "COMMIT",
    "CREATE",
    "DELEGPURGE",
    "DELEGRETURN",
    "GETATTR",
    "GETFH",
    "LINK",
    "LOCK",
    "LOCKT",
    "LOCKU",
    "LOOKUP",
    "LOOKUPP",
    "NVERIFY",
    "OPEN",
    "OPENATTR",
    "OPEN_CONFIRM",
    "OPEN_DOWNGRADE",
    "PUTFH",
    "PUTPUBFH",
    "PUTROOTFH",
    "READ",
    "READDIR",
    "READLINK",
    "REMOVE",
    "RENAME",
    "RENEW",
    "RESTOREFH",
    "SAVEFH",
    "SECINFO",
    "SETATTR",
    "SETCLIENTID",
    "SETCLIENTID_CONFIRM",
    "VERIFY",
    "WRITE",
    "RELEASE_LOCKOWNER",
    "BACKCHANNEL_CTL",
    "BIND_CONN_TO_SESSION",
    "EXCHANGE_ID",
    "CREATE_SESSION",
    "DESTROY_SESSION",
    "FREE_STATEID",
    "GET_DIR_DELEGATION",
    "GETDEVICEINFO",
    "GETDEVICELIST",
    "LAYOUTCOMMIT",
    "LAYOUTGET",
    "LAYOUTRETURN",
    "SECINFO_NO_NAME",
    "SEQUENCE",
    "SET_SSV",
    "TEST_STATEID",
    "WANT_DELEGATION",
    "DESTROY_CLIENTID",
    "RECLAIM_COMPLETE",
    "ALLOCATE",
    "COPY",
    "COPY_NOTIFY",
    "DEALLOCATE",
    "IO_ADVISE",
    "LAYOUTERROR",
    "LAYOUTSTATS",
    "OFFLOAD_CANCEL",
    "OFFLOAD_STATUS",
    "READ_PLUS",
    "SEEK",
    "WRITE_SAME",
    "CLONE",
    "GETXATTR",
    "SETXATTR",
    "LISTXATTRS",
    "REMOVEXATTR",
};

#define COUNT_OF(names) (sizeof(names) / sizeof((names)[0]))

/* ---- files of lines "key number number ..." ---- */

struct values {
    uint64_t items[VALUES_MAX];
    size_t count;
};

/*
 * The numbers of the line with that key. False: it is not there, or has fewer than `at_least`. What
 * is no number ends them: the threads are followed by fractions.
 */
static bool find_values(struct hf_slice text, const char *key, size_t at_least,
                        struct values *values)
{
    struct hf_slice line, word;
    while (host_next_line(&text, &line)) {
        if (!host_next_word(&line, &word) || !hf_slice_is(word, key)) {
            continue;
        }
        values->count = 0;
        while (values->count < VALUES_MAX &&
               host_next_number(&line, &values->items[values->count])) {
            values->count++;
        }
        return values->count >= at_least;
    }
    return false;
}

static void put_one(struct host_run *run, unsigned id, uint64_t value)
{
    if (host_metric(run, id)) {
        host_int(run, value, NULL, 0);
    }
}

/* One point for each value, with an attribute that says what it is. */
static void put_each(struct host_run *run, unsigned id, const char *key, const char *const *names,
                     const uint64_t *values, size_t count)
{
    bool is_on = host_metric(run, id);
    for (size_t i = 0; is_on && i < count; i++) {
        HOST_INT(run, values[i], {key, hf_slice_text(names[i])});
    }
}

/* Packets: all, UDP, TCP, TCP connections. */
static void put_net(struct host_run *run, struct hf_slice text, unsigned net, unsigned connections)
{
    static const char *const names[] = {"udp", "tcp"};
    struct values values;
    if (find_values(text, "net", 4, &values)) {
        put_each(run, net, "network.transport", names, &values.items[1], 2);
        put_one(run, connections, values.items[3]);
    }
}

struct calls {
    const char *line, *attribute;
    unsigned version;
    const char *const *names;
    size_t name_count;
};

/* The points of a line "proc3 22 0 1 ...", in the metric that is open. */
static void put_calls(struct host_run *run, struct hf_slice text, const struct calls *calls)
{
    struct values values;
    if (!find_values(text, calls->line, 2, &values)) {
        return;
    }
    if (values.items[0] != values.count - 1 && values.count < VALUES_MAX) {
        host_failed(run, 1, "the line %s does not have as many numbers as it says", calls->line);
        return;
    }
    for (size_t i = 0; i + 1 < values.count && i < calls->name_count; i++) {
        if (calls->names[i] == NULL) {
            continue;
        }
        hf_build_point_int(run->builder, &run->point, (int64_t)values.items[i + 1]);
        hf_build_attribute_int(run->builder, hf_slice_text("onc_rpc.version"), calls->version);
        hf_build_attribute_string(run->builder, hf_slice_text(calls->attribute),
                                  hf_slice_text(calls->names[i]));
        hf_build_end(run->builder);
        run->points++;
    }
}

#define OPERATION "nfs.operation.name"
#define PROCEDURE "onc_rpc.procedure.name"

static void put_client(struct host_run *run, struct hf_slice text)
{
    static const struct calls version_3 = {"proc3", PROCEDURE, 3, procedures_3,
                                           COUNT_OF(procedures_3)};
    static const struct calls operations = {"proc4", OPERATION, 4, client_operations_4,
                                            COUNT_OF(client_operations_4)};
    struct values values;
    put_net(run, text, CLIENT_NET, CLIENT_CONNECTIONS);
    if (find_values(text, "rpc", 3, &values)) {
        put_one(run, CLIENT_RPC, values.items[0]);
        put_one(run, CLIENT_RETRANSMITS, values.items[1]);
        put_one(run, CLIENT_REFRESHES, values.items[2]);
    }
    if (host_metric(run, CLIENT_PROCEDURES)) {
        put_calls(run, text, &version_3);
    }
    if (host_metric(run, CLIENT_OPERATIONS)) {
        put_calls(run, text, &operations);
    }
}

static void put_server_calls(struct host_run *run, struct hf_slice text)
{
    static const struct calls version_3 = {"proc3", PROCEDURE, 3, procedures_3,
                                           COUNT_OF(procedures_3)};
    static const struct calls version_4 = {"proc4", PROCEDURE, 4, server_procedures_4,
                                           COUNT_OF(server_procedures_4)};
    static const struct calls operations = {"proc4ops", OPERATION, 4, server_operations_4,
                                            COUNT_OF(server_operations_4)};
    if (host_metric(run, SERVER_PROCEDURES)) {
        put_calls(run, text, &version_3);
        put_calls(run, text, &version_4);
    }
    if (host_metric(run, SERVER_OPERATIONS)) {
        put_calls(run, text, &operations);
    }
}

static void put_server(struct host_run *run, struct hf_slice text)
{
    static const char *const cache[] = {"hit", "miss", "nocache"};
    static const char *const directions[] = {"receive", "transmit"};
    static const char *const reasons[] = {"format", "auth", "client"};
    struct values values;
    if (find_values(text, "rc", 3, &values)) {
        put_each(run, SERVER_REPLY_CACHE, "nfs.server.repcache.status", cache, values.items, 3);
    }
    if (find_values(text, "fh", 1, &values)) {
        put_one(run, SERVER_STALE, values.items[0]);
    }
    if (find_values(text, "io", 2, &values)) {
        put_each(run, SERVER_IO, "network.io.direction", directions, values.items, 2);
    }
    if (find_values(text, "th", 1, &values)) {
        put_one(run, SERVER_THREADS, values.items[0]);
    }
    put_net(run, text, SERVER_NET, SERVER_CONNECTIONS);
    if (find_values(text, "rpc", 5, &values)) {
        put_each(run, SERVER_RPC, "error.type", reasons, &values.items[2], 3);
    }
    put_server_calls(run, text);
}

static void scrape_file(struct host_run *run, const char *name,
                        void (*put)(struct host_run *run, struct hf_slice text))
{
    struct hf_slice text;
    if (host_read_proc(run->host, &text, "net/rpc/%s", name)) {
        put(run, text);
    } else if (errno != ENOENT) {
        host_failed(run, 1, "reading net/rpc/%s failed: %s", name, strerror(errno));
    }
}

static void scrape_nfs(void *self, struct host_run *run)
{
    (void)self;
    scrape_file(run, "nfs", put_client);
    scrape_file(run, "nfsd", put_server);
}

HOST_CHECK_ROOM(struct nfs_config);

const struct hf_field host_nfs_fields[] = {
    HOST_METRICS_BLOCK(metric_fields),
    HF_FIELDS_END,
};

const struct host_source host_nfs = {
    .name = "nfs",
    .metrics = metrics,
    .metric_count = METRIC_COUNT,
    .scrape = scrape_nfs,
};
