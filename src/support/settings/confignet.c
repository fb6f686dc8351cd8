#include "confignet.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "support/probe/probe_server.h"

const char *const hf_net_transports[] = {"tcp", "tcp4", "tcp6", "unix", NULL};

const struct hf_field hf_net_dialer_fields[] = {
    {.key = "timeout",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct hf_net_config, connect_timeout_ns),
     .default_text = "0s",
     .help = "Longest time until it is connected; 0: that of the scrape."},
    HF_FIELDS_END,
};

const char *hf_net_check(const struct hf_net_config *config)
{
    struct hf_grpc_target target;
    const char *endpoint = config->endpoint != NULL ? config->endpoint : "";
    if (config->transport == HF_NET_UNIX) {
        return endpoint[0] == '/' && strlen(endpoint) < sizeof(target.host)
                   ? NULL
                   : "endpoint: expected the path of a socket, since transport is unix";
    }
    bool is_target = hf_grpc_target_parse(endpoint, &target) == HF_OK && !target.is_unix &&
                     strstr(endpoint, "://") == NULL;
    return is_target ? NULL : "endpoint: expected host:port";
}

void hf_net_target(const struct hf_net_config *config, struct hf_grpc_target *ret_target,
                   int *ret_family)
{
    static const int families[] = {[HF_NET_TCP] = AF_UNSPEC,
                                   [HF_NET_TCP4] = AF_INET,
                                   [HF_NET_TCP6] = AF_INET6,
                                   [HF_NET_UNIX] = AF_UNIX};
    *ret_family = families[config->transport];
    if (config->transport == HF_NET_UNIX ||
        hf_grpc_target_parse(config->endpoint, ret_target) != HF_OK) {
        *ret_target = (struct hf_grpc_target){.is_unix = config->transport == HF_NET_UNIX};
        snprintf(ret_target->host, sizeof(ret_target->host), "%s", config->endpoint);
    }
}

void hf_net_probe(struct hf_probe *probe, const struct hf_net_config *config,
                  const struct hf_tls_config *tls)
{
    struct hf_grpc_target target;
    int family;
    hf_net_target(config, &target, &family);
    const struct hf_probe_server server = {.host = target.is_unix ? NULL : target.host,
                                           .port = target.port,
                                           .path = target.is_unix ? target.host : NULL,
                                           .tls = tls,
                                           .alpn = ""};
    hf_probe_server(probe, &server);
}

const struct hf_tls_config *hf_net_tls(const struct hf_tls_config *section)
{
    bool has_ca = section != NULL && ((section->ca_file != NULL && section->ca_file[0] != '\0') ||
                                      (section->ca_pem != NULL && section->ca_pem[0] != '\0'));
    return section != NULL && (!section->insecure || has_ca) ? section : NULL;
}
