/*
 * health: the extensions health_check and healthcheckv2, which differ in a default only: the first
 * version's one page, or with use_v2 a status page, a configuration page and gRPC's health service.
 * The main thread opens, starts, stops and closes it.
 */
#pragma once

#include <holdfast/component.h>

#include "health_tree.h"
#include "support/settings/configgrpc_server.h"
#include "support/settings/confighttp_server.h"

struct hf_health_page_config {
    bool enabled, include_attributes, verbose;
    const char *path;
};

struct hf_health_http_config {
    struct hf_http_server_config server;
    struct hf_health_page_config status, config;
};

struct hf_health_grpc_config {
    struct hf_grpc_server_config server;
};

struct hf_health_component_config {
    bool include_permanent_errors, include_recoverable_errors;
    uint64_t recovery_duration_ns;
};

struct hf_health_config {
    /* Of the first version. */
    struct hf_http_server_config http;
    const char *path;
    struct {
        const char *healthy, *unhealthy;
    } body;
    /* Of the second. */
    bool use_v2;
    const struct hf_health_http_config *http_v2;           /* NULL: not written */
    const struct hf_health_grpc_config *grpc_v2;           /* NULL: not written */
    const struct hf_health_component_config *component_v2; /* NULL: not written */
};

extern const struct hf_field hf_health_body_fields[], hf_health_http_fields[],
    hf_health_grpc_fields[], hf_health_component_fields[];

/* Operations of both components; their config is a struct hf_health_config. */
const char *hf_health_check_config(const void *config);
void hf_health_probe(const void *config, struct hf_probe *probe);
enum hf_status hf_health_open(struct hf_node *node, const void *config, void **ret_self,
                              char *reterr);
enum hf_status hf_health_start(void *self, char *reterr);
void hf_health_stop(void *self);
void hf_health_close(void *self);

#define HF_HEALTH_AT(member) offsetof(struct hf_health_config, member)

/* clang-format off */
#define HF_HEALTH_FIELDS(preset)                                                                   \
    HF_HTTP_SERVER_BASE_FIELDS(struct hf_health_config, http, preset),                             \
    {.key = "path",                                                                                \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = HF_HEALTH_AT(path),                                                                 \
     .default_text = "/",                                                                          \
     .help = "Where it answers; / answers everywhere."},                                           \
    {.key = "response_body",                                                                       \
     .type = HF_FIELD_STRUCT,                                                                      \
     .inner = hf_health_body_fields,                                                               \
     .help = "Texts instead of the JSON."},                                                        \
    {.key = "check_collector_pipeline",                                                            \
     .type = HF_FIELD_IGNORED,                                                                     \
     .help = "Health is whether durable enqueue works."},                                          \
    {.key = "auth", .type = HF_FIELD_IGNORED, .help = "Health needs no credentials."},             \
    {.key = "max_request_body_size", .type = HF_FIELD_IGNORED, .help = "Bodies are not read."},    \
    {.key = "include_metadata", .type = HF_FIELD_IGNORED, .help = "Nothing reads it."},            \
    {.key = "compression_algorithms", .type = HF_FIELD_IGNORED, .help = "Bodies are not read."},   \
    {.key = "middlewares", .type = HF_FIELD_IGNORED, .help = "Answers go out as they are."},       \
    {.key = "keep_alives_enabled", .type = HF_FIELD_IGNORED, .help = "Connections are kept."},     \
    {.key = "keepalive", .type = HF_FIELD_IGNORED, .help = "Connections are kept."},               \
    {.key = "idle_timeout",                                                                        \
     .type = HF_FIELD_IGNORED,                                                                     \
     .help = "The server has limits of its own."},                                                 \
    {.key = "read_timeout",                                                                        \
     .type = HF_FIELD_IGNORED,                                                                     \
     .help = "The server has limits of its own."},                                                 \
    {.key = "read_header_timeout",                                                                 \
     .type = HF_FIELD_IGNORED,                                                                     \
     .help = "The server has limits of its own."},                                                 \
    {.key = "write_timeout",                                                                       \
     .type = HF_FIELD_IGNORED,                                                                     \
     .help = "The server has limits of its own."},                                                 \
    {.key = "use_v2",                                                                              \
     .type = HF_FIELD_BOOL,                                                                        \
     .offset = HF_HEALTH_AT(use_v2),                                                               \
     .help = "Serve what http and grpc say, and nothing of the keys above."},                      \
    {.key = "http",                                                                                \
     .type = HF_FIELD_OPTIONAL,                                                                    \
     .offset = HF_HEALTH_AT(http_v2),                                                              \
     .null_enables = true,                                                                         \
     .inner = hf_health_http_fields,                                                               \
     .inner_size = sizeof(struct hf_health_http_config),                                           \
     .help = "With use_v2: the status page and the configuration page."},                          \
    {.key = "grpc",                                                                                \
     .type = HF_FIELD_OPTIONAL,                                                                    \
     .offset = HF_HEALTH_AT(grpc_v2),                                                              \
     .null_enables = true,                                                                         \
     .inner = hf_health_grpc_fields,                                                               \
     .inner_size = sizeof(struct hf_health_grpc_config),                                           \
     .help = "With use_v2: grpc.health.v1.Health, Check and Watch."},                              \
    {.key = "component_health",                                                                    \
     .type = HF_FIELD_OPTIONAL,                                                                    \
     .offset = HF_HEALTH_AT(component_v2),                                                         \
     .null_enables = true,                                                                         \
     .inner = hf_health_component_fields,                                                          \
     .inner_size = sizeof(struct hf_health_component_config),                                      \
     .help = "With use_v2: which errors of components count."}
/* clang-format on */
