#include "telemetry_push.h"

#include <stdlib.h>
#include <string.h>

#include "bind.h"
#include "util/validators.h"

#define NS_PER_MS 1e6

struct tls_body {
    const char *ca_file, *cert_file, *key_file;
    bool insecure;
};

struct hf_push_otlp_body {
    int64_t protocol; /* of `otlp` alone */
    const char *endpoint, *headers_list;
    struct hf_string_map headers;
    int64_t compression, timeout_ms;
    const char *certificate, *client_certificate, *client_key;
    bool insecure;
    struct tls_body tls;
};

#define AT(member) offsetof(struct hf_push_otlp_body, member)
#define IGNORED(name, why)                                                                         \
    {                                                                                              \
        .key = (name), .type = HF_FIELD_IGNORED, .help = (why)                                     \
    }
#define MILLISECONDS(name, place, preset)                                                          \
    {                                                                                              \
        .key = (name), .type = HF_FIELD_INT, .offset = (place), .default_text = (preset),          \
        .min = 0, .max = 86400000                                                                  \
    }

enum { PROTOCOL_GRPC = 0, PROTOCOL_HTTP };
static const char *const protocols[] = {"grpc", "http/protobuf", "grpc/protobuf", NULL};
static const char *const compressions[] = {"none", "gzip", NULL};
static const char *const encodings[] = {"protobuf", NULL};

static const struct hf_field tls_fields[] = {
    {.key = "ca_file", .type = HF_FIELD_STRING, .offset = offsetof(struct tls_body, ca_file)},
    {.key = "cert_file", .type = HF_FIELD_STRING, .offset = offsetof(struct tls_body, cert_file)},
    {.key = "key_file", .type = HF_FIELD_STRING, .offset = offsetof(struct tls_body, key_file)},
    {.key = "insecure", .type = HF_FIELD_BOOL, .offset = offsetof(struct tls_body, insecure)},
    HF_FIELDS_END,
};

#define OTLP_FIELDS                                                                                \
    {.key = "endpoint", .type = HF_FIELD_STRING, .offset = AT(endpoint)},                          \
        {.key = "headers",                                                                         \
         .type = HF_FIELD_MAP,                                                                     \
         .offset = AT(headers),                                                                    \
         .is_secret = true,                                                                        \
         .validate = hf_expect_header},                                                            \
        {.key = "headers_list",                                                                    \
         .type = HF_FIELD_STRING,                                                                  \
         .offset = AT(headers_list),                                                               \
         .is_secret = true},                                                                       \
        {.key = "compression",                                                                     \
         .type = HF_FIELD_ENUM,                                                                    \
         .offset = AT(compression),                                                                \
         .default_text = "none",                                                                   \
         .choices = compressions},                                                                 \
        MILLISECONDS("timeout", AT(timeout_ms), "10000"),                                          \
        {.key = "certificate", .type = HF_FIELD_STRING, .offset = AT(certificate)},                \
        {.key = "client_certificate", .type = HF_FIELD_STRING, .offset = AT(client_certificate)},  \
        {.key = "client_key", .type = HF_FIELD_STRING, .offset = AT(client_key)},                  \
        {.key = "insecure", .type = HF_FIELD_BOOL, .offset = AT(insecure)},                        \
        {.key = "tls", .type = HF_FIELD_STRUCT, .offset = AT(tls), .inner = tls_fields},           \
        IGNORED("temporality_preference", "has no effect: sums are cumulative"),                   \
        IGNORED("default_histogram_aggregation", "has no effect: histograms have fixed buckets")

static const struct hf_field otlp_fields[] = {
    {.key = "protocol",
     .type = HF_FIELD_ENUM,
     .offset = AT(protocol),
     .required = true,
     .choices = protocols},
    OTLP_FIELDS,
    HF_FIELDS_END,
};

static const struct hf_field grpc_fields[] = {OTLP_FIELDS, HF_FIELDS_END};

