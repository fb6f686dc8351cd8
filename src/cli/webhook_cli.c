#include "webhook_cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "config/scalar.h"
#include "kubernetes/access.h"
#include "util/time/clock.h"
#include "webhook/webhook.h"

#define NAMESPACE_MAX 254
#define SECRET_MAX 300
#define SETTINGS_BYTES_MAX (4u << 20)

struct request {
    struct hf_webhook_options options;
    const char *settings_path;
    bool help;
    char own_namespace[NAMESPACE_MAX], secret[SECRET_MAX];
};

/* The place of a word in a list; -1, with a line printed: it is not there. */
static int find_word(const char *option, const char *word, const char *const *words)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], word) == 0) {
            return i;
        }
    }
    fprintf(stderr, "holdfast webhook: --%s %s: expected %s, %s or %s\n", option, word, words[0],
            words[1], words[2]);
    return -1;
}

static bool take_lifetime(struct hf_webhook_options *options, const char *text)
{
    int64_t ns = 0;
    const char *why = "";
    if (!hf_scalar_duration(text, &ns, &why) || ns < (int64_t)HF_NS_PER_S) {
        fprintf(stderr, "holdfast webhook: --cert-lifetime %s: expected a duration such as 8760h\n",
                text);
        return false;
    }
    options->lifetime_s = (uint64_t)ns / HF_NS_PER_S;
    return true;
}

/* Where the text of an option goes; NULL: it is more than a text. */
static const char **text_of(struct request *request, int option)
{
    struct hf_webhook_options *options = &request->options;
    switch (option) {
    case HF_CLI_LISTEN:
        return &options->listen;
    case HF_CLI_IMAGE:
        return &options->settings.image;
    case HF_CLI_SETTINGS:
        return &request->settings_path;
    case HF_CLI_NAMESPACE:
        return &options->settings.own_namespace;
    case HF_CLI_SERVICE:
        return &options->service;
    case HF_CLI_SECRET:
        return &options->secret;
    case HF_CLI_CONFIGURATION:
        return &options->configuration;
    case HF_CLI_CERT_FILE:
        return &options->cert_file;
    case HF_CLI_KEY_FILE:
        return &options->key_file;
    case HF_CLI_CERT_DIR:
        return &options->cert_directory;
    default:
        return NULL;
    }
}

static bool take_option(struct request *request, int option)
{
    const char **text = text_of(request, option);
    int word = 0;
    if (text != NULL) {
        *text = optarg;
        return true;
    }
    switch (option) {
    case HF_CLI_NATIVE:
        word = find_word("native", optarg, hf_webhook_native_choices);
        request->options.settings.native = (enum hf_webhook_native)word;
        return word >= 0;
    case HF_CLI_AUTH_TYPE:
        word = find_word("auth-type", optarg, hf_kube_auth_choices);
        request->options.kube.auth_type = word;
        return word >= 0;
    case HF_CLI_CERT_LIFETIME:
        return take_lifetime(&request->options, optarg);
    case HF_CLI_HELP:
    case 'h':
        request->help = true;
        return true;
    default:
        return false;
    }
}

static bool parse(struct request *request, int count, char **arguments)
{
    struct option options[HF_CLI_OPTIONS_MAX + 1];
    int option;
    hf_cli_long_options(hf_cli_find("webhook"), options);
    while ((option = getopt_long(count, arguments, "h", options, NULL)) != -1) {
        if (!take_option(request, option)) {
            return false;
        }
    }
    if (optind < count) {
        fprintf(stderr, "holdfast webhook: unexpected word: %s\n", arguments[optind]);
        return false;
    }
    if ((request->options.cert_file == NULL) != (request->options.key_file == NULL)) {
        fputs("holdfast webhook: --cert-file and --key-file go together\n", stderr);
        return false;
    }
    return true;
}

/* What was left out. False: an error was printed. */
static bool complete(struct request *request)
{
    struct hf_webhook_options *options = &request->options;
    struct hf_webhook_settings *settings = &options->settings;
    char error[HF_ERROR_MAX] = "";
    if (settings->own_namespace == NULL &&
        hf_kube_own_namespace(request->own_namespace, sizeof(request->own_namespace), error)) {
        settings->own_namespace = request->own_namespace;
    }
    if (settings->own_namespace == NULL || settings->own_namespace[0] == '\0') {
        fprintf(stderr, "error: --namespace is needed outside of a pod: %s\n", error);
        return false;
    }
    snprintf(request->secret, sizeof(request->secret), "%.250s-tls", options->service);
    options->secret = options->secret != NULL ? options->secret : request->secret;
    return true;
}

enum hf_exit hf_webhook_cli(int count, char **arguments)
{
    const char *image = getenv("HOLDFAST_IMAGE");
    struct request request = {
        .options = {.settings = {.image = image != NULL && image[0] != '\0'
                                              ? image
                                              : "holdfast/holdfast:" HF_VERSION,
                                 .config_map = "holdfast-sidecar",
                                 .queue_size = "4Gi"},
                    .listen = "0.0.0.0:9443",
                    .kube = {.auth_type = HF_KUBE_SERVICE_ACCOUNT},
                    .service = "otel-inject-webhook",
                    .lifetime_s = UINT64_C(8760) * 3600}};
    struct hf_arena arena = {.limit = SETTINGS_BYTES_MAX};
    char error[HF_ERROR_MAX] = "";
    if (!parse(&request, count, arguments)) {
        hf_cli_help(hf_cli_find("webhook"), stderr);
        return HF_EXIT_USAGE;
    }
    if (request.help) {
        hf_cli_help(hf_cli_find("webhook"), stdout);
        return HF_EXIT_OK;
    }
    bool good = true;
    if (request.settings_path != NULL &&
        hf_webhook_settings_read(request.settings_path, &arena, &request.options.settings, error) !=
            HF_OK) {
        fprintf(stderr, "error: %s\n", error);
        good = false;
    }
    good = good && complete(&request) && hf_webhook_run(&request.options);
    hf_arena_release(&arena);
    return good ? HF_EXIT_OK : HF_EXIT_FAILED;
}
