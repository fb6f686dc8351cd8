#include "client_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "util/time/clock.h"

#define TOKEN_LOOK_NS (10 * HF_NS_PER_S)

static void refresh_tls(struct http_client_settings *settings)
{
    char error[HF_ERROR_MAX];
    if (settings->has_tls && !hf_http_client_tls_refresh(&settings->tls, error) &&
        settings->options.on_reload_failed != NULL) {
        settings->options.on_reload_failed(settings->options.user, error);
    }
}

/* A token that is being replaced, or that cannot be sent, leaves the last good one in force. */
static void refresh_token(struct http_client_settings *settings)
{
    char error[HF_ERROR_MAX], *text = NULL;
    if (settings->token_file.path == NULL ||
        !hf_file_watch_changed(&settings->token_file, hf_clock_monotonic_ns(), TOKEN_LOOK_NS)) {
        return;
    }
    if (hf_file_watch_read_secret(settings->token_file.path, &text, error) != HF_OK) {
        if (settings->options.on_reload_failed != NULL) {
            settings->options.on_reload_failed(settings->options.user, error);
        }
        return;
    }
    char *line = NULL;
    if (text[0] != '\0' && asprintf(&line, "Bearer %s", text) >= 0) {
        free(settings->authorization);
        settings->authorization = line;
    }
    explicit_bzero(text, strlen(text));
    free(text);
}

void hf_http_settings_refresh(struct http_client_settings *settings)
{
    refresh_tls(settings);
    refresh_token(settings);
}

void hf_http_settings_release(struct http_client_settings *settings)
{
    hf_http_client_tls_release(&settings->tls);
    free((char *)(uintptr_t)settings->options.user_agent);
    free((char *)(uintptr_t)settings->options.unix_socket);
    free((char *)(uintptr_t)settings->options.proxy_url);
    free((char *)(uintptr_t)settings->options.no_proxy);
    free((char *)(uintptr_t)settings->options.bearer_token_file);
    free(settings->authorization);
}

static bool copy_text(const char **text)
{
    if (*text != NULL) {
        *text = strdup(*text);
        return *text != NULL;
    }
    return true;
}

enum hf_status hf_http_settings_init(struct http_client_settings *settings,
                                     const struct hf_http_client_options *options, char *reterr)
{
    struct hf_http_client_options *own = &settings->options;
    *own = *options;
    if (options->tls != NULL) {
        enum hf_status status = hf_http_client_tls_init(&settings->tls, options->tls, reterr);
        if (status != HF_OK) {
            return status;
        }
        settings->has_tls = true;
    }
    /* All at once, so that none is left a borrowed pointer. */
    bool copied = copy_text(&own->user_agent) & copy_text(&own->unix_socket) &
                  copy_text(&own->proxy_url) & copy_text(&own->no_proxy) &
                  copy_text(&own->bearer_token_file);
    settings->token_file.path = own->bearer_token_file;
    if (!copied) {
        hf_http_settings_release(settings);
        snprintf(reterr, HF_ERROR_MAX, "no memory for the HTTP client");
        return HF_NOMEM;
    }
    return HF_OK;
}
