#include "es_endpoints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "http/client.h"
#include "pdata/json_value.h"

#define CLOUD_ID_MAX 1024u

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* "name:base64 of host$id" is https://id.host; what stands behind a second $ is for Kibana. */
static bool read_cloud_id(const char *text, char *room, size_t size)
{
    uint8_t decoded[CLOUD_ID_MAX];
    size_t used = 0;
    const char *coded = strrchr(text, ':');
    if (coded == NULL || strlen(coded) >= CLOUD_ID_MAX ||
        !hf_json_read_base64(hf_slice_text(coded + 1), decoded, &used)) {
        return false;
    }
    decoded[used] = '\0';
    char *host = (char *)decoded;
    char *id = strchr(host, '$');
    if (id == NULL || id == host) {
        return false;
    }
    *id++ = '\0';
    id[strcspn(id, "$")] = '\0';
    char *port = strchr(host, ':');
    if (port != NULL) {
        *port++ = '\0';
    }
    int written = snprintf(room, size, "https://%s.%s%s%s", id, host, port != NULL ? ":" : "",
                           port != NULL ? port : "");
    return id[0] != '\0' && written > 0 && (size_t)written < size && hf_http_is_url(room);
}

static const char *check_list(const struct hf_string_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (!hf_http_is_url(list->items[i]) || strlen(list->items[i]) > HF_URL_MAX / 2) {
            return "endpoints: each is a URL, http://host:9200 or https://host:9200";
        }
    }
    return NULL;
}

const char *es_endpoints_check(const struct es_config *config)
{
    char room[HF_URL_MAX];
    int ways =
        given(config->http.endpoint) + (config->endpoints.count != 0) + given(config->cloudid);
    if (ways > 1) {
        return "endpoint, endpoints and cloudid exclude each other: set one";
    }
    if (ways == 0 && !given(getenv("ELASTICSEARCH_URL"))) {
        return "set one of endpoint, endpoints and cloudid, or the environment's ELASTICSEARCH_URL";
    }
    if (given(config->cloudid) && !read_cloud_id(config->cloudid, room, sizeof(room))) {
        return "cloudid is no id of a cluster: copy it from the console, as name:text";
    }
    return check_list(&config->endpoints);
}

/* One URL of _bulk. */
static char *make_url(const char *base, const char *query)
{
    size_t path = strcspn(base, "?");
    const char *own = base[path] == '?' ? base + path + 1 : "";
    bool has_slash = path > 0 && base[path - 1] == '/';
    bool has_both = own[0] != '\0' && query[0] != '\0';
    size_t size = strlen(base) + strlen(query) + sizeof("/_bulk?&");
    char *url = malloc(size);
    if (url != NULL) {
        snprintf(url, size, "%.*s%s_bulk%s%s%s%s", (int)path, base, has_slash ? "" : "/",
                 own[0] != '\0' || query[0] != '\0' ? "?" : "", own, has_both ? "&" : "", query);
    }
    return url;
}

static enum hf_status add(struct es_endpoints *endpoints, const char *base, const char *query,
                          char *reterr)
{
    if (!hf_http_is_url(base) || strlen(base) > HF_URL_MAX / 2) {
        snprintf(reterr, HF_ERROR_MAX, "\"%s\" is no URL of a node: write http://host:9200", base);
        return HF_INVALID;
    }
    char **urls = reallocarray(endpoints->urls, endpoints->count + 1, sizeof(*urls));
    char *url = urls != NULL ? make_url(base, query) : NULL;
    endpoints->urls = urls != NULL ? urls : endpoints->urls;
    if (url == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the endpoints");
        return HF_NOMEM;
    }
    endpoints->urls[endpoints->count++] = url;
    return HF_OK;
}

/* "http://a:9200, http://b:9200" */
static enum hf_status add_environment(struct es_endpoints *endpoints, const char *query,
                                      char *reterr)
{
    const char *at = getenv("ELASTICSEARCH_URL");
    enum hf_status status = HF_OK;
    while (at != NULL && *at != '\0' && status == HF_OK) {
        char one[HF_URL_MAX];
        at += strspn(at, ", ");
        size_t size = strcspn(at, ", ");
        snprintf(one, sizeof(one), "%.*s", (int)(size < sizeof(one) ? size : sizeof(one) - 1), at);
        at += size;
        status = size != 0 ? add(endpoints, one, query, reterr) : HF_OK;
    }
    if (status == HF_OK && endpoints->count == 0) {
        snprintf(reterr, HF_ERROR_MAX, "no endpoint is set: set endpoint, endpoints or cloudid");
        return HF_INVALID;
    }
    return status;
}

enum hf_status es_endpoints_open(const struct es_config *config, const char *query,
                                 struct es_endpoints *ret, char *reterr)
{
    char room[HF_URL_MAX];
    enum hf_status status = HF_OK;
    *ret = (struct es_endpoints){0};
    if (given(config->http.endpoint)) {
        status = add(ret, config->http.endpoint, query, reterr);
    } else if (given(config->cloudid)) {
        status = read_cloud_id(config->cloudid, room, sizeof(room)) ? add(ret, room, query, reterr)
                                                                    : HF_INVALID;
    } else if (config->endpoints.count != 0) {
        for (size_t i = 0; i < config->endpoints.count && status == HF_OK; i++) {
            status = add(ret, config->endpoints.items[i], query, reterr);
        }
    } else {
        status = add_environment(ret, query, reterr);
    }
    if (status != HF_OK) {
        es_endpoints_close(ret);
    }
    return status;
}

const char *es_endpoints_next(struct es_endpoints *endpoints)
{
    endpoints->next = (endpoints->next + 1) % endpoints->count;
    return endpoints->urls[endpoints->next];
}

void es_endpoints_close(struct es_endpoints *endpoints)
{
    for (size_t i = 0; i < endpoints->count; i++) {
        free(endpoints->urls[i]);
    }
    free(endpoints->urls);
    *endpoints = (struct es_endpoints){0};
}
