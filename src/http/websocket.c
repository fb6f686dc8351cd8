#include "websocket.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "client_settings.h"
#include "util/base64.h"
#include "util/time/clock.h"
#include "websocket_frame.h"
#include "websocket_handshake.h"

#define READ_BYTES ((size_t)16 << 10)
#define GOODBYE_NS (300 * HF_NS_PER_MS)
#define CLOSE_NORMAL "\x03\xe8" /* 1000 */

struct hf_websocket {
    struct http_client_settings settings;
    CURLM *multi;
    struct hf_http_call call; /* what `transfer` is set up for */
    struct http_transfer transfer;
    char *url; /* with http: or https: */
    bool is_added, is_connected;
    atomic_bool is_stopped;
    struct hf_bytes in, out;
    size_t in_offset; /* bytes of `in` that were taken */
    struct hf_websocket_reader reader;
    char why[HF_WEBSOCKET_WHY_MAX];
};

bool hf_websocket_is_url(const char *text)
{
    bool is_secure = strncasecmp(text, "wss://", 6) == 0;
    char url[HF_URL_BYTES_MAX];
    if (!is_secure && strncasecmp(text, "ws://", 5) != 0) {
        return false;
    }
    int size = snprintf(url, sizeof(url), "http%s", text + 2);
    return size > 0 && (size_t)size < sizeof(url) && hf_http_is_url(url);
}

static enum hf_status say(struct hf_websocket *socket, enum hf_status status, const char *why)
{
    snprintf(socket->why, sizeof(socket->why), "%s", why);
    return status;
}

/* ---- the connection ---- */

static void disconnect(struct hf_websocket *socket)
{
    struct http_transfer *transfer = &socket->transfer;
    if (socket->is_added) {
        curl_multi_remove_handle(socket->multi, transfer->easy);
    }
    if (transfer->easy != NULL) {
        curl_easy_cleanup(transfer->easy);
    }
    curl_slist_free_all(transfer->headers);
    curl_slist_free_all(transfer->connect_to);
    hf_http_pems_drop(transfer->pems);
    hf_bytes_release(&transfer->body);
    hf_websocket_reader_release(&socket->reader);
    free(socket->url);
    socket->reader = (struct hf_websocket_reader){.limit = socket->reader.limit};
    *transfer = (struct http_transfer){.call = &socket->call};
    socket->url = NULL;
    socket->in.size = socket->in_offset = 0;
    socket->is_added = socket->is_connected = false;
}

static int milliseconds_until(uint64_t due_ns)
{
    uint64_t now_ns = hf_clock_monotonic_ns();
    uint64_t ms = now_ns < due_ns ? (due_ns - now_ns + HF_NS_PER_MS - 1) / HF_NS_PER_MS : 0;
    return ms < 60000 ? (int)ms : 60000;
}

/* Until the socket is ready, the time is over, or stop was called. */
static void wait_for(struct hf_websocket *socket, short events, uint64_t due_ns)
{
    struct curl_waitfd wanted = {.events = events};
    curl_socket_t fd = CURL_SOCKET_BAD;
    curl_easy_getinfo(socket->transfer.easy, CURLINFO_ACTIVESOCKET, &fd);
    wanted.fd = fd;
    curl_multi_poll(socket->multi, &wanted, fd != CURL_SOCKET_BAD ? 1 : 0,
                    milliseconds_until(due_ns), NULL);
}

static enum hf_status set_up(struct hf_websocket *socket, uint64_t timeout_ns)
{
    struct http_transfer *transfer = &socket->transfer;
    transfer->easy = curl_easy_init();
    if (transfer->easy == NULL) {
        return HF_NOMEM;
    }
    socket->call = (struct hf_http_call){.method = "GET", .url = socket->url};
    enum hf_status status = hf_http_transfer_set_up(transfer, &socket->settings, timeout_ns);
    if (status == HF_OK) {
        curl_easy_setopt(transfer->easy, CURLOPT_CONNECT_ONLY, 1L);
        /* Only a tunnel of a proxy passes what is no HTTP request. */
        curl_easy_setopt(transfer->easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
        curl_easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT, 1L);
        status =
            curl_multi_add_handle(socket->multi, transfer->easy) == CURLM_OK ? HF_OK : HF_NOMEM;
        socket->is_added = status == HF_OK;
    }
    return status;
}

