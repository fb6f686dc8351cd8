/* The detector `consul`: what the agent of Consul tells of its node. */
#include <stdio.h>
#include <string.h>

#include "detect.h"
#include "pdata/json_any.h"

static const char *given(const char *configured, const char *variable, const char *otherwise)
{
    return configured != NULL && configured[0] != '\0' ? configured
                                                       : hf_detection_env(variable, otherwise);
}

static const char *agent_url(struct hf_detection *detection)
{
    const struct hf_detector_config *config = detection->config;
    const char *address = given(config->address, "CONSUL_HTTP_ADDR", "127.0.0.1:8500");
    const char *space = given(config->name_space, "CONSUL_NAMESPACE", NULL);
    const char *scheme =
        strcmp(hf_detection_env("CONSUL_HTTP_SSL", "false"), "true") == 0 ? "https" : "http";
    const char *center = config->datacenter != NULL ? config->datacenter : "";
    bool has_scheme = strstr(address, "://") != NULL;
    return hf_detection_text(detection, "%s%s%s/v1/agent/self?%s%s%s%s%s", has_scheme ? "" : scheme,
                             has_scheme ? "" : "://", address, center[0] != '\0' ? "dc=" : "",
                             center, center[0] != '\0' && space != NULL ? "&" : "",
                             space != NULL ? "ns=" : "", space != NULL ? space : "");
}

static struct hf_slice token_of(struct hf_detection *detection)
{
    const struct hf_detector_config *config = detection->config;
    const char *file = given(config->token_file, "CONSUL_HTTP_TOKEN_FILE", NULL);
    return file != NULL ? hf_detection_file(detection, file)
                        : hf_slice_text(given(config->token, "CONSUL_HTTP_TOKEN", ""));
}

/* Those of the node's own that the configuration names, under their names. */
static void set_meta(struct hf_detection *detection, struct hf_slice agent)
{
    const struct hf_string_map *wanted = &detection->config->meta;
    struct hf_any map = hf_any_read(agent);
    struct hf_slice meta, value;
    if (!hf_any_look_up(&map, hf_slice_text("Meta"), &meta)) {
        return;
    }
    struct hf_any values = hf_any_read(meta);
    for (size_t i = 0; i < wanted->count; i++) {
        struct hf_slice key = hf_slice_text(wanted->items[i].key);
        if (hf_any_look_up(&values, key, &value)) {
            hf_detection_set_named(detection, "", key, hf_any_read(value).bytes);
        }
    }
}

static enum hf_status detect_consul(struct hf_detection *detection)
{
    static const char *const pairs[][2] = {
        {"Config.NodeName", "host.name"},
        {"Config.Datacenter", "cloud.region"},
        {"Config.NodeID", "host.id"},
    };
    struct hf_detection_call call = {.url = agent_url(detection)};
    struct hf_slice token = token_of(detection), agent;
    if (token.size > 0) {
        call.headers[call.header_count++] =
            (struct hf_header){hf_slice_text("x-consul-token"), token};
    }
    enum hf_status status = hf_detection_fetch_json(detection, &call, &agent);
    if (status != HF_OK) {
        return status;
    }
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        hf_detection_set(detection, pairs[i][1],
                         hf_json_any_text(&detection->maker, agent, pairs[i][0]));
    }
    set_meta(detection, agent);
    return HF_OK;
}

static const struct hf_detector_attribute consul_attributes[] = {
    {"cloud.region", false}, {"host.id", false}, {"host.name", false}, {NULL, false}};

const struct hf_detector hf_detector_consul = {
    .name = "consul", .attributes = consul_attributes, .detect = detect_consul};
