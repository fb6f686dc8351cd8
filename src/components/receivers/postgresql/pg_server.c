#include "pg_server.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "pg_queries.h"
#include "support/scrape/instance.h"

#define SCOPE                                                                                      \
    "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/postgresqlreceiver"
#define NAME_MAX_BYTES 256
#define SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"

enum hf_status pg_server_open(struct pg_server *server, const struct pg_config *config,
                              char *reterr)
{
    *server = (struct pg_server){.config = config, .library = hf_pg_library(reterr)};
    if (server->library == NULL) {
        return HF_UNSUPPORTED;
    }
    if (!pg_split_endpoint(config->net.endpoint, server->host, server->port)) {
        return HF_INVALID;
    }
    char host[HF_INSTANCE_HOST_SIZE];
    hf_instance_host(server->host, host);
    hf_instance_join(host, server->port, server->instance, sizeof(server->instance));
    return HF_OK;
}

void pg_server_close(struct pg_server *server)
{
    hf_pg_close(server->main);
    server->main = NULL;
}

static void set_tls(const struct pg_tls *tls, struct hf_pg_settings *settings)
{
    bool has_ca = tls->ca_file != NULL && tls->ca_file[0] != '\0';
    settings->ssl_mode = tls->insecure               ? "disable"
                         : tls->insecure_skip_verify ? "require"
                                                     : "verify-full";
    settings->ca_file = has_ca ? tls->ca_file : tls->insecure_skip_verify ? NULL : SYSTEM_CA;
    settings->cert_file = tls->cert_file;
    settings->key_file = tls->key_file;
    settings->ssl_min_version = pg_tls_versions[tls->min_version];
    settings->ssl_max_version = pg_tls_versions[tls->max_version];
}

/* One attempt to connect. */
struct attempt {
    const struct pg_server *server;
    struct hf_pg_settings settings;
    const struct hf_patience *patience;
    struct hf_pg **ret_pg;
};

static enum hf_status try_address(void *user, const char *address, char *reterr)
{
    struct attempt *attempt = user;
    attempt->settings.address = address;
    return hf_pg_open(attempt->server->library, &attempt->settings, attempt->patience,
                      attempt->ret_pg, reterr);
}

enum hf_status pg_server_connect(const struct pg_server *server, const char *database,
                                 const struct hf_patience *patience, struct hf_pg **ret_pg,
                                 char *reterr)
{
    char folder[260];
    const struct hf_net_config *net = &server->config->net;
    struct hf_patience shorter = hf_dial_patience(patience, net->connect_timeout_ns);
    struct attempt attempt = {.server = server,
                              .settings = {.host = server->host,
                                           .port = server->port,
                                           .user = server->config->username,
                                           .password = server->config->password,
                                           .database = database},
                              .patience = &shorter,
                              .ret_pg = ret_pg};
    if (net->transport == HF_NET_UNIX) {
        snprintf(folder, sizeof(folder), "%s%s", server->host[0] == '/' ? "" : "/", server->host);
        attempt.settings.host = folder;
        return hf_pg_open(server->library, &attempt.settings, &shorter, ret_pg, reterr);
    }
    set_tls(&server->config->tls, &attempt.settings);
    struct hf_grpc_target target = {.is_unix = false};
    snprintf(target.host, sizeof(target.host), "%s", server->host);
    snprintf(target.port, sizeof(target.port), "%s", server->port);
    return hf_dial_each(&target, AF_UNSPEC, &shorter, try_address, &attempt, reterr);
}

static void take_nothing(void *user, const struct hf_pg_row *row)
{
    (void)user;
    (void)row;
}

enum hf_status pg_server_ready(struct pg_server *server, const struct hf_patience *patience,
                               struct hf_pg **ret_pg, char *reterr)
{
    enum hf_status status = HF_OK;
    if (server->main != NULL) {
        status = hf_pg_ask(server->main, PG_NOTHING, patience, take_nothing, NULL, reterr);
        if (status == HF_AGAIN) {
            pg_server_lost(server);
        }
    }
    if (server->main == NULL) {
        status = pg_server_connect(server, server->config->main_database, patience, &server->main,
                                   reterr);
    }
    *ret_pg = server->main;
    return status;
}

void pg_server_lost(struct pg_server *server)
{
    hf_pg_close(server->main);
    server->main = NULL;
}

/* ---- resources ---- */

static void name(const struct pg_server *server, struct hf_builder *builder, unsigned id,
                 struct hf_slice value)
{
    static const char *const names[] = {PG_RESOURCES(HF_RESOURCE_NAME)};
    if (value.data != NULL && server->config->wanted.resources[id].enabled) {
        hf_build_attribute_string(builder, hf_slice_text(names[id]), value);
    }
}

void pg_server_name(const struct pg_server *server, const struct pg_entity *entity,
                    struct hf_builder *builder)
{
    char table[2 * NAME_MAX_BYTES];
    struct hf_slice whole = entity->table;
    if (entity->schema.size != 0) {
        int size = snprintf(table, sizeof(table), "%.*s.%.*s", (int)entity->schema.size,
                            (const char *)entity->schema.data, (int)entity->table.size,
                            (const char *)entity->table.data);
        whole = hf_slice_of(table, size > 0 && (size_t)size < sizeof(table) ? (size_t)size : 0);
    }
    hf_build_resource(builder, HF_EMPTY_SLICE);
    name(server, builder, PG_INSTANCE, hf_slice_text(server->instance));
    if (entity->database != NULL) {
        name(server, builder, PG_DATABASE_NAME, hf_slice_text(entity->database));
    }
    name(server, builder, PG_TABLE_NAME, whole);
    name(server, builder, PG_INDEX_NAME, entity->index);
    name(server, builder, PG_ADDRESS, hf_slice_text(server->host));
    name(server, builder, PG_PORT, hf_slice_text(server->port));
    name(server, builder, PG_SERVICE, hf_slice_text("unknown_service:postgresql"));
    name(server, builder, PG_NAMESPACE, hf_slice_text(""));
    hf_build_scope(builder, hf_slice_text(SCOPE), hf_slice_text(HF_VERSION));
}