static enum hf_status reach(struct hf_websocket *socket, uint64_t due_ns)
{
    for (;;) {
        int running = 0, left = 0;
        curl_multi_perform(socket->multi, &running);
        CURLMsg *message = curl_multi_info_read(socket->multi, &left);
        if (message != NULL && message->msg == CURLMSG_DONE) {
            CURLcode code = message->data.result;
            const char *why = socket->transfer.error;
            return code == CURLE_OK
                       ? HF_OK
                       : say(socket, HF_AGAIN, why[0] != '\0' ? why : curl_easy_strerror(code));
        }
        if (atomic_load(&socket->is_stopped)) {
            return say(socket, HF_CLOSED, "stopped");
        }
        if (hf_clock_monotonic_ns() >= due_ns) {
            return say(socket, HF_AGAIN, "no connection in time");
        }
        curl_multi_poll(socket->multi, NULL, 0, milliseconds_until(due_ns), NULL);
    }
}

static enum hf_status send_all(struct hf_websocket *socket, uint64_t due_ns)
{
    size_t sent = 0;
    while (sent < socket->out.size) {
        size_t taken = 0;
        CURLcode code = curl_easy_send(socket->transfer.easy, socket->out.data + sent,
                                       socket->out.size - sent, &taken);
        sent += code == CURLE_OK ? taken : 0;
        if (code == CURLE_AGAIN && hf_clock_monotonic_ns() < due_ns) {
            wait_for(socket, CURL_WAIT_POLLOUT, due_ns);
        } else if (code == CURLE_AGAIN) {
            return say(socket, HF_AGAIN, "the server takes nothing");
        } else if (code != CURLE_OK) {
            return say(socket, HF_AGAIN, curl_easy_strerror(code));
        }
    }
    return HF_OK;
}

/* Some bytes more in `in`. HF_DEADLINE: none. */
static enum hf_status read_some(struct hf_websocket *socket)
{
    size_t got = 0;
    if (socket->in_offset != 0) {
        socket->in.size -= socket->in_offset;
        memmove(socket->in.data, socket->in.data + socket->in_offset, socket->in.size);
        socket->in_offset = 0;
    }
    if (hf_bytes_reserve(&socket->in, socket->in.size + READ_BYTES) != HF_OK) {
        return say(socket, HF_AGAIN, "no memory for what is received");
    }
    CURLcode code =
        curl_easy_recv(socket->transfer.easy, socket->in.data + socket->in.size, READ_BYTES, &got);
    if (code == CURLE_AGAIN) {
        return HF_DEADLINE;
    }
    if (code != CURLE_OK || got == 0) {
        return say(socket, HF_AGAIN,
                   code != CURLE_OK ? curl_easy_strerror(code)
                                    : "the server closed the connection");
    }
    socket->in.size += got;
    return HF_OK;
}

/* ---- the handshake ---- */

static enum hf_status take_answer(struct hf_websocket *socket,
                                  const char key[HF_WEBSOCKET_KEY_SIZE + 1], uint64_t due_ns,
                                  struct hf_websocket_refusal *ret_refusal)
{
    size_t size = 0;
    enum hf_status status = HF_AGAIN;
    while ((status = hf_websocket_answer_size(hf_slice_of(socket->in.data, socket->in.size),
                                              &size)) == HF_AGAIN) {
        status = read_some(socket);
        if (status == HF_DEADLINE && hf_clock_monotonic_ns() >= due_ns) {
            return say(socket, HF_AGAIN, "the server did not answer the handshake in time");
        }
        if (atomic_load(&socket->is_stopped)) {
            return say(socket, HF_CLOSED, "stopped");
        }
        if (status == HF_DEADLINE) {
            wait_for(socket, CURL_WAIT_POLLIN, due_ns);
        } else if (status != HF_OK) {
            return status;
        }
    }
    if (status != HF_OK) {
        return say(socket, HF_AGAIN, "the server does not speak HTTP");
    }
    socket->in_offset = size;
    status = hf_websocket_read_answer(hf_slice_of(socket->in.data, size), key, ret_refusal);
    return status == HF_OK ? HF_OK : say(socket, HF_AGAIN, ret_refusal->why);
}

