/*
 * config_fields: tables of keys that several tables share. For config_*.c only.
 */
#pragma once

#include "config.h"
#include "config_checks.h"

extern const struct hf_field prom_basic_auth_fields[];
extern const struct hf_field prom_authorization_fields[];
extern const struct hf_field prom_oauth2_fields[];
extern const struct hf_field prom_tls_fields[];
extern const struct hf_field prom_header_fields[];
extern const struct hf_field prom_static_fields[];
extern const struct hf_field prom_file_sd_fields[];
extern const struct hf_field prom_http_sd_fields[];
extern const struct hf_field prom_dns_sd_fields[];
extern const struct hf_field prom_kubernetes_sd_fields[];
extern const struct hf_field prom_allocator_fields[];

#define IGNORED(name, why)                                                                         \
    {                                                                                              \
        .key = (name), .type = HF_FIELD_IGNORED, .help = (why)                                     \
    }

/* clang-format off */
#define HTTP_FIELDS(owner, at)                                                                     \
    {.key = "basic_auth",                                                                          \
     .type = HF_FIELD_OPTIONAL,                                                                    \
     .offset = offsetof(owner, at.basic_auth),                                                     \
     .inner = prom_basic_auth_fields,                                                              \
     .inner_size = sizeof(struct prom_basic_auth),                                                 \
     .help = "User name and password."},                                                           \
    {.key = "authorization",                                                                       \
     .type = HF_FIELD_OPTIONAL,                                                                    \
     .offset = offsetof(owner, at.authorization),                                                  \
     .inner = prom_authorization_fields,                                                           \
     .inner_size = sizeof(struct prom_authorization),                                              \
     .help = "The header Authorization."},                                                         \
    {.key = "oauth2",                                                                              \
     .type = HF_FIELD_OPTIONAL,                                                                    \
     .offset = offsetof(owner, at.oauth2),                                                         \
     .inner = prom_oauth2_fields,                                                                  \
     .inner_size = sizeof(struct prom_oauth2),                                                     \
     .help = "A token of an OAuth 2.0 server, by the grant client_credentials."},                  \
    {.key = "bearer_token",                                                                        \
     .type = HF_FIELD_SECRET,                                                                      \
     .offset = offsetof(owner, at.bearer_token),                                                   \
     .help = "The older spelling of authorization::credentials."},                                 \
    {.key = "bearer_token_file",                                                                   \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.bearer_token_file),                                              \
     .help = "The older spelling of authorization::credentials_file."},                            \
    {.key = "tls_config",                                                                          \
     .type = HF_FIELD_STRUCT,                                                                      \
     .offset = offsetof(owner, at.tls),                                                            \
     .inner = prom_tls_fields,                                                                     \
     .help = "How https is verified."},                                                            \
    {.key = "follow_redirects",                                                                    \
     .type = HF_FIELD_BOOL,                                                                        \
     .offset = offsetof(owner, at.follow_redirects),                                               \
     .default_text = "true",                                                                       \
     .help = "Follow redirects."},                                                                 \
    {.key = "proxy_url",                                                                           \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.proxy_url),                                                      \
     .help = "Proxy, as a URL."},                                                                  \
    {.key = "no_proxy",                                                                            \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.no_proxy),                                                       \
     .help = "Where proxy_url is not used: addresses, networks, names, with commas between."},     \
    {.key = "proxy_from_environment",                                                              \
     .type = HF_FIELD_BOOL,                                                                        \
     .offset = offsetof(owner, at.proxy_from_environment),                                         \
     .default_text = "false",                                                                      \
     .help = "Use HTTP_PROXY, HTTPS_PROXY and NO_PROXY of the environment."},                      \
    {.key = "http_headers",                                                                        \
     .type = HF_FIELD_STRUCT_MAP,                                                                  \
     .offset = offsetof(owner, at.headers),                                                        \
     .inner = prom_header_fields,                                                                  \
     .inner_size = sizeof(struct prom_http_header),                                                \
     .help = "More headers of each request."},                                                     \
    IGNORED("enable_http2", "HTTP/1.1 is spoken.")
/* clang-format on */

#define REFRESH(owner, preset)                                                                     \
    {                                                                                              \
        .key = "refresh_interval", .type = HF_FIELD_STRING,                                        \
        .offset = offsetof(owner, refresh_interval), .default_text = (preset),                     \
        .validate = prom_expect_duration, .help = "How often it is looked at again."               \
    }
