/*
 * stream: one connection of a client or a server, in plain text or TLS, without blocking.
 */
#include "tls_session.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "util/spoken.h"

#define ERROR_SIZE 256
#define RECORD_BYTES (16 * 1024)
/* What a record needs at most, also when a peer that asked for tiny fragments has it cut in 32. */
#define RECORD_ROOM (RECORD_BYTES + 4096)
/* Records of one write leave in one send. Below glibc's threshold for mmap, so it is cheap to get.
 */
#define OUT_BYTES (6 * RECORD_ROOM)

struct hf_stream {
    int fd;
    struct hf_tls *tls;
    SSL *session;                   /* NULL: in clear */
    bool ready;                     /* the handshake is over */
    uint8_t first[HF_SPOKEN_BYTES]; /* what came from the peer first, while it shakes hands */
    size_t first_size;
    bool ended;      /* and nothing more will */
    bool read_dry;   /* the last read found nothing whole in OpenSSL's buffer */
    int send_failed; /* errno of a send inside OpenSSL, or 0 */
    /* Encrypted bytes that the socket has not taken; OUT_BYTES of room, or NULL when there are
     * none. */
    uint8_t *out;
    size_t out_start, out_end;
    char error[ERROR_SIZE];
};

__attribute__((format(printf, 3, 4))) static enum hf_stream_result
end_with(struct hf_stream *stream, enum hf_stream_result result, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(stream->error, sizeof(stream->error), format, arguments);
    va_end(arguments);
    return result;
}

static enum hf_stream_result socket_failed(struct hf_stream *stream, int reason)
{
    bool gone = reason == ECONNRESET || reason == EPIPE;
    return end_with(stream, gone ? HF_STREAM_CLOSED : HF_STREAM_ERROR, "%s", strerror(reason));
}

/* ---- between OpenSSL and the socket ---- */

/* False when the socket failed; what it does not take now stays. */
static bool flush_out(struct hf_stream *stream)
{
    while (stream->out_start < stream->out_end) {
        ssize_t sent = send(stream->fd, stream->out + stream->out_start,
                            stream->out_end - stream->out_start, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            if (errno == EINTR) {
                continue;
            }
            if (errno == EAGAIN) {
                return true;
            }
            stream->send_failed = errno;
            return false;
        }
        stream->out_start += (size_t)sent;
    }
    free(stream->out);
    stream->out = NULL;
    stream->out_start = stream->out_end = 0;
    return true;
}

static bool has_room(struct hf_stream *stream, size_t size)
{
    if (stream->out == NULL) {
        stream->out = malloc(OUT_BYTES);
        if (stream->out == NULL) {
            return false;
        }
    }
    if (OUT_BYTES - stream->out_end < size && stream->out_start > 0) {
        memmove(stream->out, stream->out + stream->out_start, stream->out_end - stream->out_start);
        stream->out_end -= stream->out_start;
        stream->out_start = 0;
    }
    return OUT_BYTES - stream->out_end >= size;
}

static int bio_write(BIO *bio, const char *data, int size)
{
    struct hf_stream *stream = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (size <= 0) {
        return 0;
    }
    if (!has_room(stream, (size_t)size)) {
        if (!flush_out(stream)) {
            return -1;
        }
        if (!has_room(stream, (size_t)size)) {
            BIO_set_retry_write(bio);
            return -1;
        }
    }
    memcpy(stream->out + stream->out_end, data, (size_t)size);
    stream->out_end += (size_t)size;
    return size;
}

static int bio_read(BIO *bio, char *buffer, int size)
{
    struct hf_stream *stream = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t got;
    do {
        got = recv(stream->fd, buffer, (size_t)size, MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN) {
        BIO_set_retry_read(bio);
    } else if (got < 0) {
        stream->send_failed = errno;
    }
    for (ssize_t i = 0; !stream->ready && i < got && stream->first_size < sizeof(stream->first);
         i++) {
        stream->first[stream->first_size++] = (uint8_t)buffer[i];
    }
    stream->ended = got == 0;
    return (int)got;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)number;
    (void)pointer;
    if (command == BIO_CTRL_EOF) {
        const struct hf_stream *stream = BIO_get_data(bio);
        return stream->ended ? 1 : 0;
    }
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

/* Made by whichever stream is the first, and kept as long as the process lives. */
static BIO_METHOD *the_method;
static CRYPTO_ONCE method_once = CRYPTO_ONCE_STATIC_INIT;

static void make_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "holdfast");
    if (method != NULL) {
        BIO_meth_set_write(method, bio_write);
        BIO_meth_set_read(method, bio_read);
        BIO_meth_set_ctrl(method, bio_control);
    }
    the_method = method;
}

