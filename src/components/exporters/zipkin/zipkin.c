/*
 * zipkin: sends spans to Zipkin's interface, version 2, in JSON or protobuf.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "encodings/zipkin/zipkin_write.h"
#include "support/probe/probe_server.h"
#include "support/sending/http_exporter.h"
#include "support/settings/confighttp.h"

#define EXPORT_BYTES 2000000u /* of OTLP; Zipkin's server takes bodies of 10 MB and more */

enum zipkin_format { ZIPKIN_JSON = 0, ZIPKIN_PROTO };

struct zipkin_config {
    struct hf_http_client_config http;
    int64_t format;
    const char *default_service_name;
};

struct zipkin_exporter {
    struct hf_http_exporter *http; /* first: its functions are the component's */
    const struct zipkin_config *config;
};

static enum hf_status encode(void *user, struct hf_http_post *post)
{
    const struct zipkin_exporter *self = user;
    const struct hf_zipkin_write_options options = {
        .is_proto = self->config->format == ZIPKIN_PROTO,
        .default_service = self->config->default_service_name,
    };
    struct hf_slice raw;
    enum hf_status status =
        hf_payload_read(&post->payload, post->export->bodies, post->export->body_count, &raw);
    if (status == HF_OK) {
        status = hf_zipkin_write(raw, &options, &post->payload.bytes, &post->left_out);
    }
    if (post->left_out != 0) {
        snprintf(post->why, sizeof(post->why),
                 "a span without trace id or span id has no form in Zipkin");
    }
    if (status != HF_OK || post->payload.bytes.size == 0) {
        return status;
    }
    post->content_type = options.is_proto ? "application/x-protobuf" : "application/json";
    return hf_payload_seal(&post->payload, post->coding, post->level);
}

static void close_exporter(void *self)
{
    struct zipkin_exporter *exporter = self;
    hf_http_exporter_close(exporter->http);
    free(exporter);
}

static enum hf_status open_exporter(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    static const struct hf_http_exporter_ops ops = {.encode = encode};
    struct zipkin_exporter *exporter = calloc(1, sizeof(*exporter));
    if (exporter == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the exporter");
        return HF_NOMEM;
    }
    exporter->config = config;
    const struct hf_http_exporter_options options = {
        .node = node,
        .config = &exporter->config->http,
        .paths = {[HF_TRACES] = ""},
        .ops = &ops,
        .user = exporter,
    };
    enum hf_status status = hf_http_exporter_open(&options, &exporter->http, reterr);
    if (status != HF_OK) {
        close_exporter(exporter);
        return status;
    }
    *ret_self = exporter;
    return HF_OK;
}

static const char *check_config(const void *from)
{
    const struct zipkin_config *config = from;
    return hf_http_client_check(&config->http);
}

#define AT(member) offsetof(struct zipkin_config, member)

static const struct hf_field fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(http.endpoint),
     .required = true,
     .validate = hf_http_client_expect_url,
     .help = "The whole URL, with /api/v2/spans."},
    {.key = "format",
     .type = HF_FIELD_ENUM,
     .offset = AT(format),
     .default_text = "json",
     .choices = (const char *const[]){"json", "proto", NULL},
     .help = "The form of the spans."},
    {.key = "default_service_name",
     .type = HF_FIELD_STRING,
     .offset = AT(default_service_name),
     .default_text = "<missing service name>",
     .help = "The service of spans whose resource has none of service.name, faas.name, "
             "k8s.deployment.name and process.executable.name."},
    HF_HTTP_COMPRESSION_FIELDS(struct zipkin_config, http, "none"),
    HF_HTTP_CLIENT_FIELDS(struct zipkin_config, http),
    HF_FIELDS_END,
};

static const struct hf_exporter_ops exporter_ops = {
    .send = hf_http_exporter_self_send,
    .context_keys = hf_http_exporter_self_context_keys,
    .timeout = "5s",
    .request_bytes_max = EXPORT_BYTES,
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct zipkin_config *config = from;
    hf_probe_http_client(probe, &config->http, NULL);
    hf_probe_export(probe);
}

const struct hf_component hf_exporter_zipkin = {
    .type = "zipkin",
    .help = "Sends spans to Zipkin's interface, version 2, in JSON or protobuf.",
    .kind = HF_EXPORTER,
    .signals = HF_SIGNAL_BIT(HF_TRACES),
    .config_size = sizeof(struct zipkin_config),
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_exporter,
    .close = close_exporter,
    .exporter = &exporter_ops,
};
