/*
 * configaws: the settings of sessions with AWS, as the Go collector's components of AWS have them:
 * one struct, its fields, and a client of one service made of them.
 *
 *     struct my_config { struct hf_aws_config aws; ... };
 *     HF_AWS_FIELDS(struct my_config, aws),
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/field.h>
#include <holdfast/node.h>
#include <holdfast/probe.h>

#include "aws/host_scope.h"
#include "aws/service.h"
#include "confighttp.h"

struct hf_aws_config {
    const char *endpoint, *region, *role_arn, *external_id, *proxy_address;
    const char *profile, *certificate_file_path, *resource_arn;
    struct hf_string_list shared_credentials_file;
    int64_t num_workers, request_timeout_s;
    bool no_verify_ssl, local_mode;
};

/* Values of fields: a URL, or the name of a host. */
const char *hf_aws_expect_endpoint(const char *key, const char *text);

/* A client with its session. Owned by the thread of the node's own loop, but for open, start, stop
 * and close. */
struct hf_aws_client {
    struct hf_node *node;
    const struct hf_aws_config *config;
    struct hf_aws_role role;
    struct hf_tls_config tls;
    struct hf_aws_session *session;
    struct hf_aws_service *service;
    char region[HF_AWS_REGION_MAX];
    char user_agent[HF_USER_AGENT_MAX];
};

/* `name` of the service, a literal: "logs". Zeroed before. HF_INVALID and others with a sentence in
 * `reterr` (HF_ERROR_MAX); to be closed then too. Main thread; may ask the instance for its region.
 */
HF_MUST_USE enum hf_status hf_aws_client_open(struct hf_aws_client *client, struct hf_node *node,
                                              const struct hf_aws_config *config, const char *name,
                                              char *reterr);
/* `start` and `stop` of a component whose struct begins with its client; nothing where that was not
 * opened. */
HF_MUST_USE enum hf_status hf_aws_client_start(void *self, char *reterr);
void hf_aws_client_stop(void *self);
void hf_aws_client_close(struct hf_aws_client *client);

/* When one request must have its answer: request_timeout_seconds from now, and no later than the
 * attempt's own deadline. */
uint64_t hf_aws_client_deadline(const struct hf_aws_client *client, uint64_t attempt_ns);

/* The server of a service. */
void hf_aws_probe(struct hf_probe *probe, const struct hf_aws_config *config, const char *name);

/* clang-format off */
#define HF_AWS_FIELDS(owner, at)                                                                   \
    {.key = "endpoint",                                                                            \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.endpoint),                                                       \
     .validate = hf_aws_expect_endpoint,                                                           \
     .help = "The service's endpoint, a URL or a host; absent: that of the region."},              \
    {.key = "region",                                                                              \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.region),                                                         \
     .help = "The region; absent: AWS_REGION, or what the EC2 instance says."},                    \
    {.key = "role_arn",                                                                            \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.role_arn),                                                       \
     .help = "A role to send as; absent: the credential chain's own credentials."},                \
    {.key = "external_id",                                                                         \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.external_id),                                                    \
     .help = "The external id with which the role is assumed."},                                   \
    {.key = "profile",                                                                             \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.profile),                                                        \
     .help = "A profile of the shared credentials file, used before all other credentials."},      \
    {.key = "shared_credentials_file",                                                             \
     .type = HF_FIELD_STRING_LIST,                                                                 \
     .offset = offsetof(owner, at.shared_credentials_file),                                        \
     .help = "Where that file is; of several the first that is there. Absent: "                    \
             "AWS_SHARED_CREDENTIALS_FILE, ~/.aws/credentials."},                                  \
    {.key = "proxy_address",                                                                       \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.proxy_address),                                                  \
     .help = "The proxy of requests to the service, as a URL; absent: the environment's "          \
             "HTTP_PROXY, HTTPS_PROXY, NO_PROXY."},                                                \
    {.key = "no_verify_ssl",                                                                       \
     .type = HF_FIELD_BOOL,                                                                        \
     .offset = offsetof(owner, at.no_verify_ssl),                                                  \
     .help = "Does not verify the server's certificate."},                                         \
    {.key = "certificate_file_path",                                                               \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.certificate_file_path),                                          \
     .help = "Authorities that the server's certificate is verified against, a PEM file; "         \
             "absent: the system's."},                                                             \
    {.key = "request_timeout_seconds",                                                             \
     .type = HF_FIELD_INT,                                                                         \
     .offset = offsetof(owner, at.request_timeout_s),                                              \
     .default_text = "30",                                                                         \
     .min = 1,                                                                                     \
     .max = 86400,                                                                                 \
     .help = "The longest time of one request, in seconds."},                                      \
    {.key = "num_workers",                                                                         \
     .type = HF_FIELD_INT,                                                                         \
     .offset = offsetof(owner, at.num_workers),                                                    \
     .default_text = "8",                                                                          \
     .min = 1,                                                                                     \
     .max = 1024,                                                                                  \
     .help = "Connections to the service at most."},                                               \
    {.key = "local_mode",                                                                          \
     .type = HF_FIELD_BOOL,                                                                        \
     .offset = offsetof(owner, at.local_mode),                                                     \
     .help = "Does not ask the EC2 instance for its region."},                                     \
    {.key = "resource_arn",                                                                        \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.resource_arn),                                                   \
     .help = "The ARN of the resource that Holdfast runs on, for the telemetry of awsxray."},      \
    {.key = "max_retries",                                                                         \
     .type = HF_FIELD_IGNORED,                                                                     \
     .help = "no number of attempts drops data; retry_on_failure says how attempts are repeated"}, \
    {.key = "imds_retries",                                                                        \
     .type = HF_FIELD_IGNORED,                                                                     \
     .help = "the instance is asked again until there are credentials"}
/* clang-format on */