static const struct hf_field http_fields[] = {
    OTLP_FIELDS,
    {.key = "encoding",
     .type = HF_FIELD_ENUM,
     .offset = AT(protocol),
     .default_text = "protobuf",
     .choices = encodings},
    HF_FIELDS_END,
};

#define OTLP(name, table, member)                                                                  \
    {                                                                                              \
        .key = (name), .type = HF_FIELD_OPTIONAL, .null_enables = true,                            \
        .offset = offsetof(struct hf_push_exporter_body, member), .inner = (table),                \
        .inner_size = sizeof(struct hf_push_otlp_body)                                             \
    }

static const struct hf_field exporter_fields[] = {
    OTLP("otlp", otlp_fields, otlp),
    OTLP("otlp_grpc", grpc_fields, grpc),
    OTLP("otlp_http", http_fields, http),
    IGNORED("console", "has no effect: the log is written by itself, and metrics are scraped"),
    HF_FIELDS_END,
};

#define EXPORTER(body)                                                                             \
    {                                                                                              \
        .key = "exporter", .type = HF_FIELD_STRUCT, .offset = offsetof(struct body, exporter),     \
        .inner = exporter_fields                                                                   \
    }

const struct hf_field hf_push_periodic_fields[] = {
    MILLISECONDS("interval", offsetof(struct hf_push_periodic_body, interval_ms), "60000"),
    MILLISECONDS("timeout", offsetof(struct hf_push_periodic_body, timeout_ms), "30000"),
    EXPORTER(hf_push_periodic_body),
    IGNORED("producers", "has no effect"),
    IGNORED("cardinality_limits", "has no effect"),
    HF_FIELDS_END,
};

static const struct hf_field batch_fields[] = {
    MILLISECONDS("schedule_delay", offsetof(struct hf_push_batch_body, delay_ms), "1000"),
    MILLISECONDS("export_timeout", offsetof(struct hf_push_batch_body, export_timeout_ms), "30000"),
    {.key = "max_export_batch_size",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct hf_push_batch_body, batch_size),
     .default_text = "512",
     .min = 1,
     .max = 100000},
    {.key = "max_queue_size",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct hf_push_batch_body, queue_size),
     .default_text = "2048",
     .min = 1,
     .max = 100000},
    EXPORTER(hf_push_batch_body),
    HF_FIELDS_END,
};

static const struct hf_field simple_fields[] = {EXPORTER(hf_push_simple_body), HF_FIELDS_END};

const struct hf_field hf_push_processor_fields[] = {
    {.key = "batch",
     .type = HF_FIELD_OPTIONAL,
     .null_enables = true,
     .offset = offsetof(struct hf_push_processor_body, batch),
     .inner = batch_fields,
     .inner_size = sizeof(struct hf_push_batch_body)},
    {.key = "simple",
     .type = HF_FIELD_OPTIONAL,
     .null_enables = true,
     .offset = offsetof(struct hf_push_processor_body, simple),
     .inner = simple_fields,
     .inner_size = sizeof(struct hf_push_simple_body)},
    HF_FIELDS_END,
};

/* ---- what they ask for ---- */

/* "a=b,c=d" behind the headers of the map, which win. */
static void add_listed(struct hf_build *build, const char *list, struct hf_string_map *headers)
{
    size_t count = headers->count;
    for (const char *at = list; *at != '\0'; at++) {
        count += *at == '=';
    }
    struct hf_string_pair *pairs = hf_config_array(build->load->memory, count, sizeof(*pairs));
    if (pairs == NULL) {
        return;
    }
    if (headers->count != 0) {
        memcpy(pairs, headers->items, headers->count * sizeof(*pairs));
    }
    count = headers->count;
    while (*list != '\0') {
        size_t size = strcspn(list, ",");
        const char *equals = memchr(list, '=', size);
        if (equals != NULL) {
            pairs[count].key =
                hf_config_format(build->load->memory, "%.*s", (int)(equals - list), list);
            pairs[count].value = hf_config_format(
                build->load->memory, "%.*s", (int)(size - (size_t)(equals - list) - 1), equals + 1);
            count += pairs[count].key != NULL && pairs[count].value != NULL;
        }
        list += size + (list[size] == ',');
    }
    *headers = (struct hf_string_map){pairs, count};
}

