#include "client_redirect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What decides whether two URLs are of one host. Texts of libcurl's. */
struct place {
    CURLU *url;
    char *scheme, *host, *port, *user, *password, *path;
};

static bool read_place(const char *text, struct place *place)
{
    *place = (struct place){.url = curl_url()};
    bool good =
        place->url != NULL && curl_url_set(place->url, CURLUPART_URL, text, 0) == CURLUE_OK &&
        curl_url_get(place->url, CURLUPART_SCHEME, &place->scheme, 0) == CURLUE_OK &&
        curl_url_get(place->url, CURLUPART_HOST, &place->host, 0) == CURLUE_OK &&
        curl_url_get(place->url, CURLUPART_PORT, &place->port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
        curl_url_get(place->url, CURLUPART_PATH, &place->path, 0) == CURLUE_OK;
    if (good) {
        (void)curl_url_get(place->url, CURLUPART_USER, &place->user, 0);
        (void)curl_url_get(place->url, CURLUPART_PASSWORD, &place->password, 0);
    }
    return good;
}

static void release_place(struct place *place)
{
    char *texts[] = {place->scheme, place->host,     place->port,
                     place->user,   place->password, place->path};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        curl_free(texts[i]);
    }
    curl_url_cleanup(place->url);
}

static bool is_https(const struct place *place)
{
    return strcasecmp(place->scheme, "https") == 0;
}

static bool is_same(const struct place *from, const struct place *to)
{
    return strcasecmp(from->scheme, to->scheme) == 0 && strcasecmp(from->host, to->host) == 0 &&
           strcmp(from->port, to->port) == 0;
}

/* Another port of the same scheme may be another's service. */
static bool is_own(const struct place *from, const struct place *to)
{
    bool becomes_https = !is_https(from) && is_https(to);
    return is_same(from, to) || (becomes_https && strcasecmp(from->host, to->host) == 0);
}

/* What the configured URL names stays with its own host. */
static bool keep_user(const struct place *from, struct place *to)
{
    if (from->user == NULL || to->user != NULL) {
        return true;
    }
    return curl_url_set(to->url, CURLUPART_USER, from->user, 0) == CURLUE_OK &&
           (from->password == NULL ||
            curl_url_set(to->url, CURLUPART_PASSWORD, from->password, 0) == CURLUE_OK);
}

static const char *take_url(struct http_transfer *transfer, const struct place *from,
                            struct place *to)
{
    bool own = is_own(from, to);
    char *text = NULL, *copy = NULL;
    bool made = (!own || keep_user(from, to)) &&
                curl_url_get(to->url, CURLUPART_URL, &text, 0) == CURLUE_OK &&
                (copy = strdup(text)) != NULL;
    curl_free(text);
    if (!made) {
        return "there is no memory to follow it";
    }
    free(transfer->url);
    transfer->url = copy;
    transfer->is_elsewhere = transfer->is_elsewhere || !own;
    transfer->redirects++;
    return NULL;
}

const char *hf_http_redirect_prepare(struct http_transfer *transfer, bool has_socket, int code,
                                     const char *location, char ret_shown[HF_HTTP_SHOWN_MAX])
{
    struct place from, to;
    const char *why = NULL;
    bool from_read = read_place(hf_http_transfer_url(transfer), &from);
    bool to_read = read_place(location, &to);
    if (to_read) {
        snprintf(ret_shown, HF_HTTP_SHOWN_MAX, "%s://%s:%s%s", to.scheme, to.host, to.port,
                 to.path);
    } else {
        snprintf(ret_shown, HF_HTTP_SHOWN_MAX, "what is no URL");
    }
    if (code != 307 && code != 308) {
        why = "only 307 and 308 are followed, which keep the method and the body";
    } else if (!from_read || !to_read || (!is_https(&to) && strcasecmp(to.scheme, "http") != 0)) {
        why = "that is no URL of http or https";
    } else if (transfer->redirects >= HF_HTTP_REDIRECTS_MAX) {
        why = "five redirects in a row were followed already";
    } else if (is_https(&from) && !is_https(&to)) {
        why = "from https to http none is followed";
    } else if (has_socket && !is_same(&from, &to)) {
        why = "none is followed away from a Unix socket";
    } else {
        why = take_url(transfer, &from, &to);
    }
    release_place(&from);
    release_place(&to);
    return why;
}

bool hf_http_redirect_keeps(struct hf_slice name)
{
    static const char *const names[] = {"accept",       "accept-encoding", "content-encoding",
                                        "content-type", "traceparent",     "tracestate",
                                        "user-agent"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (hf_slice_is(name, names[i])) {
            return true;
        }
    }
    return false;
}