static enum hf_status shake(struct hf_websocket *socket, const struct hf_websocket_connect *connect,
                            uint64_t due_ns, struct hf_websocket_refusal *ret_refusal)
{
    uint8_t random[16];
    char key[HF_WEBSOCKET_KEY_SIZE + 1] = "";
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
        return say(socket, HF_AGAIN, "no random bytes");
    }
    hf_base64_print(hf_slice_of(random, sizeof(random)), key);
    socket->out.size = 0;
    enum hf_status status = hf_websocket_write_request(
        &socket->out, socket->url, socket->settings.options.user_agent, key, connect);
    if (status != HF_OK) {
        return say(socket, HF_AGAIN,
                   status == HF_INVALID ? "a header is not sendable, or the URL is bad"
                                        : "no memory for the request");
    }
    status = send_all(socket, due_ns);
    return status == HF_OK ? take_answer(socket, key, due_ns, ret_refusal) : status;
}

enum hf_status hf_websocket_connect(struct hf_websocket *socket,
                                    const struct hf_websocket_connect *connect,
                                    struct hf_websocket_refusal *ret_refusal)
{
    uint64_t due_ns = hf_clock_monotonic_ns() + connect->timeout_ns;
    *ret_refusal = (struct hf_websocket_refusal){.code = 0};
    disconnect(socket);
    hf_http_settings_refresh(&socket->settings);
    socket->why[0] = '\0';
    /* "ws" and "wss" are to libcurl what "http" and "https" are. */
    if (asprintf(&socket->url, "http%s", connect->url + 2) < 0) {
        socket->url = NULL;
    }
    enum hf_status status = HF_NOMEM;
    if (socket->url != NULL) {
        status = set_up(socket, connect->timeout_ns);
        if (status != HF_OK) {
            const char *error = socket->transfer.error;
            status = say(socket, HF_AGAIN, error[0] != '\0' ? error : "no memory for a connection");
        }
    }
    status = status == HF_OK ? reach(socket, due_ns) : status;
    status = status == HF_OK ? shake(socket, connect, due_ns, ret_refusal) : status;
    socket->is_connected = status == HF_OK;
    if (status != HF_OK) {
        snprintf(ret_refusal->why, sizeof(ret_refusal->why), "%s", socket->why);
        disconnect(socket);
    }
    return status == HF_OK || status == HF_CLOSED ? status : HF_AGAIN;
}

/* ---- messages ---- */

static enum hf_status send_frame(struct hf_websocket *socket, enum hf_websocket_opcode opcode,
                                 struct hf_slice payload, uint64_t timeout_ns)
{
    uint8_t mask[HF_WEBSOCKET_MASK_SIZE];
    socket->out.size = 0;
    if (getrandom(mask, sizeof(mask), 0) != (ssize_t)sizeof(mask) ||
        hf_websocket_write(&socket->out, opcode, payload, mask) != HF_OK) {
        return say(socket, HF_AGAIN, "no memory for a message");
    }
    return send_all(socket, hf_clock_monotonic_ns() + timeout_ns);
}

enum hf_status hf_websocket_send(struct hf_websocket *socket, struct hf_slice message,
                                 uint64_t timeout_ns)
{
    if (!socket->is_connected) {
        return say(socket, HF_AGAIN, "not connected");
    }
    enum hf_status status = send_frame(socket, HF_WEBSOCKET_BINARY, message, timeout_ns);
    if (status != HF_OK) {
        disconnect(socket); /* a frame may have been sent in part */
    }
    return status;
}

/* HF_DEADLINE: it was no message. */
static enum hf_status take_event(struct hf_websocket *socket,
                                 const struct hf_websocket_event *event,
                                 struct hf_slice *ret_message)
{
    switch (event->opcode) {
    case HF_WEBSOCKET_PING:
        return send_frame(socket, HF_WEBSOCKET_PONG, event->payload, GOODBYE_NS) == HF_OK
                   ? HF_DEADLINE
                   : HF_AGAIN;
    case HF_WEBSOCKET_PONG:
        return HF_DEADLINE;
    case HF_WEBSOCKET_CLOSE: {
        struct hf_slice code = hf_slice_of(event->payload.data, event->payload.size < 2 ? 0 : 2);
        enum hf_status status = send_frame(socket, HF_WEBSOCKET_CLOSE, code, GOODBYE_NS);
        (void)status; /* it is over in either case */
        return say(socket, HF_AGAIN, "the server closed the connection");
    }
    default:
        *ret_message = event->payload;
        return HF_OK;
    }
}