static bool attach(struct hf_stream *stream)
{
    if (CRYPTO_THREAD_run_once(&method_once, make_method) != 1 || the_method == NULL) {
        return false;
    }
    BIO *bio = BIO_new(the_method);
    if (bio == NULL) {
        return false;
    }
    BIO_set_data(bio, stream);
    BIO_set_init(bio, 1);
    SSL_set_bio(stream->session, bio, bio);
    return true;
}

/* ---- making and ending ---- */

static enum hf_status open_stream(struct hf_tls *tls, int fd, const char *server_name,
                                  struct hf_stream **ret_stream)
{
    struct hf_stream *stream = calloc(1, sizeof(*stream));
    if (stream == NULL) {
        return HF_NOMEM;
    }
    stream->fd = fd;
    stream->tls = tls;
    stream->ready = tls == NULL;
    if (tls != NULL) {
        enum hf_status status = hf_tls_session_new(tls, server_name, &stream->session);
        if (status == HF_OK && !attach(stream)) {
            status = HF_NOMEM;
        }
        if (status != HF_OK) {
            SSL_free(stream->session);
            free(stream);
            return status;
        }
    }
    *ret_stream = stream;
    return HF_OK;
}

enum hf_status hf_stream_accept(struct hf_tls *tls, int fd, struct hf_stream **ret_stream)
{
    return open_stream(tls, fd, NULL, ret_stream);
}

enum hf_status hf_stream_connect(struct hf_tls *tls, int fd, const char *server_name,
                                 struct hf_stream **ret_stream)
{
    return open_stream(tls, fd, server_name, ret_stream);
}

void hf_stream_free(struct hf_stream *stream)
{
    if (stream == NULL) {
        return;
    }
    if (stream->session != NULL) {
        if (stream->ready && stream->send_failed == 0) {
            ERR_clear_error();
            (void)SSL_shutdown(stream->session); /* close_notify; its answer is not waited for */
            (void)flush_out(stream);
        }
        SSL_free(stream->session);
        ERR_clear_error();
    }
    free(stream->out);
    close(stream->fd);
    free(stream);
}

void hf_stream_go_bare(struct hf_stream *stream)
{
    assert(!stream->ready);
    SSL_free(stream->session);
    stream->session = NULL;
    stream->ready = true;
}

/* ---- the four operations ---- */

/* A sentence about a server whose answer is no TLS; NULL: it is, or it cannot be told. */
static const char *other_protocol(struct hf_stream *stream)
{
    const struct hf_spoken_port expected = {.is_grpc = true, .is_tls = true};
    size_t size = stream->first_size;
    if (size == 0) {
        return NULL;
    }
    /* OpenSSL has read no more than it needed to see that it is none. */
    ssize_t more = recv(stream->fd, stream->first + size, sizeof(stream->first) - size,
                        MSG_PEEK | MSG_DONTWAIT);
    size += more > 0 ? (size_t)more : 0;
    return hf_spoken_of_server(hf_spoken_of(stream->first, size), expected);
}

/* The only user of ALPN is gRPC, which is h2. */
static enum hf_stream_result no_agreement(struct hf_stream *stream, bool is_server)
{
    return end_with(
        stream, HF_STREAM_ERROR, "TLS: %s",
        is_server ? "the peer did not agree on the protocol (ALPN): it does not offer h2, so it is "
                    "no client of gRPC: set its endpoint to that of protocols::http, or its "
                    "protocol to grpc"
                  : "the peer did not agree on the protocol (ALPN): it does not speak h2 on this "
                    "port: set the endpoint to its gRPC port, or use the exporter otlphttp");
}

