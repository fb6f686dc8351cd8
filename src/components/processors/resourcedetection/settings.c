#include "settings.h"

#include <stdio.h>
#include <string.h>

#include <holdfast/component.h>

#include "util/regex/regex.h"

const struct hf_detector *const hf_detectors_known[HF_DETECTOR_COUNT] = {
    [ENV] = &hf_detector_env,
    [SYSTEM] = &hf_detector_system,
    [DOCKER] = &hf_detector_docker,
    [EC2] = &hf_detector_ec2,
    [ECS] = &hf_detector_ecs,
    [EKS] = &hf_detector_eks,
    [GCP] = &hf_detector_gcp,
    [AZURE] = &hf_detector_azure,
    [K8SNODE] = &hf_detector_k8snode,
    [K8S_API] = &hf_detector_k8s_api,
    [KUBEADM] = &hf_detector_kubeadm,
    [OPENSHIFT] = &hf_detector_openshift,
    [LAMBDA] = &hf_detector_lambda,
    [ELASTIC_BEANSTALK] = &hf_detector_elastic_beanstalk,
    [AKS] = &hf_detector_aks,
    [HEROKU] = &hf_detector_heroku,
    [DYNATRACE] = &hf_detector_dynatrace,
    [AZUREAPPSERVICE] = &hf_detector_azureappservice,
    [AZURECONTAINERAPPS] = &hf_detector_azurecontainerapps,
    [AZUREFUNCTIONS] = &hf_detector_azurefunctions,
    [CONSUL] = &hf_detector_consul,
    [AKAMAI] = &hf_detector_akamai,
    [ALIBABA_ECS] = &hf_detector_alibaba_ecs,
    [DIGITALOCEAN] = &hf_detector_digitalocean,
    [HETZNER] = &hf_detector_hetzner,
    [IBMCLOUD_CLASSIC] = &hf_detector_ibmcloud_classic,
    [IBMCLOUD_VPC] = &hf_detector_ibmcloud_vpc,
    [NOVA] = &hf_detector_nova,
    [ORACLECLOUD] = &hf_detector_oraclecloud,
    [SCALEWAY] = &hf_detector_scaleway,
    [TENCENT_CVM] = &hf_detector_tencent_cvm,
    [UPCLOUD] = &hf_detector_upcloud,
    [VULTR] = &hf_detector_vultr,
};

/* In the order above, and other names of some. */
static const char *const detector_names[] = {"env",
                                             "system",
                                             "docker",
                                             "ec2",
                                             "ecs",
                                             "eks",
                                             "lambda",
                                             "elastic_beanstalk",
                                             "gcp",
                                             "azure",
                                             "aks",
                                             "k8snode",
                                             "k8s_api",
                                             "kubeadm",
                                             "openshift",
                                             "heroku",
                                             "dynatrace",
                                             "azureappservice",
                                             "azurecontainerapps",
                                             "azurefunctions",
                                             "consul",
                                             "akamai",
                                             "alibaba_ecs",
                                             "digitalocean",
                                             "hetzner",
                                             "ibmcloud_classic",
                                             "ibmcloud_vpc",
                                             "nova",
                                             "oraclecloud",
                                             "scaleway",
                                             "tencent_cvm",
                                             "upcloud",
                                             "vultr",
                                             "elasticbeanstalk",
                                             "gce",
                                             "gke",
                                             NULL};

size_t hf_detector_index(const char *name)
{
    for (size_t i = 0; i < HF_DETECTOR_COUNT; i++) {
        if (strcmp(hf_detectors_known[i]->name, name) == 0) {
            return i;
        }
    }
    return strcmp(name, "elasticbeanstalk") == 0 ? ELASTIC_BEANSTALK : GCP; /* "gce", "gke" */
}

