#include "proxy.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ITEM_MAX 300u

/* An address of either family, as 16 bytes. */
struct address {
    uint8_t bytes[16];
};

static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff};

static bool parse_address(const char *text, struct address *ret_address)
{
    if (inet_pton(AF_INET6, text, ret_address->bytes) == 1) {
        return true;
    }
    memcpy(ret_address->bytes, v4_prefix, sizeof(v4_prefix));
    return inet_pton(AF_INET, text, ret_address->bytes + sizeof(v4_prefix)) == 1;
}

static bool is_v4(const struct address *address)
{
    return memcmp(address->bytes, v4_prefix, sizeof(v4_prefix)) == 0;
}

static bool is_same(const struct address *a, const struct address *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    return memcmp(a->bytes, b->bytes, whole) == 0 &&
           (rest == 0 || (a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest) == 0);
}

/* "10.0.0.0/8", cut in two at the slash. */
static bool network_has(char *item, char *slash, const struct address *address)
{
    struct address network;
    char *end;
    *slash = '\0';
    unsigned long bits = strtoul(slash + 1, &end, 10);
    if (slash[1] < '0' || slash[1] > '9' || *end != '\0' || !parse_address(item, &network)) {
        return false;
    }
    /* ::/0 is all of the one family, and nothing of the other. */
    bool v4 = strchr(item, ':') == NULL;
    return bits <= (v4 ? 32 : 128) && is_v4(address) == v4 &&
           is_same(&network, address, (unsigned)bits + (v4 ? 96 : 0));
}

/* Cuts the port off, and brackets. Returns the port, or NULL. */
static const char *split_port(char **item)
{
    char *port = NULL, *colon = strrchr(*item, ':');
    if ((*item)[0] == '[') {
        char *end = strchr(*item, ']');
        if (end != NULL) {
            port = end[1] == ':' ? end + 2 : NULL;
            *end = '\0';
            (*item)++;
        }
    } else if (colon != NULL && strchr(*item, ':') == colon) {
        port = colon + 1;
        *colon = '\0';
    }
    return port;
}

static bool name_covers(const char *item, const char *host)
{
    bool itself = true;
    if (item[0] == '*' && item[1] == '.') {
        item++;
    }
    if (item[0] == '.') {
        item++;
        itself = false;
    }
    size_t size = strlen(item), host_size = strlen(host);
    if (size == 0 || host_size < size || strcasecmp(host + host_size - size, item) != 0) {
        return false;
    }
    return host_size == size ? itself : host[host_size - size - 1] == '.';
}

static bool covers(char *item, const char *host, const char *port)
{
    struct address address, wanted;
    bool is_address = parse_address(host, &address);
    char *slash = strchr(item, '/');
    if (strcmp(item, "*") == 0) {
        return true;
    }
    if (slash != NULL) {
        return is_address && network_has(item, slash, &address);
    }
    const char *item_port = split_port(&item);
    if (item_port != NULL && strcmp(item_port, port) != 0) {
        return false;
    }
    if (parse_address(item, &wanted)) {
        return is_address && is_same(&wanted, &address, 128);
    }
    return name_covers(item, host);
}

bool hf_proxy_is_excepted(const char *list, const char *host, const char *port)
{
    static const char separators[] = ", \t";
    while (list != NULL && list[0] != '\0') {
        char item[ITEM_MAX];
        list += strspn(list, separators);
        size_t size = strcspn(list, separators);
        if (size > 0 && size < sizeof(item)) {
            memcpy(item, list, size);
            item[size] = '\0';
            if (covers(item, host, port)) {
                return true;
            }
        }
        list += size;
    }
    return false;
}

static bool is_loopback(const char *host)
{
    static const uint8_t six[16] = {[15] = 1};
    struct address address;
    return strcasecmp(host, "localhost") == 0 ||
           (parse_address(host, &address) && (memcmp(address.bytes, six, sizeof(six)) == 0 ||
                                              (is_v4(&address) && address.bytes[12] == 127)));
}

/* The first that is set to something. */
static const char *variable(const char *upper, const char *lower)
{
    const char *value = getenv(upper);
    if (value == NULL || value[0] == '\0') {
        value = getenv(lower);
    }
    return value != NULL && value[0] != '\0' ? value : NULL;
}

const char *hf_proxy_of_environment(bool https, const char *host, const char *port)
{
    const char *url =
        https ? variable("HTTPS_PROXY", "https_proxy") : variable("HTTP_PROXY", "http_proxy");
    if (url == NULL || is_loopback(host) ||
        hf_proxy_is_excepted(variable("NO_PROXY", "no_proxy"), host, port)) {
        return NULL;
    }
    return url;
}

const char *hf_proxy_check(const char *url)
{
    static const char *const schemes[] = {"http://", "https://", "socks5://", "socks5h://"};
    bool good = url == NULL || strstr(url, "://") == NULL;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]) && !good; i++) {
        size_t size = strlen(schemes[i]);
        good = strncasecmp(url, schemes[i], size) == 0 && url[size] != '\0';
    }
    return good ? NULL
                : "proxy_url: expected http(s):// or socks5(h)://, and [user:password@]host:port";
}
