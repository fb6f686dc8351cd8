#include "formats.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A number, or the name of a service, as getaddrinfo() takes it. */
static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    if (text[digits] == '\0') {
        return digits > 0 && digits <= 5 && strtol(text, NULL, 10) <= 65535;
    }
    for (size_t i = 0; text[i] != '\0'; i++) {
        if (!isalnum((unsigned char)text[i]) && text[i] != '-') {
            return false;
        }
    }
    return isalpha((unsigned char)text[0]) != 0;
}

/* Up to `end`: nothing, a name, an IPv4 address, or an IPv6 address in brackets. */
static bool is_host(const char *text, const char *end)
{
    size_t size = (size_t)(end - text);
    bool bracketed = size > 2 && text[0] == '[' && end[-1] == ']';
    for (const char *at = text; at < end; at++) {
        if (*at == '/' || *at == '@' || isspace((unsigned char)*at) || (*at == ':' && !bracketed)) {
            return false;
        }
    }
    return true;
}

const char *hf_expect_listen(const char *key, const char *text)
{
    static const char expected[] = "host:port or unix:///path";
    (void)key;
    if (text[0] == '/') {
        return NULL;
    }
    if (strncmp(text, "unix:", 5) == 0) {
        return text[5] != '\0' ? NULL : expected;
    }
    const char *colon = strrchr(text, ':');
    return colon != NULL && is_host(text, colon) && is_port(colon + 1) ? NULL : expected;
}

const char *hf_expect_path(const char *key, const char *text)
{
    static const char expected[] = "a path such as /v1/traces";
    (void)key;
    if (text[0] == '\0' || strncmp(text, "//", 2) == 0 || strstr(text, "://") != NULL) {
        return expected;
    }
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte <= 0x20 || byte >= 0x7f || strchr("?#\"<>\\^`{|}", byte) != NULL) {
            return expected;
        }
    }
    return NULL;
}

const char *hf_expect_header(const char *name, const char *value)
{
    for (size_t i = 0; name[i] != '\0'; i++) {
        if (!isalnum((unsigned char)name[i]) && strchr("!#$%&'*+-.^_`|~", name[i]) == NULL) {
            return "a header's name of letters, digits and -";
        }
    }
    for (size_t i = 0; value[i] != '\0'; i++) {
        if (((unsigned char)value[i] < 0x20 && value[i] != '\t') || value[i] == 0x7f) {
            return "a header's value without line ends or other control characters";
        }
    }
    return name[0] != '\0' ? NULL : "a header's name";
}