/* HF_DEADLINE: what has come so far holds no message. */
static enum hf_status next_message(struct hf_websocket *socket, struct hf_slice *ret_message)
{
    enum hf_status status = HF_DEADLINE;
    while (status == HF_DEADLINE) {
        struct hf_websocket_event event;
        struct hf_slice left =
            hf_slice_of(socket->in.data + socket->in_offset, socket->in.size - socket->in_offset);
        status = left.size != 0 ? hf_websocket_read(&socket->reader, &left, &event) : HF_AGAIN;
        socket->in_offset = socket->in.size - left.size;
        if (status == HF_AGAIN) {
            return HF_DEADLINE;
        }
        if (status != HF_OK) {
            return say(socket, HF_AGAIN,
                       status == HF_TOO_LARGE ? "the server sent a message that is too long"
                                              : "the server does not keep to the protocol");
        }
        status = take_event(socket, &event, ret_message);
    }
    return status;
}

enum hf_status hf_websocket_receive(struct hf_websocket *socket, uint64_t timeout_ns,
                                    struct hf_slice *ret_message)
{
    uint64_t due_ns = hf_clock_monotonic_ns() + timeout_ns;
    enum hf_status status =
        socket->is_connected ? HF_DEADLINE : say(socket, HF_AGAIN, "not connected");
    while (status == HF_DEADLINE) {
        if (atomic_load(&socket->is_stopped)) {
            return say(socket, HF_CLOSED, "stopped");
        }
        status = next_message(socket, ret_message);
        if (status == HF_DEADLINE) {
            status = read_some(socket);
            bool is_late = hf_clock_monotonic_ns() >= due_ns;
            if (status == HF_DEADLINE && is_late) {
                return HF_DEADLINE;
            }
            if (status == HF_DEADLINE) {
                wait_for(socket, CURL_WAIT_POLLIN, due_ns);
            }
            status = status == HF_OK ? HF_DEADLINE : status;
        }
    }
    if (status == HF_AGAIN) {
        disconnect(socket);
    }
    return status;
}

/* Until the server has closed too. A socket that is closed with bytes unread is reset, and the
 * server may lose what was sent last. */
static void drain(struct hf_websocket *socket)
{
    uint64_t due_ns = hf_clock_monotonic_ns() + GOODBYE_NS;
    enum hf_status status = HF_OK;
    while (status == HF_OK && hf_clock_monotonic_ns() < due_ns) {
        socket->in.size = socket->in_offset = 0;
        status = read_some(socket);
        if (status == HF_DEADLINE) {
            wait_for(socket, CURL_WAIT_POLLIN, due_ns);
            status = HF_OK;
        }
    }
}

void hf_websocket_close(struct hf_websocket *socket)
{
    if (socket->is_connected &&
        send_frame(socket, HF_WEBSOCKET_CLOSE, hf_slice_text(CLOSE_NORMAL), GOODBYE_NS) == HF_OK) {
        drain(socket);
    }
    disconnect(socket);
}

const char *hf_websocket_why(const struct hf_websocket *socket)
{
    return socket->why;
}

/* ---- its life ---- */

enum hf_status hf_websocket_new(const struct hf_websocket_options *options,
                                struct hf_websocket **ret_socket, char *reterr)
{
    struct hf_websocket *socket = calloc(1, sizeof(*socket));
    const struct hf_http_client_options http = {
        .tls = options->tls,
        .user_agent = options->user_agent,
        .response_bytes_max = 1,
        .on_reload_failed = options->on_reload_failed,
        .user = options->user,
    };
    if (socket == NULL) {
        snprintf(reterr, 512, "no memory for a WebSocket");
        return HF_NOMEM;
    }
    enum hf_status status = hf_http_settings_init(&socket->settings, &http, reterr);
    if (status != HF_OK) {
        free(socket);
        return status;
    }
    socket->transfer.call = &socket->call;
    socket->reader.limit = options->message_bytes_max;
    socket->multi = curl_multi_init();
    if (socket->multi == NULL) {
        snprintf(reterr, 512, "no memory for a WebSocket");
        hf_websocket_free(socket);
        return HF_NOMEM;
    }
    *ret_socket = socket;
    return HF_OK;
}

void hf_websocket_stop(struct hf_websocket *socket)
{
    atomic_store(&socket->is_stopped, true);
    curl_multi_wakeup(socket->multi);
}

void hf_websocket_free(struct hf_websocket *socket)
{
    if (socket != NULL) {
        disconnect(socket);
        curl_multi_cleanup(socket->multi);
        hf_http_settings_release(&socket->settings);
        hf_bytes_release(&socket->in);
        hf_bytes_release(&socket->out);
        free(socket);
    }
}
