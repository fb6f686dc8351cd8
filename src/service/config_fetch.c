#include "config_fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "http/fetch.h"
#include "util/time/clock.h"

#define USER_AGENT "holdfast/" HF_VERSION
#define TIMEOUT_NS (5 * HF_NS_PER_S) /* a reload waits for it, and a stop for the reload */
#define BYTES_MAX (4u << 20)         /* of a source: config/sources.c */

/* The body as a text, or NULL with `reterr`. */
static char *text_of(const struct hf_http_fetched *fetched, char *reterr)
{
    const struct hf_bytes *body = &fetched->body;
    if (fetched->code != 200) {
        snprintf(reterr, HF_ERROR_MAX, "answered with the code %d", fetched->code);
        return NULL;
    }
    if (body->size > BYTES_MAX) {
        snprintf(reterr, HF_ERROR_MAX, "larger than 4 MiB");
        return NULL;
    }
    if (body->size != 0 && memchr(body->data, '\0', body->size) != NULL) {
        snprintf(reterr, HF_ERROR_MAX, "it is no text");
        return NULL;
    }
    char *text = strndup(body->size != 0 ? (const char *)body->data : "", body->size);
    if (text == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
    }
    return text;
}

char *hf_config_fetch(const char *url, char *reterr)
{
    struct hf_http_fetcher *fetcher = NULL;
    struct hf_http_fetched fetched = {0};
    const struct hf_http_client_options options = {
        .user_agent = USER_AGENT,
        .follow = HF_HTTP_FOLLOW_ALL,
        .response_bytes_max = BYTES_MAX + 1,
    };
    if (hf_http_fetcher_new(&options, &fetcher, reterr) != HF_OK) {
        return NULL;
    }
    const struct hf_http_fetch fetch = {.method = "GET", .url = url, .timeout_ns = TIMEOUT_NS};
    enum hf_status status = hf_http_fetch(fetcher, &fetch, &fetched);
    char *text = NULL;
    if (status == HF_OK) {
        text = text_of(&fetched, reterr);
    } else {
        snprintf(reterr, HF_ERROR_MAX, "%s",
                 fetched.why[0] != '\0' ? fetched.why : "out of memory");
    }
    hf_bytes_release(&fetched.body);
    hf_http_fetcher_free(fetcher);
    return text;
}
