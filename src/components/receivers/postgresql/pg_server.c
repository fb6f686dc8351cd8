#include "pg_server.h"

#include <stdio.h>
#include <sys/socket.h>

#include <holdfast/component.h>

#define SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"

enum hf_status pg_server_open(struct pg_server *server, const struct pg_config *config,
                              char *reterr)
{
    *server = (struct pg_server){.config = config, .library = hf_pg_library(reterr)};
    if (server->library == NULL) {
        return HF_UNSUPPORTED;
    }
    bool is_split = pg_split_endpoint(config->net.endpoint, server->host, server->port);
    return is_split ? HF_OK : HF_INVALID;
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

enum hf_status pg_server_main(struct pg_server *server, const struct hf_patience *patience,
                              struct hf_pg **ret_pg, char *reterr)
{
    enum hf_status status = HF_OK;
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
