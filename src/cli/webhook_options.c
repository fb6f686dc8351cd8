#include "webhook_options.h"

#include <stddef.h>

#define END                                                                                        \
    {                                                                                              \
        .name = NULL                                                                               \
    }
#define HELP                                                                                       \
    {                                                                                              \
        .name = "help", .code = HF_CLI_HELP, .help = "prints this"                                 \
    }

static const char *const native_choices[] = {"auto", "always", "never", NULL};
static const char *const auth_types[] = {"none", "serviceAccount", "kubeConfig", NULL};

const struct hf_cli_option hf_cli_webhook_options[] = {
    {.name = "listen",
     .code = HF_CLI_LISTEN,
     .kind = HF_CLI_TEXT,
     .value = "HOST:PORT",
     .help = "where /mutate is served, over TLS; 0.0.0.0:9443 without it"},
    {.name = "image",
     .code = HF_CLI_IMAGE,
     .kind = HF_CLI_TEXT,
     .value = "IMAGE",
     .help = "of the sidecars; also HOLDFAST_IMAGE; holdfast/holdfast:VERSION without it"},
    {.name = "settings",
     .code = HF_CLI_SETTINGS,
     .kind = HF_CLI_FILE,
     .value = "FILE",
     .help =
         "JSON over these options: image, namespace, config, configMap, queueSize, native, env, "
         "container"},
    {.name = "native",
     .code = HF_CLI_NATIVE,
     .kind = HF_CLI_CHOICE,
     .value = "auto|always|never",
     .choices = native_choices,
     .help = "whether sidecars are init containers that stay; auto: where the cluster has them "
             "(1.29)"},
    {.name = "namespace",
     .code = HF_CLI_NAMESPACE,
     .kind = HF_CLI_TEXT,
     .value = "NAME",
     .help = "of the webhook itself, whose pods are left alone; the pod's own without it"},
    {.name = "cert-file",
     .code = HF_CLI_CERT_FILE,
     .kind = HF_CLI_FILE,
     .value = "FILE",
     .help = "certificate that others make and renew, such as cert-manager; with --key-file"},
    {.name = "key-file",
     .code = HF_CLI_KEY_FILE,
     .kind = HF_CLI_FILE,
     .value = "FILE",
     .help = "its key"},
    {.name = "service",
     .code = HF_CLI_SERVICE,
     .kind = HF_CLI_TEXT,
     .value = "NAME",
     .help = "without --cert-file: the Service that a certificate is made for; otel-inject-webhook "
             "without it"},
    {.name = "secret",
     .code = HF_CLI_SECRET,
     .kind = HF_CLI_TEXT,
     .value = "NAME",
     .help = "likewise: where it is kept for all replicas; SERVICE-tls without it"},
    {.name = "configuration",
     .code = HF_CLI_CONFIGURATION,
     .kind = HF_CLI_TEXT,
     .value = "NAME",
     .help = "likewise: the MutatingWebhookConfiguration that gets its authority"},
    {.name = "cert-dir",
     .code = HF_CLI_CERT_DIR,
     .kind = HF_CLI_DIRECTORY,
     .value = "DIR",
     .help = "likewise: where a folder for its files is made; TMPDIR or /tmp without it"},
    {.name = "cert-lifetime",
     .code = HF_CLI_CERT_LIFETIME,
     .kind = HF_CLI_TEXT,
     .value = "DURATION",
     .help = "likewise: renewed after two thirds of it; 8760h (a year) without it"},
    {.name = "auth-type",
     .code = HF_CLI_AUTH_TYPE,
     .kind = HF_CLI_CHOICE,
     .value = "none|serviceAccount|kubeConfig",
     .choices = auth_types,
     .help = "how to sign in to the Kubernetes API; serviceAccount without it"},
    HELP,
    END,
};
