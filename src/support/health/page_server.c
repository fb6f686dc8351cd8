#include "page_server.h"

#include <unistd.h>

#include "support/ingress/http_admission.h"
#include "util/intake.h"
#include "util/time/clock.h"

#define CONNECTIONS_MAX 256
#define BODY_MAX (64u * 1024)
#define IDLE_S 30
#define SAY_AGAIN_NS (60 * HF_NS_PER_S)
#define SUCCEEDED_GRACE_NS HF_NS_PER_S

void hf_page_answer(struct hf_http_request *request, int status, const char *type,
                    struct hf_slice text)
{
    const struct hf_http_answer answer = {
        .status = status,
        .content_type = type != NULL ? type : "text/plain; charset=utf-8",
        .body = text,
    };
    hf_http_answer(request, &answer);
}

/* ---- credentials ---- */

static void complain(struct hf_page_server *pages, const char *peer, const char *what)
{
    if (hf_log_limiter_allows(&pages->said, peer, what, hf_clock_coarse_ns())) {
        hf_node_log(pages->node, HF_LOG_WARN, "%s: %s", peer, what);
    }
}

static enum hf_status on_headers(void *user, struct hf_http_request *request)
{
    struct hf_page_server *pages = user;
    static const struct hf_ingress_wanted nothing;
    enum hf_status known;
    if (!hf_http_admission_check(&pages->auth, &nothing, request, &known) || known == HF_OK) {
        return HF_OK;
    }
    const struct hf_status_row *row = hf_status_row(known);
    if (known == HF_UNAUTHENTICATED) {
        complain(pages, hf_http_peer(request), "missing or wrong credentials");
    }
    hf_page_answer(request, row->http_code, NULL, hf_slice_text(row->says));
    return known;
}

/* ---- its life ---- */

static void on_request(void *user, struct hf_http_request *request, enum hf_status fault)
{
    const struct hf_page_server *pages = user;
    if (fault != HF_OK) {
        const struct hf_status_row *row = hf_status_row(fault);
        hf_page_answer(request, row->http_code, NULL, hf_slice_text(row->says));
        return;
    }
    pages->show(pages->user, request);
}

static void on_error(void *user, const char *peer, const char *what)
{
    struct hf_page_server *pages = user;
    if (peer == NULL) {
        hf_node_log(pages->node, HF_LOG_WARN,
                    "reloading TLS files failed; keeping the previous certificate: %s", what);
    } else {
        complain(pages, peer, what);
    }
}

static void on_end(void *user)
{
    const struct hf_page_server *pages = user;
    hf_node_release(pages->node);
}

enum hf_status hf_page_server_open(struct hf_page_server *pages, char *reterr)
{
    hf_log_limiter_init(&pages->said, SAY_AGAIN_NS);
    enum hf_status status = hf_node_listen_mode(pages->node, pages->config->endpoint,
                                                pages->config->mode, &pages->listen_fd, reterr);
    if (status != HF_OK) {
        pages->listen_fd = -1;
        hf_log_limiter_release(&pages->said);
    }
    return status;
}

enum hf_status hf_page_server_start(struct hf_page_server *pages, char *reterr)
{
    enum hf_status status =
        hf_auth_find_server(pages->node, pages->config->auth, &pages->auth, reterr);
    if (status != HF_OK) {
        return status;
    }
    struct hf_http_server_options options = hf_http_server_options(pages->config);
    options.listen_fd = pages->listen_fd;
    if (pages->passes_on) {
        options.body_bytes_max = (size_t)pages->config->max_request_body_size;
        options.buffered_bytes_max = hf_intake_total(hf_node_memory(pages->node));
        options.keeps_targets = true;
    } else {
        options.body_bytes_max = BODY_MAX;
        options.connections_max =
            options.connections_max != 0 && options.connections_max < CONNECTIONS_MAX
                ? options.connections_max
                : CONNECTIONS_MAX;
    }
    options.idle_timeout_s = IDLE_S;
    options.on_headers = on_headers;
    options.on_request = on_request;
    options.on_gone = hf_http_admission_gone;
    options.on_error = on_error;
    options.on_end = on_end;
    options.user = pages;
    pages->listen_fd = -1;
    hf_node_hold(pages->node);
    status = hf_http_server_new(&options, &pages->server, reterr);
    if (status != HF_OK) {
        hf_node_release(pages->node);
    }
    return status;
}

void hf_page_server_stop(struct hf_page_server *pages)
{
    if (pages->server != NULL) {
        bool succeeded = hf_node_is_succeeded(pages->node);
        hf_http_server_stop(pages->server, succeeded ? SUCCEEDED_GRACE_NS : pages->stop_grace_ns);
    }
}

void hf_page_server_close(struct hf_page_server *pages)
{
    hf_http_server_free(pages->server);
    if (pages->listen_fd >= 0) {
        close(pages->listen_fd);
    }
    hf_log_limiter_release(&pages->said);
}