static const char *check_patterns(const char *detector, const char *key,
                                  const struct hf_string_list *patterns)
{
    static _Thread_local char sentence[HF_ERROR_MAX];
    for (size_t i = 0; i < patterns->count; i++) {
        char why[HF_REGEX_ERROR_MAX] = "out of memory";
        struct hf_regex *regex = NULL;
        if (hf_regex_new(patterns->items[i], &regex, why) != HF_OK) {
            snprintf(sentence, sizeof(sentence), "%s.%s[%zu]: %s", detector, key, i, why);
            return sentence;
        }
        hf_regex_free(regex);
    }
    return NULL;
}

static const char *check_section(const struct hf_detector *detector,
                                 const struct hf_detector_config *config)
{
    static _Thread_local char sentence[HF_ERROR_MAX];
    for (size_t i = 0; i < config->resource_attributes.count; i++) {
        const char *name = config->resource_attributes.keys[i];
        bool is_off;
        if (!hf_detector_knows(detector, name, &is_off)) {
            snprintf(sentence, sizeof(sentence),
                     "%s.resource_attributes: the detector has no attribute \"%s\"", detector->name,
                     name);
            return sentence;
        }
    }
    const char *why = check_patterns(detector->name, "tags", &config->tags);
    return why != NULL ? why : check_patterns(detector->name, "labels", &config->labels);
}

const char *hf_resourcedetection_check(const void *config)
{
    const struct hf_resourcedetection_config *configured = config;
    const char *why = NULL;
    if (configured->detectors.count == 0) {
        return "detectors: at least one must be named";
    }
    for (size_t i = 0; i < HF_DETECTOR_COUNT && why == NULL; i++) {
        why = check_section(hf_detectors_known[i], &configured->sections[i]);
    }
    return why;
}

/* ---- fields ---- */

#define SECTION_FIELD(name, text)                                                                  \
    .key = #name, .offset = offsetof(struct hf_detector_config, name), .help = text

static const struct hf_field attribute_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct hf_detector_attribute_config, enabled),
     .required = true,
     .help = "Whether the attribute is set."},
    HF_FIELDS_END,
};

#define RESOURCE_ATTRIBUTES                                                                        \
    {                                                                                              \
        SECTION_FIELD(resource_attributes, "The detector's attributes, on or off."),               \
            .type = HF_FIELD_STRUCT_MAP, .inner = attribute_fields,                                \
            .inner_size = sizeof(struct hf_detector_attribute_config)                              \
    }

static const struct hf_field plain_fields[] = {RESOURCE_ATTRIBUTES, HF_FIELDS_END};

static const struct hf_field env_fields[] = {
    {SECTION_FIELD(attributes, "Which attributes of the variable are taken."),
     .type = HF_FIELD_STRUCT, .inner = hf_resource_constant_fields},
    HF_FIELDS_END,
};

static const char *const hostname_sources[] = {"dns", "os", "cname", "lookup", NULL};

static const struct hf_field system_fields[] = {
    {SECTION_FIELD(hostname_sources, "What host.name is asked of, until one knows it."),
     .type = HF_FIELD_STRING_LIST, .choices = hostname_sources, .default_text = "dns,os"},
    RESOURCE_ATTRIBUTES,
    HF_FIELDS_END,
};

#define FAIL_ON_MISSING_METADATA                                                                   \
    {                                                                                              \
        SECTION_FIELD(fail_on_missing_metadata, "Do not start without an answer."),                \
            .type = HF_FIELD_BOOL                                                                  \
    }

static const struct hf_field ec2_fields[] = {
    {SECTION_FIELD(tags, "Regular expressions; tags of the instance that match become "
                         "ec2.tag.NAME. They are read from the metadata service."),
     .type = HF_FIELD_STRING_LIST},
    {SECTION_FIELD(tags_from_imds, "Without effect: tags always come from there."),
     .type = HF_FIELD_BOOL},
    {SECTION_FIELD(max_attempts, "Without effect: `retry` says how often."), .type = HF_FIELD_INT,
     .default_text = "3"},
    {.key = "max_backoff",
     .offset = offsetof(struct hf_detector_config, max_backoff_ns),
     .type = HF_FIELD_DURATION,
     .default_text = "20s",
     .help = "Without effect: `retry` says how long."},
    FAIL_ON_MISSING_METADATA,
    RESOURCE_ATTRIBUTES,
    HF_FIELDS_END,
};

