#include "prometheus_scrape.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <holdfast/auth.h>
#include <holdfast/component.h>

#include "http/server.h"
#include "util/compress/gzip_stream.h"
#include "util/log/log_limiter.h"
#include "util/time/clock.h"

#define CONNECTIONS_MAX 256
#define SAY_AGAIN_NS (60 * HF_NS_PER_S)
/* After a reload: a fifth of it for connections to end with their next answer, all of it for
 * requests. */
#define SUCCEEDED_GRACE_NS HF_NS_PER_S
#define THREADS 2
#define PART_BYTES ((size_t)256 << 10) /* of a page, printed at a time */

struct prometheus_scrape {
    struct prometheus_scrape_options options;
    struct hf_http_server *server;
    const struct hf_auth *auth; /* NULL: anyone may scrape */
    void *auth_self;
    struct hf_log_limiter said;
    int listen_fd;
};

/* A request that waits for the authenticator; the request's and the authenticator's. */
struct admission {
    struct hf_auth_wait wait;
    struct hf_http_request *request;
    enum hf_status status;
    atomic_int references;
    atomic_bool is_gone;
};

static void drop(struct admission *admission)
{
    if (atomic_fetch_sub(&admission->references, 1) == 1) {
        free(admission);
    }
}

static bool is_wanted(struct hf_auth_wait *wait)
{
    struct admission *admission = HF_CONTAINER(wait, struct admission, wait);
    return !atomic_load(&admission->is_gone) && hf_http_is_alive(admission->request);
}

static void on_decided(struct hf_auth_wait *wait, enum hf_status status)
{
    struct admission *admission = HF_CONTAINER(wait, struct admission, wait);
    admission->status = status;
    hf_http_go_on(admission->request);
    drop(admission);
}

static void on_gone(void *user, struct hf_http_request *request)
{
    struct admission *admission = *hf_http_request_data(request);
    (void)user;
    atomic_store(&admission->is_gone, true);
    drop(admission);
}

static struct hf_slice header_of(void *request, const char *name)
{
    return hf_http_header(request, name);
}

static HF_MUST_USE enum hf_status check_later(const struct prometheus_scrape *scrape,
                                              struct hf_http_request *request,
                                              const struct hf_auth_request *shown)
{
    struct admission *admission = calloc(1, sizeof(*admission));
    if (admission == NULL) {
        return HF_NOMEM;
    }
    admission->wait.is_wanted = is_wanted;
    admission->wait.done = on_decided;
    admission->request = request;
    atomic_init(&admission->references, 2);
    *hf_http_request_data(request) = admission;
    hf_http_hold(request);
    scrape->auth->begin(scrape->auth_self, shown, &admission->wait);
    return HF_OK;
}

static enum hf_status on_headers(void *user, struct hf_http_request *request)
{
    const struct prometheus_scrape *scrape = user;
    const struct admission *admission = *hf_http_request_data(request);
    enum hf_status status = HF_OK;
    if (scrape->auth != NULL && admission != NULL) {
        status = admission->status;
    } else if (scrape->auth != NULL) {
        const struct hf_auth_request shown = {header_of, request, hf_http_peer(request)};
        struct hf_meta_writer unused = {.size = 0};
        if (!scrape->auth->check(scrape->auth_self, &shown, &unused, &status)) {
            status = check_later(scrape, request, &shown);
        }
    }
    if (status != HF_OK) {
        const struct hf_http_answer answer = {.status = status == HF_UNAUTHENTICATED ? 401 : 503};
        hf_http_answer(request, &answer);
    }
    return status;
}

/* ---- a page ---- */

/* A page that is sent: printed part by part, as the scraper takes it. */
struct page {
    struct hf_http_stream stream;
    const struct prometheus_scrape *scrape;
    struct prometheus_format format;
    struct prometheus_cursor cursor;
    struct hf_gzip_stream *gzip; /* NULL: it is sent as it is printed */
    struct hf_bytes plain;       /* what is compressed */
    struct hf_bytes part;
    size_t sent; /* of the part */
};

static HF_MUST_USE enum hf_status print_part(struct page *page)
{
    const struct prometheus_scrape_options *options = &page->scrape->options;
    struct hf_bytes *out = page->gzip != NULL ? &page->plain : &page->part;
    out->size = 0;
    enum hf_status status =
        options->render(options->user, &page->format, &page->cursor, PART_BYTES, out);
    if (status != HF_OK || page->gzip == NULL) {
        return status;
    }
    return hf_gzip_stream_add(page->gzip, hf_slice_of(out->data, out->size), page->cursor.is_done,
                              &page->part);
}

/* The next part that is not empty, or the end. */
static HF_MUST_USE enum hf_status make_part(struct page *page)
{
    enum hf_status status = HF_OK;
    page->part.size = page->sent = 0;
    while (status == HF_OK && page->part.size == 0 && !page->cursor.is_done) {
        status = print_part(page);
    }
    return status;
}

static ssize_t read_page(struct hf_http_stream *stream, uint8_t *out, size_t size)
{
    struct page *page = HF_CONTAINER(stream, struct page, stream);
    if (page->sent == page->part.size && make_part(page) != HF_OK) {
        return -1;
    }
    size_t left = page->part.size - page->sent;
    size = left < size ? left : size;
    if (size != 0) {
        memcpy(out, page->part.data + page->sent, size);
        page->sent += size;
    }
    return (ssize_t)size;
}

static void free_page(struct hf_http_stream *stream)
{
    struct page *page = HF_CONTAINER(stream, struct page, stream);
    prometheus_cursor_release(&page->cursor);
    hf_gzip_stream_free(page->gzip);
    hf_bytes_release(&page->plain);
    hf_bytes_release(&page->part);
    free(page);
}

