#include "my_server.h"

#include <stdlib.h>

#include <holdfast/component.h>

#include "support/scrape/dial.h"

#define SCOPE "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/mysqlreceiver"

enum hf_status my_server_open(struct my_server *server, const struct my_config *config,
                              char *reterr)
{
    *server = (struct my_server){.config = config, .library = hf_mysql_library(reterr)};
    if (server->library == NULL) {
        return HF_UNSUPPORTED;
    }
    hf_net_target(&config->net, &server->target, &server->family);
    return HF_OK;
}

void my_server_close(struct my_server *server)
{
    my_server_lost(server);
}

/* One attempt to connect. */
struct attempt {
    struct my_server *server;
    struct hf_mysql_settings settings;
    const struct hf_patience *patience;
};

static enum hf_status try_address(void *user, const char *address, char *reterr)
{
    struct attempt *attempt = user;
    struct my_server *server = attempt->server;
    const struct hf_mysql_tls *tls = attempt->settings.tls;
    if (server->target.is_unix) {
        attempt->settings.socket = address;
    } else {
        /* The library compares the certificate with what it connects to. */
        attempt->settings.host = tls != NULL && tls->verifies ? server->target.host : address;
    }
    return hf_mysql_open(server->library, &attempt->settings, attempt->patience, &server->mysql,
                         reterr);
}

static enum hf_status connect_now(struct my_server *server, const struct hf_patience *patience,
                                  char *reterr)
{
    const struct my_config *config = server->config;
    struct hf_patience shorter = hf_dial_patience(patience, config->net.connect_timeout_ns);
    struct hf_mysql_tls tls;
    char versions[40];
    struct attempt attempt = {
        .server = server,
        .settings = {.port = (uint16_t)strtoul(server->target.port, NULL, 10),
                     .user = config->username,
                     .password = config->password,
                     .database = config->database,
                     .allows_native_passwords = config->allow_native_passwords,
                     .tls = my_config_tls(config, &tls, versions)},
        .patience = &shorter};
    return hf_dial_each(&server->target, server->family, &shorter, try_address, &attempt, reterr);
}

static void ignore(void *user, const struct hf_mysql_row *row)
{
    (void)user;
    (void)row;
}

enum hf_status my_server_ready(struct my_server *server, const struct hf_patience *patience,
                               struct hf_mysql **ret_mysql, char *reterr)
{
    enum hf_status status = HF_OK;
    if (server->mysql != NULL &&
        hf_mysql_ask(server->mysql, "DO 1", patience, ignore, NULL, reterr) != HF_OK) {
        my_server_lost(server);
    }
    if (server->mysql == NULL) {
        status = connect_now(server, patience, reterr);
    }
    *ret_mysql = server->mysql;
    return status;
}

void my_server_lost(struct my_server *server)
{
    hf_mysql_close(server->mysql);
    server->mysql = NULL;
}

void my_server_name(const struct my_server *server, struct hf_builder *builder)
{
    static const char *const names[] = {MY_RESOURCES(HF_RESOURCE_NAME)};
    hf_build_resource(builder, HF_EMPTY_SLICE);
    if (server->config->wanted.resources[MY_ENDPOINT].enabled) {
        hf_build_attribute_string(builder, hf_slice_text(names[MY_ENDPOINT]),
                                  hf_slice_text(server->config->net.endpoint));
    }
    hf_build_scope(builder, hf_slice_text(SCOPE), hf_slice_text(HF_VERSION));
}