static const struct hf_field azure_fields[] = {
    {SECTION_FIELD(tags, "Regular expressions; tags of the machine that match become "
                         "azure.tag.NAME."),
     .type = HF_FIELD_STRING_LIST},
    RESOURCE_ATTRIBUTES,
    HF_FIELDS_END,
};

static const struct hf_field metadata_fields[] = {FAIL_ON_MISSING_METADATA, RESOURCE_ATTRIBUTES,
                                                  HF_FIELDS_END};

static const struct hf_field nova_fields[] = {
    {SECTION_FIELD(labels, "Regular expressions; metadata of the machine that match become "
                           "openstack.nova.meta.NAME."),
     .type = HF_FIELD_STRING_LIST},
    FAIL_ON_MISSING_METADATA,
    RESOURCE_ATTRIBUTES,
    HF_FIELDS_END,
};

static const char *http_or_https(const char *key, const char *text)
{
    (void)key;
    return strcmp(text, "http") == 0 || strcmp(text, "https") == 0 ? NULL : "http or https";
}

static const struct hf_field ibmcloud_vpc_fields[] = {
    {SECTION_FIELD(protocol, "How the metadata service is asked: http or https."),
     .type = HF_FIELD_STRING, .default_text = "http", .validate = http_or_https},
    RESOURCE_ATTRIBUTES,
    HF_FIELDS_END,
};

static const struct hf_field consul_fields[] = {
    {SECTION_FIELD(address, "The agent; without: CONSUL_HTTP_ADDR, or 127.0.0.1:8500."),
     .type = HF_FIELD_STRING},
    {SECTION_FIELD(datacenter, "The datacenter that is asked for; without: the agent's."),
     .type = HF_FIELD_STRING},
    {SECTION_FIELD(token, "The token of the request; without: CONSUL_HTTP_TOKEN."),
     .type = HF_FIELD_SECRET},
    {SECTION_FIELD(token_file, "A file with the token."), .type = HF_FIELD_STRING},
    {.key = "namespace",
     .offset = offsetof(struct hf_detector_config, name_space),
     .type = HF_FIELD_STRING,
     .help = "The namespace that is asked for."},
    {SECTION_FIELD(meta, "The keys of the node's metadata that become attributes of the same "
                         "name; their values here do not count."),
     .type = HF_FIELD_MAP},
    RESOURCE_ATTRIBUTES,
    HF_FIELDS_END,
};

static const char *service_account_only(const char *key, const char *text)
{
    (void)key;
    return strcmp(text, "serviceAccount") == 0 ? NULL : "serviceAccount";
}

#define AUTH_TYPE                                                                                  \
    {                                                                                              \
        SECTION_FIELD(auth_type, "serviceAccount, the only one."),                                 \
            .type = HF_FIELD_STRING, .validate = service_account_only,                             \
            .default_text = "serviceAccount"                                                       \
    }

#define CONTEXT                                                                                    \
    {                                                                                              \
        .key = "context", .type = HF_FIELD_IGNORED, .help = "Of the auth_type kubeConfig."         \
    }

static const struct hf_field node_fields[] = {
    AUTH_TYPE,
    CONTEXT,
    {SECTION_FIELD(node_from_env_var, "The environment variable with the node's name."),
     .type = HF_FIELD_STRING, .default_text = "K8S_NODE_NAME"},
    RESOURCE_ATTRIBUTES,
    HF_FIELDS_END,
};

static const struct hf_field kubeadm_fields[] = {AUTH_TYPE, CONTEXT, RESOURCE_ATTRIBUTES,
                                                 HF_FIELDS_END};