static bool has_scheme(const char *endpoint)
{
    return strncmp(endpoint, "http://", 7) == 0 || strncmp(endpoint, "https://", 8) == 0;
}

static void set_tls(const struct hf_push_otlp_body *body, struct hf_push_config *push)
{
    const struct tls_body *tls = &body->tls;
    push->tls.ca_file = tls->ca_file != NULL ? tls->ca_file : body->certificate;
    push->tls.cert_file = tls->cert_file != NULL ? tls->cert_file : body->client_certificate;
    push->tls.key_file = tls->key_file != NULL ? tls->key_file : body->client_key;
    push->tls.insecure = tls->insecure || body->insecure;
}

static struct hf_push_config *of_exporter(struct hf_build *build, struct hf_yaml_place place,
                                          const struct hf_key_path *path,
                                          const struct hf_push_exporter_body *from)
{
    const struct hf_push_otlp_body *body = from->otlp != NULL   ? from->otlp
                                           : from->grpc != NULL ? from->grpc
                                                                : from->http;
    if (body == NULL) {
        hf_load_warn(build->load, place, path,
                     "has no effect: there is no otlp, otlp_grpc or otlp_http exporter in it");
    }
    struct hf_push_config *push =
        body != NULL ? hf_config_array(build->load->memory, 1, sizeof(*push)) : NULL;
    if (push == NULL) {
        return NULL;
    }
    bool plain = body->insecure || body->tls.insecure;
    push->is_http = body == from->http || (body == from->otlp && body->protocol == PROTOCOL_HTTP);
    push->endpoint = body->endpoint != NULL && body->endpoint[0] != '\0' ? body->endpoint
                     : push->is_http                                     ? "http://localhost:4318"
                                                                         : "http://localhost:4317";
    if (!has_scheme(push->endpoint)) {
        push->endpoint = hf_config_format(build->load->memory, "%s://%s", plain ? "http" : "https",
                                          push->endpoint);
    }
    push->headers = body->headers;
    if (body->headers_list != NULL) {
        add_listed(build, body->headers_list, &push->headers);
    }
    set_tls(body, push);
    push->gzip = body->compression == 1;
    push->timeout_ns = (uint64_t)body->timeout_ms * (uint64_t)NS_PER_MS;
    const char *wrong = hf_tls_client_check(&push->tls);
    if (wrong != NULL) {
        hf_load_error(build->load, place, path, "%s", wrong);
    }
    return push;
}

const struct hf_push_config *hf_push_of_periodic(struct hf_build *build, struct hf_yaml_place place,
                                                 const struct hf_key_path *path,
                                                 const struct hf_push_periodic_body *body)
{
    struct hf_push_config *push = of_exporter(build, place, path, &body->exporter);
    if (push != NULL) {
        uint64_t interval_ms = body->interval_ms > 0 ? (uint64_t)body->interval_ms : 60000;
        push->interval_ns = interval_ms * (uint64_t)NS_PER_MS;
    }
    return push;
}

const struct hf_push_config *hf_push_of_processor(struct hf_build *build,
                                                  struct hf_yaml_place place,
                                                  const struct hf_key_path *path,
                                                  const struct hf_push_processor_body *body)
{
    const struct hf_push_batch_body *batch = body->batch;
    struct hf_push_config *push = NULL;
    if (batch != NULL) {
        push = of_exporter(build, place, path, &batch->exporter);
    } else if (body->simple != NULL) {
        push = of_exporter(build, place, path, &body->simple->exporter);
    }
    if (push != NULL) {
        push->interval_ns = batch != NULL ? (uint64_t)batch->delay_ms * (uint64_t)NS_PER_MS : 0;
        push->batch_items = batch != NULL ? (size_t)batch->batch_size : 512;
        push->queue_items = batch != NULL ? (size_t)batch->queue_size : 2048;
    }
    return push;
}
