#include "my_server.h"

#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "support/scrape/dial.h"
#include "support/scrape/instance.h"

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

/* The texts of the resource; one without data is not there. */
struct names {
    char host[256], version[32], seed[280], id[HF_INSTANCE_UUID_SIZE];
    struct hf_slice texts[MY_RESOURCE_COUNT];
};

static void name_version(const struct my_server *server, struct names *names)
{
    if (server->mysql != NULL) {
        unsigned long version = hf_mysql_version(server->mysql);
        snprintf(names->version, sizeof(names->version), "%lu.%lu.%lu", version / 10000,
                 version / 100 % 100, version % 100);
        names->texts[MY_VERSION] = hf_slice_text(names->version);
        names->texts[MY_SYSTEM] =
            hf_slice_text(hf_mysql_is_mariadb(server->mysql) ? "mariadb" : "mysql");
    }
}

static void name_place(const struct my_server *server, struct names *names)
{
    const struct hf_grpc_target *target = &server->target;
    if (target->is_unix) {
        snprintf(names->host, sizeof(names->host), "%s", target->host);
        snprintf(names->seed, sizeof(names->seed), "%s", target->host);
    } else {
        hf_instance_host(target->host, names->host);
        hf_instance_join(names->host, target->port, names->seed, sizeof(names->seed));
    }
    names->texts[MY_ADDRESS] = hf_slice_text(names->host);
    if (hf_instance_uuid(hf_slice_text(names->seed), names->id) == HF_OK) {
        names->texts[MY_INSTANCE] = hf_slice_text(names->id);
    }
}

void my_server_name(const struct my_server *server, struct hf_builder *builder)
{
    static const char *const keys[] = {MY_RESOURCES(HF_RESOURCE_NAME)};
    const struct hf_resource_choice *wanted = server->config->wanted.resources;
    struct names names = {.texts = {[MY_ENDPOINT] = hf_slice_text(server->config->net.endpoint),
                                    [MY_SERVICE] = hf_slice_text("unknown_service:mysql"),
                                    [MY_NAMESPACE] = hf_slice_text("")}};
    name_version(server, &names);
    name_place(server, &names);
    hf_build_resource(builder, HF_EMPTY_SLICE);
    for (size_t i = 0; i < MY_RESOURCE_COUNT; i++) {
        if (wanted[i].enabled && names.texts[i].data != NULL) {
            hf_build_attribute_string(builder, hf_slice_text(keys[i]), names.texts[i]);
        }
    }
    if (wanted[MY_PORT].enabled && !server->target.is_unix) {
        hf_build_attribute_int(builder, hf_slice_text(keys[MY_PORT]),
                               (int64_t)strtoul(server->target.port, NULL, 10));
    }
    hf_build_scope(builder, hf_slice_text(SCOPE), hf_slice_text(HF_VERSION));
}