/* It asks as the service account of its pod, as the others of Kubernetes do. */
static const struct hf_field openshift_fields[] = {
    {.key = "address",
     .type = HF_FIELD_IGNORED,
     .help = "The address is that of the pod's cluster."},
    {.key = "token", .type = HF_FIELD_IGNORED, .help = "The token is that of the service account."},
    {.key = "tls",
     .type = HF_FIELD_IGNORED,
     .help = "The authority is that of the service account."},
    RESOURCE_ATTRIBUTES,
    HF_FIELDS_END,
};

static const struct hf_field eks_fields[] = {
    {SECTION_FIELD(node_from_env_var, "Without effect."), .type = HF_FIELD_STRING},
    RESOURCE_ATTRIBUTES,
    HF_FIELDS_END,
};

#define RETRY_FIELD(name) .offset = offsetof(struct hf_detection_retry_config, name)

static const struct hf_field retry_fields[] = {
    {.key = "enabled",
     RETRY_FIELD(enabled),
     .type = HF_FIELD_BOOL,
     .default_text = "true",
     .help = "Ask again, within the timeout, when a detector has failed."},
    {.key = "initial_interval",
     RETRY_FIELD(initial_interval_ns),
     .type = HF_FIELD_DURATION,
     .default_text = "1s",
     .help = "The first pause."},
    {.key = "multiplier",
     RETRY_FIELD(multiplier),
     .type = HF_FIELD_DOUBLE,
     .min = 1,
     .max = 100,
     .default_text = "2",
     .help = "How much longer each pause is."},
    {.key = "max_interval",
     RETRY_FIELD(max_interval_ns),
     .type = HF_FIELD_DURATION,
     .default_text = "30s",
     .help = "The longest pause."},
    {.key = "randomization_factor",
     RETRY_FIELD(randomization_factor),
     .type = HF_FIELD_DOUBLE,
     .max = 1,
     .default_text = "0.5",
     .help = "Without effect."},
    {.key = "max_elapsed_time",
     RETRY_FIELD(max_elapsed_time_ns),
     .type = HF_FIELD_DURATION,
     .help = "Without effect: `timeout` limits it all."},
    HF_FIELDS_END,
};

static const char *const elastic_beanstalk_keys[] = {"elastic_beanstalk", NULL};

#define SECTION_OFFSET(index)                                                                      \
    (offsetof(struct hf_resourcedetection_config, sections) +                                      \
     (index) * sizeof(struct hf_detector_config))

#define DETECTOR(index, name, inner_fields)                                                        \
    {                                                                                              \
        .key = name, .type = HF_FIELD_STRUCT, .offset = SECTION_OFFSET(index),                     \
        .inner = inner_fields, .help = "The detector of that name."                                \
    }

/* Keys of an HTTP client, of which the Go collector uses the timeout alone. */
#define NO_CLIENT(name)                                                                            \
    {                                                                                              \
        .key = (name), .type = HF_FIELD_IGNORED, .help = "Each detector knows whom it asks."       \
    }

