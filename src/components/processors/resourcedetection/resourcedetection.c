/*
 * resourcedetection: adds to every resource what detectors found out about where the process runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "detectors.h"
#include "pdata/edit.h"
#include "support/probe/probe.h"
#include "util/regex/regex.h"
#include "util/time/clock.h"

enum {
    ENV,
    SYSTEM,
    DOCKER,
    EC2,
    ECS,
    EKS,
    LAMBDA,
    ELASTIC_BEANSTALK,
    GCP,
    AZURE,
    AKS,
    K8SNODE,
    K8S_API,
    KUBEADM,
    OPENSHIFT,
    HEROKU,
    DYNATRACE,
    DETECTOR_COUNT
};

struct retry_config {
    bool enabled;
    uint64_t initial_interval_ns, max_interval_ns, max_elapsed_time_ns;
    double multiplier, randomization_factor;
};

struct resourcedetection_config {
    struct hf_string_list detectors, attributes;
    bool override, fail_on_missing_metadata;
    uint64_t timeout_ns, refresh_interval_ns;
    struct retry_config retry;
    struct hf_detector_config sections[DETECTOR_COUNT];
};

/* One id in several pipelines is one detection. The main thread's, except what its detectors lend.
 */
struct resourcedetection {
    struct resourcedetection *next;
    const struct resourcedetection_config *config;
    unsigned users, running; /* opened and not closed; started and not stopped */
    bool is_started;
    enum hf_status start_status;
    char start_error[HF_ERROR_MAX];
    struct hf_detector_use *uses;
    struct hf_detectors *detectors;
};

static struct resourcedetection *all;

static const struct hf_detector *const known[DETECTOR_COUNT] = {
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
};

/* In the order above; `gke` is an old name of gcp. */
static const char *const detector_names[] = {
    "env",       "system",  "docker",    "ec2",
    "ecs",       "eks",     "lambda",    "elastic_beanstalk",
    "gcp",       "azure",   "aks",       "k8snode",
    "k8s_api",   "kubeadm", "openshift", "heroku",
    "dynatrace", "gce",     "gke",       NULL};

static size_t index_of(const char *name)
{
    for (size_t i = 0; i < DETECTOR_COUNT; i++) {
        if (strcmp(known[i]->name, name) == 0) {
            return i;
        }
    }
    return GCP; /* the names were checked: an old one of it */
}

/* ---- the configuration ---- */

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
        const struct hf_detector_attribute *at = detector->attributes;
        while (at != NULL && at->name != NULL && strcmp(at->name, name) != 0) {
            at++;
        }
        if (at == NULL || at->name == NULL) {
            snprintf(sentence, sizeof(sentence),
                     "%s.resource_attributes: the detector has no attribute \"%s\"", detector->name,
                     name);
            return sentence;
        }
    }
    const char *why = check_patterns(detector->name, "tags", &config->tags);
    return why != NULL ? why : check_patterns(detector->name, "labels", &config->labels);
}

static const char *check(const void *config)
{
    const struct resourcedetection_config *configured = config;
    const char *why = NULL;
    if (configured->detectors.count == 0) {
        return "detectors: at least one must be named";
    }
    for (size_t i = 0; i < DETECTOR_COUNT && why == NULL; i++) {
        why = check_section(known[i], &configured->sections[i]);
    }
    return why;
}

/* ---- the component ---- */

static void free_processor(struct resourcedetection *processor)
{
    hf_detectors_free(processor->detectors);
    free(processor->uses);
    free(processor);
}

static void close_resourcedetection(void *self)
{
    struct resourcedetection *processor = self;
    struct resourcedetection **place = &all;
    if (--processor->users > 0) {
        return;
    }
    while (*place != processor) {
        place = &(*place)->next;
    }
    *place = processor->next;
    free_processor(processor);
}

static enum hf_status make_detectors(struct hf_node *node, struct resourcedetection *processor)
{
    const struct resourcedetection_config *config = processor->config;
    processor->uses = calloc(config->detectors.count, sizeof(*processor->uses));
    if (processor->uses == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < config->detectors.count; i++) {
        size_t index = index_of(config->detectors.items[i]);
        processor->uses[i] = (struct hf_detector_use){known[index], &config->sections[index]};
    }
    const struct hf_detectors_options options = {
        .node = node,
        .uses = processor->uses,
        .count = config->detectors.count,
        .timeout_ns = config->timeout_ns,
        .refresh_interval_ns = config->refresh_interval_ns,
        .retries = config->retry.enabled,
        .fail_on_missing_metadata = config->fail_on_missing_metadata,
        .retry_initial_ns = config->retry.initial_interval_ns,
        .retry_max_ns = config->retry.max_interval_ns,
        .retry_multiplier = config->retry.multiplier,
        .only = config->attributes,
    };
    return hf_detectors_new(&options, &processor->detectors);
}