static void answer_page(const struct prometheus_scrape *scrape, struct hf_http_request *request)
{
    struct page *page = calloc(1, sizeof(*page));
    if (page == NULL) {
        hf_http_answer(request, &(struct hf_http_answer){.status = 503});
        return;
    }
    page->stream = (struct hf_http_stream){.read = read_page, .free = free_page};
    page->scrape = scrape;
    page->format = prometheus_negotiate(hf_http_header(request, "accept"),
                                        scrape->options.config->enable_open_metrics);
    bool is_packed = prometheus_accepts_gzip(hf_http_header(request, "accept-encoding"));
    page->gzip = is_packed ? hf_gzip_stream_new() : NULL;
    if ((is_packed && page->gzip == NULL) || make_part(page) != HF_OK) {
        free_page(&page->stream);
        hf_http_answer(request, &(struct hf_http_answer){.status = 503});
        return;
    }
    char content_type[PROMETHEUS_CONTENT_TYPE_MAX];
    prometheus_content_type(&page->format, content_type);
    const struct hf_http_answer_header headers[] = {{"Content-Encoding", is_packed ? "gzip" : NULL},
                                                    {"Vary", "Accept-Encoding"}};
    const struct hf_http_answer answer = {.status = 200,
                                          .content_type = content_type,
                                          .stream = &page->stream,
                                          .headers = headers,
                                          .header_count = sizeof(headers) / sizeof(headers[0])};
    hf_http_answer(request, &answer);
}

static void on_request(void *user, struct hf_http_request *request, enum hf_status fault)
{
    const struct prometheus_scrape *scrape = user;
    const char *method = hf_http_method(request);
    (void)fault;
    if (strcmp(hf_http_path(request), "/metrics") != 0) {
        hf_http_answer(request, &(struct hf_http_answer){.status = 404,
                                                         .content_type = "text/plain",
                                                         .body = hf_slice_text("see /metrics\n")});
        return;
    }
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        hf_http_answer(request, &(struct hf_http_answer){.status = 405, .allow = "GET, HEAD"});
        return;
    }
    answer_page(scrape, request);
}

static void on_error(void *user, const char *peer, const char *what)
{
    struct prometheus_scrape *scrape = user;
    if (peer == NULL) {
        hf_node_log(scrape->options.node, HF_LOG_WARN,
                    "reloading TLS files failed; keeping the previous certificate: %s", what);
    } else if (hf_log_limiter_allows(&scrape->said, peer, what, hf_clock_coarse_ns())) {
        hf_node_log(scrape->options.node, HF_LOG_WARN, "%s: %s", peer, what);
    }
}

static void on_end(void *user)
{
    const struct prometheus_scrape *scrape = user;
    hf_node_release(scrape->options.node);
}

enum hf_status prometheus_scrape_open(const struct prometheus_scrape_options *options,
                                      struct prometheus_scrape **ret_scrape, char *reterr)
{
    const struct prometheus_auth_config *auth = options->config->auth;
    struct prometheus_scrape *scrape = calloc(1, sizeof(*scrape));
    if (scrape == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    scrape->options = *options;
    scrape->listen_fd = -1;
    hf_log_limiter_init(&scrape->said, SAY_AGAIN_NS);
    enum hf_status status = HF_OK;
    if (auth != NULL) {
        status =
            hf_node_auth(options->node, auth->authenticator, &scrape->auth, &scrape->auth_self);
        if (status != HF_OK || scrape->auth->check == NULL) {
            snprintf(reterr, HF_ERROR_MAX,
                     "auth::authenticator: %s does not check the credentials of clients; use "
                     "bearertokenauth, basicauth or oidc",
                     auth->authenticator);
            status = HF_UNSUPPORTED;
        }
    }
    if (status == HF_OK) {
        status =
            hf_node_listen(options->node, options->config->endpoint, &scrape->listen_fd, reterr);
    }
    if (status != HF_OK) {
        prometheus_scrape_close(scrape);
        return status;
    }
    *ret_scrape = scrape;
    return HF_OK;
}

enum hf_status prometheus_scrape_start(struct prometheus_scrape *scrape, char *reterr)
{
    const struct prometheus_config *config = scrape->options.config;
    const struct hf_http_server_options options = {
        .listen_fd = scrape->listen_fd,
        .threads = THREADS,
        .body_bytes_max = 4096,
        .connections_max = CONNECTIONS_MAX,
        .idle_timeout_s = 300,
        .tls = config->tls,
        .cors = config->cors,
        .response_headers = config->response_headers.count != 0 ? &config->response_headers : NULL,
        .on_headers = on_headers,
        .on_request = on_request,
        .on_error = on_error,
        .on_gone = on_gone,
        .on_end = on_end,
        .user = scrape,
    };
    scrape->listen_fd = -1;
    hf_node_hold(scrape->options.node);
    enum hf_status status = hf_http_server_new(&options, &scrape->server, reterr);
    if (status != HF_OK) {
        hf_node_release(scrape->options.node);
    }
    return status;
}

void prometheus_scrape_stop(struct prometheus_scrape *scrape)
{
    if (scrape->server != NULL) {
        bool succeeded = hf_node_is_succeeded(scrape->options.node);
        hf_http_server_stop(scrape->server, succeeded ? SUCCEEDED_GRACE_NS : 0);
    }
}

void prometheus_scrape_close(struct prometheus_scrape *scrape)
{
    if (scrape == NULL) {
        return;
    }
    hf_http_server_free(scrape->server);
    if (scrape->listen_fd >= 0) {
        close(scrape->listen_fd);
    }
    hf_log_limiter_release(&scrape->said);
    free(scrape);
}
