/*
 * tls: the `tls:` section of servers and clients, and the byte stream under a transport, encrypted
 * or not.
 *
 * Only this file's source knows OpenSSL. A context is shared and immutable to its users; it reloads
 * its files on change by itself (checked at most every `reload_interval`, or every 5 s without
 * one). A stream is owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <holdfast/field.h>
#include <holdfast/status.h>

struct hf_tls_config {
    const char *ca_file, *ca_pem, *cert_file, *cert_pem, *key_file, *key_pem;
    const char *min_version, *max_version; /* "1.0" to "1.3" */
    uint64_t reload_interval_ns;
    struct hf_string_list cipher_suites, curve_preferences;
    bool include_system_ca_certs_pool;
    bool insecure, insecure_skip_verify; /* client */
    const char *server_name_override;    /* client */
    const char *client_ca_file;          /* server: clients must present a certificate it signed */
    bool client_ca_file_reload;
};

extern const struct hf_field hf_tls_client_fields[];
extern const struct hf_field hf_tls_server_fields[];
/* Checks fields together: both file and pem, certificate without key, ... NULL or a
 * sentence. */
const char *hf_tls_client_check(const struct hf_tls_config *config);
const char *hf_tls_server_check(const struct hf_tls_config *config);

struct hf_tls;
/* The configuration's strings are borrowed until hf_tls_free(). `alpn`: "h2", "http/1.1", or "" for
 * a protocol that TLS has no name for. On failure `reterr` (512 bytes) names the file and what is
 * wrong with it. */
HF_MUST_USE enum hf_status hf_tls_new_server(const struct hf_tls_config *config, const char *alpn,
                                             struct hf_tls **ret_tls, char *reterr);
HF_MUST_USE enum hf_status hf_tls_new_client(const struct hf_tls_config *config, const char *alpn,
                                             struct hf_tls **ret_tls, char *reterr);
void hf_tls_free(struct hf_tls *tls);
/* Does a client's ca_file not exist, perhaps because what writes it starts later? Then
 * hf_stream_connect() says HF_NOT_FOUND until it does, and looks for it each time. */
bool hf_tls_ca_is_missing(const struct hf_tls_config *config);
/*
 * Once for each change of the files that cannot be used and leaves the old ones in force: `why`
 * names the file and the reason. Set before the first stream; called by the thread that opens one;
 * must not block.
 */
void hf_tls_report_to(struct hf_tls *tls, void (*report)(void *user, const char *why), void *user);

/* A connected non-blocking socket, with TLS on it unless `tls` is NULL. */
struct hf_stream;
/* Owns `fd` unless it fails: HF_NOMEM. */
HF_MUST_USE enum hf_status hf_stream_accept(struct hf_tls *tls, int fd,
                                            struct hf_stream **ret_stream);
/* HF_NOT_FOUND: see hf_tls_ca_is_missing(). HF_INVALID: the server's name is not usable. HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_stream_connect(struct hf_tls *tls, int fd, const char *server_name,
                                             struct hf_stream **ret_stream);
/* Closes the descriptor too. */
void hf_stream_free(struct hf_stream *stream);

enum hf_stream_result {
    HF_STREAM_OK,
    HF_STREAM_WANT_READ,
    HF_STREAM_WANT_WRITE,
    HF_STREAM_CLOSED,
    HF_STREAM_ERROR
};
/* Before the handshake: continues in plain text, to answer a peer that does not use TLS. */
void hf_stream_go_bare(struct hf_stream *stream);
/* The handshake; plain streams are ready at once. */
enum hf_stream_result hf_stream_handshake(struct hf_stream *stream);
enum hf_stream_result hf_stream_read(struct hf_stream *stream, void *buffer, size_t size,
                                     size_t *ret_read);
/*
 * OK: all was taken and sent. WANT_WRITE: `*ret_written` bytes were taken, perhaps all of them;
 * call again with what is left, perhaps nothing, when the descriptor is writable. Clear: one
 * sendmsg. At most IOV_MAX pieces.
 */
enum hf_stream_result hf_stream_write(struct hf_stream *stream, const struct iovec *pieces,
                                      int count, size_t *ret_written);
/* Bytes already decrypted that epoll will not announce. */
bool hf_stream_has_pending(const struct hf_stream *stream);
/* The last error, for the log: never NULL. */
const char *hf_stream_error(const struct hf_stream *stream);