const struct hf_field hf_resourcedetection_fields[] = {
    {.key = "detectors",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct hf_resourcedetection_config, detectors),
     .choices = detector_names,
     .default_text = "env",
     .help = "Who is asked. Where two know an attribute, the one that is named first has it."},
    {.key = "override",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct hf_resourcedetection_config, override),
     .default_text = "true",
     .help = "What was detected replaces attributes that the resource has."},
    {.key = "timeout",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct hf_resourcedetection_config, timeout_ns),
     .min = 1e6,
     .max = 3.6e12,
     .default_text = "5s",
     .help = "How long starting waits for the detectors at most."},
    {.key = "refresh_interval",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct hf_resourcedetection_config, refresh_interval_ns),
     .help = "Detect again so often; 0: never. What was found stays when a detector fails."},
    {.key = "fail_on_missing_metadata",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct hf_resourcedetection_config, fail_on_missing_metadata),
     .help = "Do not start when a service that a detector asks does not answer in time."},
    {.key = "attributes",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct hf_resourcedetection_config, attributes),
     .help = "Only these attributes; none: all."},
    {.key = "retry",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct hf_resourcedetection_config, retry),
     .inner = retry_fields,
     .help = "Asking again."},
    DETECTOR(ENV, "env", env_fields),
    DETECTOR(SYSTEM, "system", system_fields),
    DETECTOR(DOCKER, "docker", plain_fields),
    DETECTOR(EC2, "ec2", ec2_fields),
    DETECTOR(ECS, "ecs", plain_fields),
    DETECTOR(EKS, "eks", eks_fields),
    DETECTOR(LAMBDA, "lambda", plain_fields),
    {.key = "elasticbeanstalk",
     .type = HF_FIELD_STRUCT,
     .offset = SECTION_OFFSET(ELASTIC_BEANSTALK),
     .old_keys = elastic_beanstalk_keys,
     .inner = plain_fields,
     .help = "The detector elastic_beanstalk."},
    DETECTOR(GCP, "gcp", plain_fields),
    DETECTOR(AZURE, "azure", azure_fields),
    DETECTOR(AKS, "aks", plain_fields),
    DETECTOR(K8SNODE, "k8snode", node_fields),
    DETECTOR(K8S_API, "k8s_api", node_fields),
    DETECTOR(KUBEADM, "kubeadm", kubeadm_fields),
    DETECTOR(OPENSHIFT, "openshift", openshift_fields),
    DETECTOR(HEROKU, "heroku", plain_fields),
    DETECTOR(DYNATRACE, "dynatrace", plain_fields),
    DETECTOR(AZUREAPPSERVICE, "azureappservice", plain_fields),
    DETECTOR(AZURECONTAINERAPPS, "azurecontainerapps", plain_fields),
    DETECTOR(AZUREFUNCTIONS, "azurefunctions", plain_fields),
    DETECTOR(CONSUL, "consul", consul_fields),
    DETECTOR(AKAMAI, "akamai", plain_fields),
    DETECTOR(ALIBABA_ECS, "alibaba_ecs", metadata_fields),
    DETECTOR(DIGITALOCEAN, "digitalocean", plain_fields),
    DETECTOR(HETZNER, "hetzner", plain_fields),
    DETECTOR(IBMCLOUD_CLASSIC, "ibmcloud_classic", plain_fields),
    DETECTOR(IBMCLOUD_VPC, "ibmcloud_vpc", ibmcloud_vpc_fields),
    DETECTOR(NOVA, "nova", nova_fields),
    DETECTOR(ORACLECLOUD, "oraclecloud", plain_fields),
    DETECTOR(SCALEWAY, "scaleway", plain_fields),
    DETECTOR(TENCENT_CVM, "tencent_cvm", metadata_fields),
    DETECTOR(UPCLOUD, "upcloud", metadata_fields),
    DETECTOR(VULTR, "vultr", metadata_fields),
    /* clang-format off */
    NO_CLIENT("endpoint"), NO_CLIENT("tls"), NO_CLIENT("headers"),
    NO_CLIENT("auth"), NO_CLIENT("compression"), NO_CLIENT("compression_params"),
    NO_CLIENT("cookies"), NO_CLIENT("proxy_url"), NO_CLIENT("middlewares"),
    NO_CLIENT("read_buffer_size"), NO_CLIENT("write_buffer_size"), NO_CLIENT("idle_conn_timeout"),
    NO_CLIENT("max_idle_conns"), NO_CLIENT("max_idle_conns_per_host"),
    NO_CLIENT("max_conns_per_host"), NO_CLIENT("disable_keep_alives"),
    NO_CLIENT("http2_read_idle_timeout"), NO_CLIENT("http2_ping_timeout"),
    NO_CLIENT("force_attempt_http2"), NO_CLIENT("keepalive"), NO_CLIENT("dialer_middleware"),
    /* clang-format on */
    HF_FIELDS_END,
};
