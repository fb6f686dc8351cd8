/*
 * cors: which web pages may send here. A refused origin simply gets none of these headers. One that
 * is let in only by a pattern for any origin may send, but not with the credentials that its user's
 * browser holds: else every page of the web could act in that user's name.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "server_internal.h"

#define LIST_MAX 512

const struct hf_field hf_cors_fields[] = {
    {.key = "allowed_origins",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct hf_cors_config, allowed_origins),
     .help = "Origins that may send; each may have one *; * alone is any, without credentials."},
    {.key = "allowed_headers",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct hf_cors_config, allowed_headers),
     .help = "Request headers allowed beyond the simple ones; * is any."},
    {.key = "exposed_headers",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct hf_cors_config, exposed_headers),
     .help = "Answer headers that the page may read."},
    {.key = "max_age",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct hf_cors_config, max_age_s),
     .min = 0,
     .max = 31536000,
     .help = "Seconds that a browser may remember the answer to a preflight."},
    HF_FIELDS_END,
};

static bool matches(const char *pattern, const char *text)
{
    const char *star = strchr(pattern, '*');
    if (star == NULL) {
        return strcasecmp(pattern, text) == 0;
    }
    size_t head = (size_t)(star - pattern), tail = strlen(star + 1), size = strlen(text);
    return size >= head + tail && strncasecmp(pattern, text, head) == 0 &&
           strcasecmp(star + 1, text + size - tail) == 0;
}

/* Does the pattern name no host, as "*", "http*", "*:8080", or a scheme with a star behind it? */
static bool is_for_any(const char *pattern)
{
    const char *star = strchr(pattern, '*');
    const char *scheme = strstr(pattern, "://");
    if (star == NULL) {
        return false;
    }
    const char *host = scheme != NULL && scheme < star ? scheme + 3 : star;
    size_t tail = strcspn(star + 1, ":");
    return host == star && tail == 0;
}

/* How far an origin is let in. */
enum grant { GRANT_NONE, GRANT_ANY, GRANT_NAMED };

static enum grant grant_of(const struct hf_string_list *patterns, const char *origin)
{
    enum grant grant = GRANT_NONE;
    for (size_t i = 0; i < patterns->count && grant != GRANT_NAMED; i++) {
        if (matches(patterns->items[i], origin)) {
            grant = is_for_any(patterns->items[i]) ? GRANT_ANY : GRANT_NAMED;
        }
    }
    return grant;
}

static const char *header(const struct hf_http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

bool hf_cors_is_preflight(const struct hf_http_request *request)
{
    const struct hf_cors_config *cors = request->server->options.cors;
    return cors != NULL && cors->allowed_origins.count != 0 &&
           strcmp(request->method, "OPTIONS") == 0 && header(request, "Origin") != NULL &&
           header(request, "Access-Control-Request-Method") != NULL;
}

static bool header_allowed(const struct hf_cors_config *cors, const char *name, size_t size)
{
    static const char *const simple[] = {"accept",           "accept-language", "content-type",
                                         "content-language", "origin",          "x-requested-with"};
    /* The last one only when the user named no header of his own. */
    size_t count = sizeof(simple) / sizeof(simple[0]) - (cors->allowed_headers.count != 0);
    for (size_t i = 0; i < count; i++) {
        if (strlen(simple[i]) == size && strncasecmp(simple[i], name, size) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < cors->allowed_headers.count; i++) {
        const char *allowed = cors->allowed_headers.items[i];
        if (strcmp(allowed, "*") == 0 ||
            (strlen(allowed) == size && strncasecmp(allowed, name, size) == 0)) {
            return true;
        }
    }
    return false;
}

/* `names` is the comma-separated list that the browser asks for; NULL asks for none. */
static bool headers_allowed(const struct hf_cors_config *cors, const char *names)
{
    while (names != NULL && *names != '\0') {
        size_t skip = strspn(names, ", \t");
        size_t size = strcspn(names + skip, ", \t");
        if (size != 0 && !header_allowed(cors, names + skip, size)) {
            return false;
        }
        names += skip + size;
    }
    return true;
}

static bool method_allowed(const char *method)
{
    return strcasecmp(method, "GET") == 0 || strcasecmp(method, "POST") == 0 ||
           strcasecmp(method, "HEAD") == 0;
}

static void add(struct MHD_Response *response, const char *name, const char *value)
{
    /* Fails only without memory, or for a value that no header can carry: the page then is refused.
     */
    (void)MHD_add_response_header(response, name, value);
}

static void add_list(struct MHD_Response *response, const char *name,
                     const struct hf_string_list *list)
{
    char text[LIST_MAX];
    size_t used = 0;
    for (size_t i = 0; i < list->count; i++) {
        size_t size = strlen(list->items[i]);
        if (size + 3 > sizeof(text) - used) {
            break;
        }
        if (used != 0) {
            memcpy(text + used, ", ", 2);
            used += 2;
        }
        memcpy(text + used, list->items[i], size);
        used += size;
    }
    text[used] = '\0';
    if (used != 0) {
        add(response, name, text);
    }
}

static void add_origin(enum grant grant, const char *origin, struct MHD_Response *response)
{
    bool named = grant == GRANT_NAMED;
    add(response, "Access-Control-Allow-Origin", named ? origin : "*");
    if (named) {
        add(response, "Access-Control-Allow-Credentials", "true");
    }
}

static void answer_preflight(const struct hf_http_request *request,
                             const struct hf_cors_config *cors, const char *origin,
                             struct MHD_Response *response)
{
    const char *method = header(request, "Access-Control-Request-Method");
    const char *names = header(request, "Access-Control-Request-Headers");
    add(response, "Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
    enum grant grant = grant_of(&cors->allowed_origins, origin);
    if (grant == GRANT_NONE || !method_allowed(method) || !headers_allowed(cors, names)) {
        return;
    }
    add_origin(grant, origin, response);
    add(response, "Access-Control-Allow-Methods", method);
    if (names != NULL && *names != '\0') {
        add(response, "Access-Control-Allow-Headers", names);
    }
    if (cors->max_age_s > 0) {
        char age[24];
        snprintf(age, sizeof(age), "%lld", (long long)cors->max_age_s);
        add(response, "Access-Control-Max-Age", age);
    }
}

void hf_cors_headers(const struct hf_http_request *request, struct MHD_Response *response)
{
    const struct hf_cors_config *cors = request->server->options.cors;
    const char *origin = header(request, "Origin");
    if (cors == NULL || cors->allowed_origins.count == 0) {
        return;
    }
    if (hf_cors_is_preflight(request)) {
        answer_preflight(request, cors, origin, response);
        return;
    }
    add(response, "Vary", "Origin");
    if (MHD_get_response_header(response, "Access-Control-Allow-Origin") != NULL) {
        return; /* what the answer says of itself stands, as of other headers */
    }
    enum grant grant = origin != NULL ? grant_of(&cors->allowed_origins, origin) : GRANT_NONE;
    if (grant != GRANT_NONE) {
        add_origin(grant, origin, response);
        add_list(response, "Access-Control-Expose-Headers", &cors->exposed_headers);
    }
}