static enum hf_status open_resourcedetection(struct hf_node *node, const void *config,
                                             void **ret_self, char *reterr)
{
    struct resourcedetection *processor = all;
    (void)reterr;
    while (processor != NULL && processor->config != config) {
        processor = processor->next;
    }
    if (processor == NULL) {
        processor = calloc(1, sizeof(*processor));
        if (processor == NULL) {
            return HF_NOMEM;
        }
        processor->config = config;
        enum hf_status status = make_detectors(node, processor);
        if (status != HF_OK) {
            free_processor(processor);
            return status;
        }
        processor->next = all;
        all = processor;
    }
    processor->users++;
    *ret_self = processor;
    return HF_OK;
}

static enum hf_status start_resourcedetection(void *self, char *reterr)
{
    struct resourcedetection *processor = self;
    if (!processor->is_started) {
        processor->is_started = true;
        processor->start_status = hf_detectors_start(processor->detectors, processor->start_error);
    }
    if (processor->start_status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "%s", processor->start_error);
        return processor->start_status;
    }
    processor->running++;
    return HF_OK;
}

static void stop_resourcedetection(void *self)
{
    struct resourcedetection *processor = self;
    if (--processor->running == 0) {
        hf_detectors_stop(processor->detectors);
    }
}

/* One batch on its way through. */
struct pass {
    struct hf_editor editor;
    const struct hf_facts *facts;
    bool override;
};

static void change(struct hf_editor *editor, struct hf_attributes *attributes)
{
    const struct pass *pass = HF_CONTAINER(editor, struct pass, editor);
    for (size_t i = 0; i < pass->facts->count; i++) {
        const struct hf_attribute *fact = &pass->facts->items[i];
        if (pass->override || hf_attributes_find(attributes, fact->key) == NULL) {
            hf_attributes_set(attributes, fact->key, fact->value);
        }
    }
}

static enum hf_status process(void *self, struct hf_batch *batch, struct hf_batch **ret_batch)
{
    static const struct hf_facts nothing;
    const struct resourcedetection *processor = self;
    const struct hf_facts *facts = hf_detectors_facts(processor->detectors);
    struct pass pass = {.editor = {.of_resources = true, .change = change},
                        .facts = facts != NULL ? facts : &nothing,
                        .override = processor->config->override};
    return hf_edit_batch(&pass.editor, batch, ret_batch);
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
    {SECTION_FIELD(fail_on_missing_metadata, "Do not start without an answer."),
     .type = HF_FIELD_BOOL},
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

#define RETRY_FIELD(name) .offset = offsetof(struct retry_config, name)

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

#define DETECTOR(index, name, inner_fields)                                                        \
    {                                                                                              \
        .key = name, .type = HF_FIELD_STRUCT,                                                      \
        .offset = offsetof(struct resourcedetection_config, sections) +                            \
                  (index) * sizeof(struct hf_detector_config),                                     \
        .inner = inner_fields, .help = "The detector of that name."                                \
    }

/* A section of a detector that cannot be chosen. */
#define NO_DETECTOR(name)                                                                          \
    {                                                                                              \
        .key = (name), .type = HF_FIELD_IGNORED, .help = "There is no such detector."              \
    }
/* Keys of an HTTP client, of which the Go collector uses the timeout alone. */
#define NO_CLIENT(name)                                                                            \
    {                                                                                              \
        .key = (name), .type = HF_FIELD_IGNORED, .help = "Each detector knows whom it asks."       \
    }

static const struct hf_field fields[] = {
    {.key = "detectors",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct resourcedetection_config, detectors),
     .choices = detector_names,
     .default_text = "env",
     .help = "Who is asked. Where two know an attribute, the one that is named first has it."},
    {.key = "override",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct resourcedetection_config, override),
     .default_text = "true",
     .help = "What was detected replaces attributes that the resource has."},
    {.key = "timeout",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct resourcedetection_config, timeout_ns),
     .min = 1e6,
     .max = 3.6e12,
     .default_text = "5s",
     .help = "How long starting waits for the detectors at most."},
    {.key = "refresh_interval",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct resourcedetection_config, refresh_interval_ns),
     .help = "Detect again so often; 0: never. What was found stays when a detector fails."},
    {.key = "fail_on_missing_metadata",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct resourcedetection_config, fail_on_missing_metadata),
     .help = "Do not start when a service that a detector asks does not answer in time."},
    {.key = "attributes",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct resourcedetection_config, attributes),
     .help = "Only these attributes; none: all."},
    {.key = "retry",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct resourcedetection_config, retry),
     .inner = retry_fields,
     .help = "Asking again."},
    DETECTOR(ENV, "env", env_fields),
    DETECTOR(SYSTEM, "system", system_fields),
    DETECTOR(DOCKER, "docker", plain_fields),
    DETECTOR(EC2, "ec2", ec2_fields),
    DETECTOR(ECS, "ecs", plain_fields),
    DETECTOR(EKS, "eks", eks_fields),
    DETECTOR(LAMBDA, "lambda", plain_fields),
    DETECTOR(ELASTIC_BEANSTALK, "elastic_beanstalk", plain_fields),
    {.key = "elasticbeanstalk",
     .type = HF_FIELD_IGNORED,
     .help = "Its attributes are chosen under elastic_beanstalk."},
    DETECTOR(GCP, "gcp", plain_fields),
    DETECTOR(AZURE, "azure", azure_fields),
    DETECTOR(AKS, "aks", plain_fields),
    DETECTOR(K8SNODE, "k8snode", node_fields),
    DETECTOR(K8S_API, "k8s_api", node_fields),
    DETECTOR(KUBEADM, "kubeadm", kubeadm_fields),
    DETECTOR(OPENSHIFT, "openshift", openshift_fields),
    DETECTOR(HEROKU, "heroku", plain_fields),
    DETECTOR(DYNATRACE, "dynatrace", plain_fields),
    /* clang-format off */
    NO_DETECTOR("akamai"), NO_DETECTOR("alibaba_ecs"), NO_DETECTOR("azureappservice"),
    NO_DETECTOR("azurecontainerapps"), NO_DETECTOR("azurefunctions"), NO_DETECTOR("consul"),
    NO_DETECTOR("digitalocean"), NO_DETECTOR("hetzner"), NO_DETECTOR("ibmcloud_classic"),
    NO_DETECTOR("ibmcloud_vpc"), NO_DETECTOR("nova"), NO_DETECTOR("oraclecloud"),
    NO_DETECTOR("scaleway"), NO_DETECTOR("tencent_cvm"), NO_DETECTOR("upcloud"),
    NO_DETECTOR("vultr"), NO_CLIENT("endpoint"), NO_CLIENT("tls"), NO_CLIENT("headers"),
    NO_CLIENT("auth"), NO_CLIENT("compression"), NO_CLIENT("compression_params"),
    NO_CLIENT("cookies"), NO_CLIENT("proxy_url"), NO_CLIENT("middlewares"),
    NO_CLIENT("read_buffer_size"), NO_CLIENT("write_buffer_size"), NO_CLIENT("idle_conn_timeout"),
    NO_CLIENT("max_idle_conns"), NO_CLIENT("max_idle_conns_per_host"),
    NO_CLIENT("max_conns_per_host"), NO_CLIENT("disable_keep_alives"),
    NO_CLIENT("http2_read_idle_timeout"), NO_CLIENT("http2_ping_timeout"),
    NO_CLIENT("force_attempt_http2"),
    /* clang-format on */
    HF_FIELDS_END,
};

