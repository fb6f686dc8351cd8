#include "target.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include <holdfast/slice.h>

#include "text.h"
#include "util/base64.h"

#define CREDENTIALS_MAX 256

/* What follows `prefix`, or NULL. */
static const char *after(const char *text, const char *prefix)
{
    size_t size = strlen(prefix);
    return strncmp(text, prefix, size) == 0 ? text + size : NULL;
}

static bool is_port(const char *text)
{
    unsigned number = 0;
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || size > 5) {
            return false;
        }
        number = number * 10 + (unsigned)(text[i] - '0');
    }
    return size > 0 && number > 0 && number < 65536;
}

static enum hf_status parse_host(const char *text, const char *default_port,
                                 struct hf_grpc_target *ret_target)
{
    const char *host = text, *end, *port;
    if (text[0] == '[') {
        host = text + 1;
        end = strchr(host, ']');
        if (end == NULL || (end[1] != ':' && end[1] != '\0')) {
            return HF_INVALID;
        }
        port = end[1] == ':' ? end + 2 : default_port;
    } else {
        end = strchr(text, ':');
        if (end != NULL && strchr(end + 1, ':') != NULL) {
            return HF_INVALID; /* a v6 address without brackets */
        }
        port = end != NULL ? end + 1 : default_port;
        end = end != NULL ? end : text + strlen(text);
    }
    size_t size = (size_t)(end - host);
    if (size == 0 || size >= sizeof(ret_target->host) || port == NULL || !is_port(port)) {
        return HF_INVALID;
    }
    memset(ret_target, 0, sizeof(*ret_target));
    memcpy(ret_target->host, host, size);
    memcpy(ret_target->port, port, strlen(port));
    return HF_OK;
}

static enum hf_status parse_path(const char *path, struct hf_grpc_target *ret_target)
{
    size_t size = strlen(path);
    if (size == 0 || size >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
        return HF_INVALID;
    }
    memset(ret_target, 0, sizeof(*ret_target));
    ret_target->is_unix = true;
    memcpy(ret_target->host, path, size);
    return HF_OK;
}

enum hf_status hf_grpc_target_parse(const char *text, struct hf_grpc_target *ret_target)
{
    const char *rest = after(text, "unix://");
    if (rest != NULL) {
        return rest[0] == '/' ? parse_path(rest, ret_target) : HF_INVALID;
    }
    rest = after(text, "unix:");
    if (rest != NULL) {
        return parse_path(rest, ret_target);
    }
    rest = after(text, "dns://");
    if (rest != NULL) {
        rest = strchr(rest, '/'); /* which server to ask is left to the system */
        return rest != NULL ? parse_host(rest + 1, NULL, ret_target) : HF_INVALID;
    }
    rest = after(text, "dns:");
    if (rest == NULL) {
        rest = after(text, "passthrough:///");
    }
    return parse_host(rest != NULL ? rest : text, NULL, ret_target);
}

/* "user%40:secret" to Basic. */
static bool encode_credentials(const char *text, size_t size, char *ret_text, size_t room)
{
    char decoded[CREDENTIALS_MAX];
    if (size >= sizeof(decoded)) {
        return false;
    }
    hf_grpc_percent_decode(hf_slice_of(text, size), decoded, sizeof(decoded));
    char letters[HF_BASE64_SIZE(CREDENTIALS_MAX)];
    size_t length = hf_base64_print(hf_slice_text(decoded), letters);
    int written = snprintf(ret_text, room, "Basic %.*s", (int)length, letters);
    return written > 0 && (size_t)written < room;
}

enum hf_status hf_grpc_proxy_parse(const char *url, struct hf_grpc_proxy *ret_proxy)
{
    const char *rest = after(url, "http://");
    if (rest == NULL) {
        rest = url;
    }
    if (strstr(rest, "://") != NULL) {
        return HF_UNSUPPORTED;
    }
    char host[320];
    size_t size = strcspn(rest, "/");
    struct hf_grpc_proxy proxy = {.authorization = ""};
    const char *at = memrchr(rest, '@', size);
    if (at != NULL) {
        if (!encode_credentials(rest, (size_t)(at - rest), proxy.authorization,
                                sizeof(proxy.authorization))) {
            return HF_INVALID;
        }
        size -= (size_t)(at + 1 - rest);
        rest = at + 1;
    }
    if (size >= sizeof(host)) {
        return HF_INVALID;
    }
    memcpy(host, rest, size);
    host[size] = '\0';
    enum hf_status status = parse_host(host, "80", &proxy.target);
    if (status == HF_OK) {
        *ret_proxy = proxy;
    }
    return status;
}
