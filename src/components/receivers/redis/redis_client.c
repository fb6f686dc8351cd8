#include "redis_client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <holdfast/component.h>

#define READ_BYTES 16384u

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static void on_reload_failed(void *user, const char *why)
{
    const struct redis_client *client = user;
    hf_node_log(client->options.node, HF_LOG_WARN,
                "reloading TLS files failed; keeping the previous certificate: %s", why);
}

enum hf_status redis_client_init(struct redis_client *client,
                                 const struct redis_client_options *options, char *reterr)
{
    *client = (struct redis_client){.options = *options, .fd = -1};
    if (options->tls == NULL) {
        return HF_OK;
    }
    enum hf_status status = hf_tls_new_client(options->tls, "", &client->tls, reterr);
    if (status == HF_OK) {
        hf_tls_report_to(client->tls, on_reload_failed, client);
    }
    return status;
}

static void disconnect(struct redis_client *client)
{
    hf_stream_free(client->stream);
    client->stream = NULL;
    client->fd = -1;
    client->in.size = 0;
}

void redis_client_release(struct redis_client *client)
{
    if (client->stream != NULL) {
        disconnect(client);
    }
    hf_tls_free(client->tls);
    hf_bytes_release(&client->out);
    hf_bytes_release(&client->in);
}

/* ---- bytes ---- */

/* Waits as a result of the stream says; otherwise the status that it means. */
static enum hf_status wait_as(struct redis_client *client, enum hf_stream_result result,
                              const struct hf_patience *patience, char *reterr)
{
    enum hf_status status = HF_AGAIN;
    if (result == HF_STREAM_WANT_READ || result == HF_STREAM_WANT_WRITE) {
        short events = result == HF_STREAM_WANT_READ ? POLLIN : POLLOUT;
        status = hf_wait_for(client->fd, events, patience);
        snprintf(reterr, HF_ERROR_MAX, "%s",
                 status == HF_DEADLINE ? "no answer within the time" : strerror(errno));
        return status;
    }
    snprintf(reterr, HF_ERROR_MAX, "%s",
             result == HF_STREAM_CLOSED ? "the server closed the connection"
                                        : hf_stream_error(client->stream));
    return status;
}

static enum hf_status send_all(struct redis_client *client, const struct hf_patience *patience,
                               char *reterr)
{
    size_t sent = 0;
    for (;;) {
        size_t written = 0;
        const struct iovec piece = {client->out.data + sent, client->out.size - sent};
        enum hf_stream_result result = hf_stream_write(client->stream, &piece, 1, &written);
        sent += result == HF_STREAM_OK ? piece.iov_len : written;
        if (result == HF_STREAM_OK) {
            return HF_OK;
        }
        enum hf_status status = wait_as(client, result, patience, reterr);
        if (status != HF_OK) {
            return status;
        }
    }
}

static enum hf_status read_more(struct redis_client *client, const struct hf_patience *patience,
                                char *reterr)
{
    uint8_t room[READ_BYTES];
    size_t size = 0;
    enum hf_stream_result result = hf_stream_read(client->stream, room, sizeof(room), &size);
    if (result != HF_STREAM_OK) {
        return wait_as(client, result, patience, reterr);
    }
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    return hf_bytes_append(&client->in, hf_slice_of(room, size));
}

/* One command and its answer. The connection ends with every failure but the server's errors. */
static enum hf_status exchange(struct redis_client *client, const char *const *words, size_t count,
                               const struct hf_patience *patience, struct hf_slice *ret_text,
                               char *reterr)
{
    struct redis_reply reply = {.is_error = false};
    client->out.size = client->in.size = 0;
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    enum hf_status status = redis_command_write(words, count, &client->out);
    status = status == HF_OK ? send_all(client, patience, reterr) : status;
    while (status == HF_OK) {
        enum hf_status read =
            redis_reply_read(hf_slice_of(client->in.data, client->in.size), &reply);
        if (read == HF_OK) {
            break;
        }
        if (read != HF_AGAIN) {
            snprintf(reterr, HF_ERROR_MAX, "the answer is %s",
                     read == HF_TOO_LARGE ? "larger than 16 MiB" : "not of the Redis protocol");
            status = read;
            break;
        }
        status = read_more(client, patience, reterr);
    }
    if (status != HF_OK) {
        disconnect(client);
    } else if (reply.is_error) {
        snprintf(reterr, HF_ERROR_MAX, "the server answered %s: %.*s", words[0],
                 (int)(reply.text.size < 200 ? reply.text.size : 200),
                 (const char *)reply.text.data);
        status = HF_INVALID;
    }
    *ret_text = reply.text;
    return status;
}

/* ---- the connection ---- */

static enum hf_status begin_stream(struct redis_client *client, const struct hf_patience *patience,
                                   char *reterr)
{
    const char *host = client->options.target.is_unix ? "localhost" : client->options.target.host;
    enum hf_status status = hf_stream_connect(client->tls, client->fd, host, &client->stream);
    if (status != HF_OK) {
        close(client->fd);
        client->fd = -1;
        snprintf(reterr, HF_ERROR_MAX, "%s",
                 status == HF_NOT_FOUND ? "the ca_file does not exist"
                 : status == HF_INVALID ? "the name of the server cannot be checked"
                                        : "out of memory");
        return status;
    }
    enum hf_stream_result result = hf_dial_shake(client->stream, client->fd, patience);
    if (result == HF_STREAM_OK) {
        return HF_OK;
    }
    bool is_late = result == HF_STREAM_WANT_READ || result == HF_STREAM_WANT_WRITE;
    snprintf(reterr, HF_ERROR_MAX, "TLS: %s",
             is_late ? "no answer to the handshake" : hf_stream_error(client->stream));
    disconnect(client);
    return HF_AGAIN;
}

static enum hf_status sign_in(struct redis_client *client, const struct hf_patience *patience,
                              char *reterr)
{
    const struct redis_client_options *options = &client->options;
    const char *words[] = {"AUTH", options->username, options->password};
    bool has_user = given(options->username);
    struct hf_slice ignored;
    if (!given(options->password)) {
        return HF_OK;
    }
    words[1] = has_user ? options->username : options->password;
    enum hf_status status = exchange(client, words, has_user ? 3 : 2, patience, &ignored, reterr);
    if (status == HF_INVALID && client->stream != NULL) {
        disconnect(client); /* it is of no use */
    }
    return status;
}

static enum hf_status connect_now(struct redis_client *client, const struct hf_patience *patience,
                                  char *reterr)
{
    struct hf_patience shorter = hf_dial_patience(patience, client->options.connect_timeout_ns);
    client->fd = hf_dial(&client->options.target, client->options.family, &shorter, reterr);
    if (client->fd < 0) {
        return errno == ECANCELED ? HF_CLOSED : HF_AGAIN;
    }
    enum hf_status status = begin_stream(client, &shorter, reterr);
    return status == HF_OK ? sign_in(client, patience, reterr) : status;
}

enum hf_status redis_client_ask(struct redis_client *client, const char *const *words, size_t count,
                                const struct hf_patience *patience, struct hf_slice *ret_text,
                                char *reterr)
{
    if (client->stream != NULL) {
        enum hf_status status = exchange(client, words, count, patience, ret_text, reterr);
        if (status != HF_AGAIN) {
            return status;
        }
        /* A kept connection that the server has ended meanwhile. */
    }
    enum hf_status status = connect_now(client, patience, reterr);
    return status == HF_OK ? exchange(client, words, count, patience, ret_text, reterr) : status;
}
