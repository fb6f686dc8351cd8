#include "pg_server.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "util/clock.h"

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

/* The addresses in their order, as long as none was connected to. */
static enum hf_status try_addresses(const struct pg_server *server, struct hf_pg_settings *settings,
                                    const struct hf_patience *patience,
                                    struct hf_dial_addresses *found, struct hf_pg **ret_pg,
                                    char *reterr)
{
    struct hf_grpc_target target = {.is_unix = false};
    snprintf(target.host, sizeof(target.host), "%s", server->host);
    snprintf(target.port, sizeof(target.port), "%s", server->port);
    enum hf_status status = hf_dial_find(&target, patience, found, reterr);
    for (size_t i = 0; i < found->count; i++) {
        char address[NI_MAXHOST];
        const struct sockaddr *storage = (const struct sockaddr *)&found->items[i].storage;
        if (getnameinfo(storage, found->items[i].size, address, sizeof(address), NULL, 0,
                        NI_NUMERICHOST) != 0) {
            continue;
        }
        settings->address = address;
        status = hf_pg_open(server->library, settings, patience, ret_pg, reterr);
        if (status != HF_AGAIN) {
            break;
        }
    }
    return status;
}

enum hf_status pg_server_connect(const struct pg_server *server, const char *database,
                                 const struct hf_patience *patience, struct hf_pg **ret_pg,
                                 char *reterr)
{
    char folder[260];
    struct hf_patience shorter = *patience;
    uint64_t timeout_ns = server->config->net.connect_timeout_ns;
    uint64_t until_ns = hf_clock_monotonic_ns() + timeout_ns;
    struct hf_pg_settings settings = {.host = server->host,
                                      .port = server->port,
                                      .user = server->config->username,
                                      .password = server->config->password,
                                      .database = database};
    if (timeout_ns != 0 && until_ns < shorter.until_ns) {
        shorter.until_ns = until_ns;
    }
    if (server->config->net.transport == HF_NET_UNIX) {
        snprintf(folder, sizeof(folder), "%s%s", server->host[0] == '/' ? "" : "/", server->host);
        settings.host = folder;
        return hf_pg_open(server->library, &settings, &shorter, ret_pg, reterr);
    }
    set_tls(&server->config->tls, &settings);
    struct hf_dial_addresses *found = malloc(sizeof(*found));
    if (found == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    enum hf_status status = try_addresses(server, &settings, &shorter, found, ret_pg, reterr);
    free(found);
    return status;
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