static enum hf_stream_result tls_failed(struct hf_stream *stream, int result)
{
    int kind = SSL_get_error(stream->session, result);
    if (kind == SSL_ERROR_WANT_READ) {
        return HF_STREAM_WANT_READ;
    }
    if (kind == SSL_ERROR_WANT_WRITE) {
        return HF_STREAM_WANT_WRITE;
    }
    unsigned long code = ERR_peek_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    long verified = SSL_get_verify_result(stream->session);
    bool eof = code != 0 && ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
    bool no_alpn = code != 0 && (ERR_GET_REASON(code) == SSL_R_NO_APPLICATION_PROTOCOL ||
                                 ERR_GET_REASON(code) == SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL);
    bool is_server = SSL_is_server(stream->session) == 1;
    ERR_clear_error();
    int send_failed = stream->send_failed;
    stream->send_failed = send_failed != 0 ? send_failed : EPIPE; /* no close_notify after this */
    const char *other = stream->ready || is_server ? NULL : other_protocol(stream);
    if (other != NULL) {
        return end_with(stream, HF_STREAM_ERROR, "%s", other);
    }
    if (no_alpn) {
        return no_agreement(stream, is_server);
    }
    if (eof && !stream->ready && stream->first_size != 0) {
        return end_with(stream, HF_STREAM_ERROR, "TLS: the peer broke the handshake off");
    }
    if (kind == SSL_ERROR_ZERO_RETURN || eof) {
        return end_with(stream, HF_STREAM_CLOSED, "closed by the peer");
    }
    /* That an alert could not be sent is not the reason; the error behind the alert is. */
    if (send_failed != 0 && kind != SSL_ERROR_SSL) {
        return socket_failed(stream, send_failed);
    }
    if (!stream->ready && verified != X509_V_OK) {
        return end_with(stream, HF_STREAM_ERROR, "TLS: %s: %s",
                        reason != NULL ? reason : "handshake failed",
                        X509_verify_cert_error_string(verified));
    }
    return end_with(stream, HF_STREAM_ERROR, "TLS: %s", reason != NULL ? reason : "broken off");
}

enum hf_stream_result hf_stream_handshake(struct hf_stream *stream)
{
    if (stream->ready) {
        return HF_STREAM_OK;
    }
    if (!SSL_is_init_finished(stream->session)) {
        ERR_clear_error();
        int done = SSL_do_handshake(stream->session);
        bool sent = flush_out(stream); /* an alert that says why, too */
        if (done != 1) {
            enum hf_stream_result result = tls_failed(stream, done);
            bool waiting = result == HF_STREAM_WANT_READ && stream->out_start < stream->out_end;
            return waiting ? HF_STREAM_WANT_WRITE : result;
        }
        if (!sent) {
            return socket_failed(stream, stream->send_failed);
        }
    } else if (!flush_out(stream)) {
        return socket_failed(stream, stream->send_failed);
    }
    if (stream->out_start < stream->out_end) {
        return HF_STREAM_WANT_WRITE;
    }
    stream->ready = true;
    if (!hf_tls_session_agreed(stream->tls, stream->session)) {
        return no_agreement(stream, SSL_is_server(stream->session) == 1);
    }
    return HF_STREAM_OK;
}

static enum hf_stream_result read_clear(struct hf_stream *stream, void *buffer, size_t size,
                                        size_t *ret_read)
{
    for (;;) {
        ssize_t got = recv(stream->fd, buffer, size, MSG_DONTWAIT);
        if (got > 0) {
            *ret_read = (size_t)got;
            return HF_STREAM_OK;
        }
        if (got == 0) {
            return end_with(stream, HF_STREAM_CLOSED, "closed by the peer");
        }
        if (errno == EAGAIN) {
            return HF_STREAM_WANT_READ;
        }
        if (errno != EINTR) {
            return socket_failed(stream, errno);
        }
    }
}

enum hf_stream_result hf_stream_read(struct hf_stream *stream, void *buffer, size_t size,
                                     size_t *ret_read)
{
    assert(stream->ready);
    if (stream->session == NULL) {
        return read_clear(stream, buffer, size, ret_read);
    }
    ERR_clear_error();
    stream->read_dry = false;
    size_t total = 0;
    while (total < size) {
        size_t got = 0;
        int result = SSL_read_ex(stream->session, (uint8_t *)buffer + total, size - total, &got);
        if (result != 1) {
            if (total > 0 && SSL_get_error(stream->session, result) != SSL_ERROR_WANT_READ) {
                break; /* what came before the end is handed over first; the end stays */
            }
            stream->read_dry = true;
            (void)flush_out(stream);
            if (total > 0) {
                break;
            }
            return tls_failed(stream, result);
        }
        total += got;
    }
    *ret_read = total;
    return HF_STREAM_OK;
}