static const char *const aliases[] = {"resource_detection", NULL};

static const struct hf_processor_ops processor_ops = {
    .process = process,
};

/* Asks one detector, once. One that runs elsewhere finds nothing, which is no fault unless its
 * metadata must be there. */
static void probe_detector(const struct resourcedetection_config *config, size_t at,
                           struct hf_probe *probe)
{
    struct hf_detection detection = {
        .detector = known[at],
        .config = &config->sections[at],
        .deadline_ns = hf_clock_monotonic_ns() + probe->timeout_ns,
        .arena = {.limit = HF_DETECTION_LIMIT_BYTES},
    };
    bool is_needed =
        config->fail_on_missing_metadata || config->sections[at].fail_on_missing_metadata;
    detection.found = (struct hf_attributes){.lender = &detection.arena};
    detection.maker = (struct hf_any_maker){.arena = &detection.arena};
    enum hf_status status = known[at]->detect(&detection);
    if (status == HF_OK) {
        hf_probe_say(probe, "detector", known[at]->name, HF_PROBE_OK, "%zu attributes",
                     detection.found.count);
    } else {
        hf_probe_say(probe, "detector", known[at]->name,
                     status == HF_NOT_FOUND && !is_needed ? HF_PROBE_WARNING : HF_PROBE_FAILED,
                     "%s", detection.why[0] != '\0' ? detection.why : hf_status_row(status)->says);
    }
    hf_arena_release(&detection.arena);
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct resourcedetection_config *config = from;
    for (size_t i = 0; i < config->detectors.count; i++) {
        probe_detector(config, index_of(config->detectors.items[i]), probe);
    }
}

const struct hf_component hf_processor_resourcedetection = {
    .type = "resourcedetection",
    .aliases = aliases,
    .help = "Adds to resources where the process runs: host, cloud, cluster.",
    .kind = HF_PROCESSOR,
    .signals = HF_ALL_SIGNALS_AND_PROFILES,
    .config_size = sizeof(struct resourcedetection_config),
    .fields = fields,
    .check = check,
    .probe = probe_outside,
    .open = open_resourcedetection,
    .start = start_resourcedetection,
    .stop = stop_resourcedetection,
    .close = close_resourcedetection,
    .processor = &processor_ops,
};
