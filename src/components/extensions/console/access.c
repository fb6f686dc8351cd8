#include "access.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <unistd.h>

#include "util/digest.h"
#include "util/hex.h"

#define HOST_MAX 256

static bool draw(void *bytes, size_t size)
{
    return getrandom(bytes, size, 0) == (ssize_t)size;
}

enum hf_status hf_console_access_init(struct hf_console_access *access, const char *endpoint,
                                      const struct hf_string_list *hosts)
{
    *access = (struct hf_console_access){.endpoint = endpoint, .hosts = hosts};
    if (gethostname(access->machine, sizeof(access->machine) - 1) != 0) {
        access->machine[0] = '\0';
    }
    return draw(access->secret, sizeof(access->secret)) ? HF_OK : HF_IO;
}

/* The name of "name", "name:port", "[address]" and "[address]:port"; false: it is none of them. */
static bool split_host(struct hf_slice text, char name[HOST_MAX])
{
    const char *from = (const char *)text.data;
    size_t size = text.size, begin = 0, end;
    if (size == 0 || memchr(from, '\0', size) != NULL) {
        return false;
    }
    if (from[0] == '[') {
        const char *close = memchr(from, ']', size);
        begin = 1;
        end = close != NULL ? (size_t)(close - from) : 0;
        size_t after = end + 1;
        if (close == NULL || (after < size && from[after] != ':')) {
            return false;
        }
    } else {
        const char *colon = memchr(from, ':', size);
        end = colon != NULL ? (size_t)(colon - from) : size;
    }
    if (end <= begin || end - begin >= HOST_MAX) {
        return false;
    }
    memcpy(name, from + begin, end - begin);
    name[end - begin] = '\0';
    return true;
}

static bool is_address(const char *name)
{
    struct in6_addr address;
    return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1;
}

static bool is_loopback_address(const char *name)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, name, &v4) == 1) {
        return ntohl(v4.s_addr) >> 24 == 127;
    }
    return inet_pton(AF_INET6, name, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool hf_console_is_loopback(const char *endpoint)
{
    char name[HOST_MAX];
    if (strncmp(endpoint, "unix:", 5) == 0) {
        return true;
    }
    return split_host(hf_slice_text(endpoint), name) &&
           (strcasecmp(name, "localhost") == 0 || is_loopback_address(name));
}

bool hf_console_knows_host(const struct hf_console_access *access, struct hf_slice host)
{
    char name[HOST_MAX], own[HOST_MAX];
    if (!split_host(host, name)) {
        return false;
    }
    bool known = strcasecmp(name, "localhost") == 0 || is_address(name) ||
                 (access->machine[0] != '\0' && strcasecmp(name, access->machine) == 0);
    if (!known && split_host(hf_slice_text(access->endpoint), own)) {
        known = strcasecmp(name, own) == 0;
    }
    for (size_t i = 0; access->hosts != NULL && i < access->hosts->count && !known; i++) {
        known = strcasecmp(name, access->hosts->items[i]) == 0;
    }
    return known;
}

static bool same_text(struct hf_slice one, struct hf_slice other)
{
    return one.size == other.size &&
           strncasecmp((const char *)one.data, (const char *)other.data, one.size) == 0;
}

bool hf_console_is_own_origin(struct hf_slice origin, struct hf_slice site, struct hf_slice host)
{
    static const char *const schemes[] = {"http://", "https://"};
    if (site.size != 0 && !hf_slice_is(site, "same-origin") && !hf_slice_is(site, "none")) {
        return false;
    }
    bool own = origin.size == 0;
    for (size_t i = 0; i < 2 && !own; i++) {
        size_t size = strlen(schemes[i]);
        own = origin.size > size && memcmp(origin.data, schemes[i], size) == 0 &&
              same_text(hf_slice_of(origin.data + size, origin.size - size), host);
    }
    return own;
}

static bool is_cookie(const char *text, size_t size)
{
    return size == HF_CONSOLE_COOKIE_SIZE &&
           strspn(text, "0123456789abcdef") >= HF_CONSOLE_COOKIE_SIZE;
}

bool hf_console_find_cookie(struct hf_slice cookies, char ret_value[HF_CONSOLE_COOKIE_SIZE + 1])
{
    const char *at = (const char *)cookies.data, *end = at + cookies.size;
    size_t name_size = strlen(HF_CONSOLE_COOKIE);
    while (at < end) {
        const char *next = memchr(at, ';', (size_t)(end - at));
        size_t size = (size_t)((next != NULL ? next : end) - at);
        char pair[96] = "";
        if (size > name_size && size < sizeof(pair) &&
            memcmp(at, HF_CONSOLE_COOKIE, name_size) == 0 && at[name_size] == '=') {
            memcpy(pair, at + name_size + 1, size - name_size - 1);
            if (is_cookie(pair, strlen(pair))) {
                memcpy(ret_value, pair, HF_CONSOLE_COOKIE_SIZE + 1);
                return true;
            }
        }
        at += size + 1;
        while (at < end && *at == ' ') {
            at++;
        }
    }
    return false;
}

bool hf_console_new_cookie(char ret_value[HF_CONSOLE_COOKIE_SIZE + 1])
{
    uint8_t bytes[HF_CONSOLE_COOKIE_SIZE / 2];
    bool drawn = draw(bytes, sizeof(bytes));
    ret_value[hf_hex_write(hf_slice_of(bytes, sizeof(bytes)), ret_value)] = '\0';
    return drawn;
}

bool hf_console_token(const struct hf_console_access *access, const char *cookie,
                      char ret_token[HF_CONSOLE_TOKEN_SIZE + 1])
{
    uint8_t bytes[HF_SHA256_SIZE] = {0};
    bool done = hf_digest_hmac_sha256(hf_slice_of(access->secret, sizeof(access->secret)),
                                      hf_slice_text(cookie), bytes) == HF_OK;
    ret_token[hf_hex_write(hf_slice_of(bytes, sizeof(bytes)), ret_token)] = '\0';
    return done;
}

bool hf_console_token_fits(const struct hf_console_access *access, const char *cookie,
                           const char *token)
{
    char expected[HF_CONSOLE_TOKEN_SIZE + 1];
    unsigned difference = 0;
    if (!hf_console_token(access, cookie, expected) || token == NULL ||
        strlen(token) != HF_CONSOLE_TOKEN_SIZE) {
        return false;
    }
    for (size_t i = 0; i < HF_CONSOLE_TOKEN_SIZE; i++) {
        difference |= (unsigned)(expected[i] ^ token[i]);
    }
    return difference == 0;
}