static enum hf_stream_result write_clear(struct hf_stream *stream, const struct iovec *pieces,
                                         int count, size_t *ret_written)
{
    /* The kernel does not write to the pieces; its struct is older than const. */
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)pieces,
                             .msg_iovlen = (size_t)count};
    size_t total = 0;
    for (int i = 0; i < count; i++) {
        total += pieces[i].iov_len;
    }
    *ret_written = 0;
    if (total == 0) {
        return HF_STREAM_OK;
    }
    ssize_t sent;
    do {
        sent = sendmsg(stream->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        return errno == EAGAIN ? HF_STREAM_WANT_WRITE : socket_failed(stream, errno);
    }
    *ret_written = (size_t)sent;
    return (size_t)sent == total ? HF_STREAM_OK : HF_STREAM_WANT_WRITE;
}

/* Where a gathering write has come to. */
struct place {
    const struct iovec *pieces;
    int count, index;
    size_t offset; /* in pieces[index] */
};

/* The next bytes for one record: a large piece as it lies, small ones copied together. */
static struct hf_slice next_record(struct place *place, uint8_t *room)
{
    size_t size = 0;
    while (place->index < place->count && size < RECORD_BYTES) {
        const struct iovec *piece = &place->pieces[place->index];
        size_t left = piece->iov_len - place->offset;
        const uint8_t *data = (const uint8_t *)piece->iov_base + place->offset;
        size_t taken = left < RECORD_BYTES - size ? left : RECORD_BYTES - size;
        place->offset += taken;
        if (place->offset == piece->iov_len) {
            place->index++;
            place->offset = 0;
        }
        if (taken == RECORD_BYTES) {
            return hf_slice_of(data, taken);
        }
        memcpy(room + size, data, taken);
        size += taken;
    }
    return hf_slice_of(room, size);
}

static enum hf_stream_result write_records(struct hf_stream *stream, struct place *place,
                                           size_t *ret_written)
{
    uint8_t room[RECORD_BYTES];
    for (;;) {
        /* A record is begun only when all of it can be taken: so OpenSSL never stops in the middle
         * of one, and a later call need not repeat this one's bytes. */
        if (!has_room(stream, RECORD_ROOM)) {
            if (!flush_out(stream)) {
                return socket_failed(stream, stream->send_failed);
            }
            if (!has_room(stream, RECORD_ROOM)) {
                return stream->out != NULL ? HF_STREAM_WANT_WRITE
                                           : end_with(stream, HF_STREAM_ERROR, "out of memory");
            }
        }
        struct hf_slice record = next_record(place, room);
        if (record.size == 0) {
            return HF_STREAM_OK;
        }
        for (size_t at = 0; at < record.size;) {
            size_t taken = 0;
            int result = SSL_write_ex(stream->session, record.data + at, record.size - at, &taken);
            if (result != 1) {
                return tls_failed(stream, result);
            }
            at += taken;
            *ret_written += taken;
        }
    }
}

enum hf_stream_result hf_stream_write(struct hf_stream *stream, const struct iovec *pieces,
                                      int count, size_t *ret_written)
{
    assert(stream->ready);
    if (stream->session == NULL) {
        return write_clear(stream, pieces, count, ret_written);
    }
    ERR_clear_error();
    *ret_written = 0;
    struct place place = {.pieces = pieces, .count = count};
    enum hf_stream_result result = write_records(stream, &place, ret_written);
    if (result == HF_STREAM_OK) {
        if (!flush_out(stream)) {
            return socket_failed(stream, stream->send_failed);
        }
        return stream->out_start < stream->out_end ? HF_STREAM_WANT_WRITE : HF_STREAM_OK;
    }
    return result;
}

bool hf_stream_has_pending(const struct hf_stream *stream)
{
    return stream->session != NULL && !stream->read_dry && SSL_has_pending(stream->session) == 1;
}

const char *hf_stream_error(const struct hf_stream *stream)
{
    return stream->error[0] != '\0' ? stream->error : "no error";
}
