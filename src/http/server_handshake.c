#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <gnutls/x509.h>

#include "server_handshake.h"
#include "util/tls/tls_names.h"

#define VERSION_TLS_1_0 0x0301u
#define SUITES_OF_TLS_1_3 0x13u
#define EXTENSION_SUPPORTED_VERSIONS 43u

/* The session's pointer is libmicrohttpd's; that of a session cache is unused without one. */
static struct http_handshake *handshake_of(gnutls_session_t session)
{
    return gnutls_db_get_ptr(session);
}

static unsigned number_at(const unsigned char *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* The versions that a client of TLS 1.3 lists; reserved numbers among them (x.a.x.a) are noise. */
static int on_extension(void *user, unsigned type, const unsigned char *data, unsigned size)
{
    struct http_handshake *handshake = user;
    for (unsigned i = 1; type == EXTENSION_SUPPORTED_VERSIONS && i + 1 < size; i += 2) {
        unsigned version = number_at(data + i);
        if (version >> 8 == VERSION_TLS_1_0 >> 8 && version > handshake->offered) {
            handshake->offered = version;
        }
    }
    return 0;
}

static void read_hello(struct http_handshake *handshake, const gnutls_datum_t *hello)
{
    handshake->greeted = true;
    handshake->offered = hello->size >= 2 ? number_at(hello->data) : 0;
    (void)gnutls_ext_raw_parse(handshake, on_extension, hello,
                               GNUTLS_EXT_RAW_FLAG_TLS_CLIENT_HELLO);
}

/* The cipher suite of a ServerHello: version, random bytes, a session's name, the suite. */
static unsigned chosen_suite(const gnutls_datum_t *hello)
{
    const unsigned name_at = 2 + 32;
    unsigned at = hello->size > name_at ? name_at + 1u + hello->data[name_at] : hello->size;
    return at + 2 <= hello->size ? number_at(hello->data + at) : 0;
}

/* Is the suite named, or is none of its version? */
static bool is_allowed(const struct hf_string_list *suites, unsigned chosen)
{
    bool speaks_of_version = false;
    for (size_t i = 0; i < suites->count; i++) {
        const struct hf_tls_suite *named = hf_tls_suite(suites->items[i]);
        if (named->number == chosen) {
            return true;
        }
        bool is_tls13 = chosen >> 8 == SUITES_OF_TLS_1_3;
        speaks_of_version = speaks_of_version || named->is_tls13 == is_tls13;
    }
    return !speaks_of_version;
}

static int on_step(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                   const gnutls_datum_t *message)
{
    struct http_handshake *handshake = handshake_of(session);
    bool after = when == GNUTLS_HOOK_POST;
    if (incoming == 0) {
        if (type == GNUTLS_HANDSHAKE_SERVER_HELLO && !after &&
            !is_allowed(&handshake->suites, chosen_suite(message))) {
            handshake->agreed = false;
            return GNUTLS_E_NO_CIPHER_SUITES;
        }
        return 0;
    }
    switch (type) {
    case GNUTLS_HANDSHAKE_CLIENT_HELLO:
        if (!after) {
            read_hello(handshake, message);
        }
        handshake->agreed = handshake->agreed || after;
        break;
    case GNUTLS_HANDSHAKE_CERTIFICATE_PKT:
        handshake->showed = true;
        break;
    case GNUTLS_HANDSHAKE_FINISHED:
        handshake->done = handshake->done || after;
        break;
    default:
        break;
    }
    return 0;
}

/* Within the handshake: a client without a good certificate never gets to speak HTTP. */
static int on_certificate(gnutls_session_t session)
{
    struct http_handshake *handshake = handshake_of(session);
    unsigned status = 0;
    gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                     .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT};
    handshake->shown = true;
    int result = gnutls_certificate_verify_peers(session, &purpose, 1, &status);
    if (result == GNUTLS_E_SUCCESS && status == 0) {
        return 0;
    }
    gnutls_datum_t text = {NULL, 0};
    if (result == GNUTLS_E_SUCCESS && gnutls_certificate_verification_status_print(
                                          status, GNUTLS_CRT_X509, &text, 0) == GNUTLS_E_SUCCESS) {
        snprintf(handshake->certificate_error, sizeof(handshake->certificate_error), "%s",
                 (const char *)text.data);
    } else {
        snprintf(handshake->certificate_error, sizeof(handshake->certificate_error), "%s",
                 gnutls_strerror(result));
    }
    gnutls_free(text.data);
    (void)gnutls_alert_send(session, GNUTLS_AL_FATAL, GNUTLS_A_BAD_CERTIFICATE);
    return GNUTLS_E_CERTIFICATE_ERROR;
}

void hf_http_handshake_watch(struct http_handshake *handshake, gnutls_session_t session)
{
    gnutls_db_set_ptr(session, handshake);
    gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_BOTH, on_step);
    if (handshake->asks_client) {
        gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
        gnutls_session_set_verify_function(session, on_certificate);
    }
}

/* Who only looks whether the port is open sends nothing but the end, which counts as one. */
static bool has_sent(int fd)
{
    struct tcp_info info = {.tcpi_bytes_received = 0};
    socklen_t size = sizeof(info);
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_bytes_received > 1;
}

static unsigned version_number(const char *name)
{
    return VERSION_TLS_1_0 + (unsigned)(name[2] - '0');
}

bool hf_http_handshake_failed(const struct http_handshake *handshake, int fd, char ret_why[256])
{
    if (handshake->done || (!handshake->greeted && !has_sent(fd))) {
        return false;
    }
    if (!handshake->greeted) {
        snprintf(ret_why, 256, "TLS: what it sends is not TLS");
    } else if (!handshake->agreed && handshake->offered < version_number(handshake->least)) {
        snprintf(ret_why, 256, "TLS: offers at most version 1.%u, below the min_version %s",
                 handshake->offered >= VERSION_TLS_1_0 ? handshake->offered - VERSION_TLS_1_0 : 0,
                 handshake->least);
    } else if (!handshake->agreed) {
        snprintf(ret_why, 256, "TLS: offers no version, cipher suite and curve that are allowed");
    } else if (handshake->certificate_error[0] != '\0') {
        snprintf(ret_why, 256, "TLS: client certificate: %s", handshake->certificate_error);
    } else if (handshake->asks_client && handshake->showed && !handshake->shown) {
        snprintf(ret_why, 256, "TLS: shows no client certificate, which client_ca_file demands");
    } else {
        snprintf(ret_why, 256,
                 "TLS: broke the handshake off; it may not trust this server's certificate");
    }
    return true;
}
