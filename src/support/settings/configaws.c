#include "configaws.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "aws/region.h"
#include "support/probe/probe_server.h"
#include "util/time/clock.h"

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

const char *hf_aws_expect_endpoint(const char *key, const char *text)
{
    char url[HF_AWS_URL_MAX];
    (void)key;
    return text[0] == '\0' || (hf_aws_service_url("", "", text, url) && hf_http_is_url(url))
               ? NULL
               : "a URL or the name of a host";
}

static void on_failed(void *user, const char *why)
{
    const struct hf_aws_client *client = user;
    hf_node_log(client->node, HF_LOG_WARN, "no credentials of AWS: %s", why);
}

static void on_reload_failed(void *user, const char *why)
{
    const struct hf_aws_client *client = user;
    hf_node_log(client->node, HF_LOG_WARN,
                "reloading TLS files failed; keeping the previous ones: %s", why);
}

static const char *credentials_file(const struct hf_string_list *files)
{
    for (size_t i = 0; i < files->count; i++) {
        if (access(files->items[i], F_OK) == 0) {
            return files->items[i];
        }
    }
    return files->count != 0 ? files->items[0] : NULL;
}

static enum hf_status find_region(struct hf_aws_client *client, char *reterr)
{
    const struct hf_aws_config *config = client->config;
    if (!given(config->region)) {
        return hf_aws_region_find(!config->local_mode, client->region, reterr);
    }
    if (strlen(config->region) >= sizeof(client->region)) {
        snprintf(reterr, HF_ERROR_MAX, "region: \"%.80s\" is too long", config->region);
        return HF_INVALID;
    }
    snprintf(client->region, sizeof(client->region), "%s", config->region);
    return HF_OK;
}

enum hf_status hf_aws_client_open(struct hf_aws_client *client, struct hf_node *node,
                                  const struct hf_aws_config *config, const char *name,
                                  char *reterr)
{
    client->node = node;
    client->config = config;
    client->role.arn = config->role_arn;
    client->role.external_id = config->external_id;
    client->role.profile = config->profile;
    client->role.profile_file = credentials_file(&config->shared_credentials_file);
    client->tls = (struct hf_tls_config){.ca_file = config->certificate_file_path,
                                         .insecure_skip_verify = config->no_verify_ssl};
    hf_user_agent(client->user_agent);
    enum hf_status status = find_region(client, reterr);
    client->role.sts_region = client->region;
    const struct hf_aws_session_options session = {
        .role = &client->role, .on_failed = on_failed, .user = client};
    status = status == HF_OK ? hf_aws_session_new(&session, &client->session, reterr) : status;
    if (status != HF_OK) {
        return status;
    }
    const struct hf_aws_service_options service = {
        .loop = hf_node_own_loop(node),
        .session = client->session,
        .name = name,
        .region = client->region,
        .endpoint = config->endpoint,
        .user_agent = client->user_agent,
        .http = {.tls = &client->tls,
                 .proxy_url = given(config->proxy_address) ? config->proxy_address : NULL,
                 .max_conns = (uint64_t)config->num_workers,
                 .on_reload_failed = on_reload_failed,
                 .user = client},
    };
    return hf_aws_service_new(&service, &client->service, reterr);
}

enum hf_status hf_aws_client_start(void *self, char *reterr)
{
    const struct hf_aws_client *client = self;
    return client->session != NULL ? hf_aws_session_start(client->session, reterr) : HF_OK;
}

void hf_aws_client_stop(void *self)
{
    const struct hf_aws_client *client = self;
    if (client->session != NULL) {
        hf_aws_session_stop(client->session);
    }
}

void hf_aws_client_close(struct hf_aws_client *client)
{
    hf_aws_service_free(client->service);
    hf_aws_session_free(client->session);
    client->service = NULL;
    client->session = NULL;
}

uint64_t hf_aws_client_deadline(const struct hf_aws_client *client, uint64_t attempt_ns)
{
    uint64_t due_ns =
        hf_clock_monotonic_ns() + (uint64_t)client->config->request_timeout_s * HF_NS_PER_S;
    return attempt_ns != 0 && attempt_ns < due_ns ? attempt_ns : due_ns;
}

void hf_aws_probe(struct hf_probe *probe, const struct hf_aws_config *config, const char *name)
{
    char region[HF_AWS_REGION_MAX], url[HF_AWS_URL_MAX], why[HF_ERROR_MAX];
    bool is_known = given(config->region) || given(config->endpoint) ||
                    hf_aws_region_find(!config->local_mode, region, why) == HF_OK;
    const char *used = given(config->region) ? config->region : is_known ? region : "";
    const struct hf_http_client_config http = {
        .endpoint = url,
        .tls = {.ca_file = config->certificate_file_path,
                .insecure_skip_verify = config->no_verify_ssl},
        .proxy_url = given(config->proxy_address) ? config->proxy_address : NULL,
    };
    if (given(config->endpoint) && !given(config->region)) {
        used = "";
    }
    if (is_known && hf_aws_service_url(name, used, config->endpoint, url)) {
        hf_probe_http_client(probe, &http, url);
    }
    hf_probe_export(probe);
}
