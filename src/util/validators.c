#include "validators.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "header_text.h"

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

/* NULL, or what is wrong with the two whatever the transport. */
static const char *expect_text(const char *name, const char *value)
{
    if (!hf_header_is_name(hf_slice_text(name))) {
        return name[0] == '\0' ? "a header's name" : "a header's name of letters, digits and -";
    }
    return hf_header_is_value(hf_slice_text(value))
               ? NULL
               : "a header's value without line ends or other control characters";
}

const char *hf_expect_header(const char *name, const char *value)
{
    const char *expected = expect_text(name, value);
    if (expected == NULL && hf_header_is_framing(hf_slice_text(name))) {
        expected = "a header of your own: Connection, Transfer-Encoding, Content-Length, TE, "
                   "Upgrade and their like are set by the transport alone";
    }
    return expected;
}

const char *hf_expect_grpc_header(const char *name, const char *value)
{
    struct hf_slice text = hf_slice_text(name);
    if (hf_header_is_of_grpc(text)) {
        return "a header of your own: pseudo-headers, grpc-*, content-type, te and those of the "
               "connection are set by gRPC itself";
    }
    return expect_text(name, hf_header_is_binary(text) ? "" : value);
}
