#include "probe_inputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "kafka/ask.h"
#include "probe_server.h"
#include "support/tail/paths.h"
#include "support/tokens/kafka_tokens.h"

/* Files that cannot be read are named, so many of them; then they are counted. */
#define NAMED_MAX 5u

void hf_probe_grpc_server(struct hf_probe *probe, const struct hf_grpc_server_config *config)
{
    if (config != NULL) {
        hf_probe_listen(probe, config->endpoint);
        hf_probe_own_tls(probe, config->tls);
    }
}

void hf_probe_http_server(struct hf_probe *probe, const struct hf_http_server_config *config)
{
    if (config != NULL) {
        hf_probe_listen(probe, config->endpoint);
        hf_probe_own_tls(probe, config->tls);
    }
}

void hf_probe_udp(struct hf_probe *probe, const char *endpoint)
{
    char text[HF_PROBE_TEXT_MAX];
    if (endpoint != NULL) {
        snprintf(text, sizeof(text), "udp://%s", endpoint);
        hf_probe_listen(probe, text);
    }
}

/* A folder that cannot be looked into has no files, which is not the same as an empty one. */
static void look_at_folder(void *user, const char *folder)
{
    struct hf_probe *probe = user;
    if (access(folder, F_OK) != 0) {
        hf_probe_say(probe, "file", folder, HF_PROBE_WARNING, "%s", strerror(errno));
    } else if (faccessat(AT_FDCWD, folder, R_OK | X_OK, AT_EACCESS) != 0) {
        hf_probe_say(probe, "file", folder, HF_PROBE_FAILED, "%s", strerror(errno));
    }
}

void hf_probe_tail(struct hf_probe *probe, const struct hf_tail_config *config)
{
    struct hf_paths paths = {0};
    size_t unreadable = 0;
    const char *first = config->include.count != 0 ? config->include.items[0] : "include";
    if (hf_paths_find(&config->include, &config->exclude, look_at_folder, probe, &paths) != HF_OK) {
        hf_probe_say(probe, "file", first, HF_PROBE_FAILED, "out of memory");
        return;
    }
    for (size_t i = 0; i < paths.count; i++) {
        if (faccessat(AT_FDCWD, paths.items[i], R_OK, AT_EACCESS) != 0 &&
            unreadable++ < NAMED_MAX) {
            hf_probe_say(probe, "file", paths.items[i], HF_PROBE_FAILED, "%s", strerror(errno));
        }
    }
    enum hf_probe_result result = unreadable != 0    ? HF_PROBE_FAILED
                                  : paths.count == 0 ? HF_PROBE_WARNING
                                                     : HF_PROBE_OK;
    hf_probe_say(probe, "file", first, result, "%zu files match, %zu cannot be read", paths.count,
                 unreadable);
    hf_paths_release(&paths);
}

/* Signs in, and asks which brokers there are. */
/* The tokens by which the brokers are asked. */
static enum hf_status open_tokens(struct hf_probe *probe, const struct hf_kafka_config *config,
                                  struct hf_kafka_tokens **ret_tokens, char *reterr)
{
    struct hf_kafka_tokens_options options = {.config = config};
    if (hf_kafka_config_tokens(config) == HF_KAFKA_TOKENS_EXTENSION) {
        const char *id = config->auth.sasl->token_source;
        if (probe->auth == NULL) {
            snprintf(reterr, HF_ERROR_MAX, "%s is not open", id);
            return HF_NOT_FOUND;
        }
        if (!probe->auth(probe->user, id, &options.auth.ops, &options.auth.self, reterr)) {
            return HF_NOT_FOUND;
        }
        if (options.auth.ops->headers == NULL) {
            snprintf(reterr, HF_ERROR_MAX, HF_KAFKA_NO_TOKENS, id);
            return HF_INVALID;
        }
    }
    enum hf_status status = hf_kafka_tokens_new(&options, ret_tokens, reterr);
    return status == HF_OK ? hf_kafka_tokens_start(*ret_tokens, reterr) : status;
}

static void ask_brokers(struct hf_probe *probe, const struct hf_kafka_config *config)
{
    char error[HF_ERROR_MAX] = "";
    int count = 0;
    struct hf_kafka_tokens *tokens = NULL;
    struct hf_kafka_settings settings = {0};
    const char *first = config->brokers.count != 0 ? config->brokers.items[0] : "brokers";
    const struct hf_kafka_library *library = hf_kafka_library(error);
    enum hf_status status = HF_UNSUPPORTED;
    if (library != NULL) {
        status = open_tokens(probe, config, &tokens, error);
    }
    if (status == HF_OK) {
        hf_kafka_config_set(config, &settings);
        settings.tokens = hf_kafka_tokens_source(tokens);
        status = hf_kafka_ask(library, &settings, probe->timeout_ns, &count, error);
        hf_kafka_settings_release(&settings);
    }
    if (status == HF_OK) {
        hf_probe_say(probe, "auth", first, HF_PROBE_OK, "the cluster has %d brokers", count);
    } else {
        hf_probe_say(probe, "auth", first, HF_PROBE_FAILED, "%s", error);
    }
    hf_kafka_tokens_stop(tokens);
    hf_kafka_tokens_free(tokens);
}

void hf_probe_brokers(struct hf_probe *probe, const struct hf_kafka_config *config)
{
    const struct hf_tls_config *tls = hf_kafka_config_tls(config);
    for (size_t i = 0; i < config->brokers.count; i++) {
        const char *broker = config->brokers.items[i];
        const char *colon = strrchr(broker, ':');
        char host[256];
        snprintf(host, sizeof(host), "%.*s",
                 colon != NULL ? (int)(colon - broker) : (int)strlen(broker), broker);
        bool is_v6 = host[0] == '[' && host[strlen(host) - 1] == ']';
        host[strlen(host) - (is_v6 ? 1 : 0)] = '\0';
        const struct hf_probe_server server = {
            .host = host + (is_v6 ? 1 : 0),
            .port = colon != NULL ? colon + 1 : "9092",
            .tls = tls != NULL && !tls->insecure ? tls : NULL,
            .alpn = "",
        };
        hf_probe_server(probe, &server);
    }
    ask_brokers(probe, config);
}
