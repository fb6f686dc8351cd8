/* Codings, counters, log lines, expressions, TLS contexts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h> /* needs the first three before it */

#include "tests/support/certificates.h"
#include "util/compress/compress.h"
#include "util/file_watch.h"
#include "util/log/log.h"
#include "util/loop.h"
#include "util/metrics/metrics.h"
#include "util/regex/regex.h"
#include "util/tls/tls.h"

#include "failing.h"

/* ---- codings ---- */

static bool codings(void)
{
    static char text[100000];
    bool is_whole = true;
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (char)(i * i / 97);
    }
    struct hf_slice halves[] = {{(uint8_t *)text, 40000}, {(uint8_t *)text + 40000, 60000}};
    for (int coding = 0; coding < HF_CODING_COUNT; coding++) {
        struct hf_bytes coded = {0}, plain = {0};
        alloc_begin();
        enum hf_status status = hf_encode(coding, 0, halves, 2, &coded);
        if (status == HF_OK) {
            status = hf_decode(coding, hf_slice_of(coded.data, coded.size), sizeof(text), &plain);
        }
        alloc_end();
        if (status == HF_OK) {
            assert_int_equal(plain.size, sizeof(text));
            assert_memory_equal(plain.data, text, sizeof(text));
        } else {
            assert_int_equal(status, HF_NOMEM);
            is_whole = false;
        }
        hf_bytes_release(&coded);
        hf_bytes_release(&plain);
    }
    return is_whole;
}

/* ---- counters ---- */

static void refresh(void *user)
{
    (void)user;
}

/* Registers and counts what it can; returns whether it could all. */
static bool count_some(struct hf_metrics *metrics)
{
    static const double bounds[] = {1, 10};
    static const struct hf_metric_family families[] = {
        {.name = "sent", .type = HF_COUNTER, .help = "Sent."},
        {.name = "size", .type = HF_GAUGE, .help = "Size."},
        {.name = "time", .type = HF_HISTOGRAM, .help = "T.", .bounds = bounds, .bound_count = 2},
    };
    bool is_whole = hf_metrics_on_scrape(metrics, refresh, NULL) == HF_OK;
    for (int i = 0; i < 20; i++) {
        char name[16];
        snprintf(name, sizeof(name), "peer%d", i);
        const struct hf_label labels[] = {{"peer", name}, {NULL, NULL}};
        struct hf_series *series = hf_metrics_series(metrics, &families[i % 2], labels);
        struct hf_histogram *histogram = hf_metrics_histogram(metrics, &families[2], labels);
        if (series != NULL) {
            hf_series_add(series, 1);
        }
        if (histogram != NULL) {
            hf_histogram_observe(histogram, 5);
        }
        is_whole = is_whole && series != NULL && histogram != NULL;
    }
    return is_whole;
}

static bool counters(void)
{
    struct hf_metrics *metrics = NULL;
    char *text = NULL;
    size_t size = 0;
    alloc_begin();
    bool is_whole = hf_metrics_new(&metrics) == HF_OK;
    if (is_whole) {
        const struct hf_metrics_style style = {.type_suffix = true};
        is_whole = count_some(metrics);
        enum hf_status status = hf_metrics_print(metrics, &style, &text, &size);
        alloc_end();
        assert_true(status == HF_OK || status == HF_NOMEM);
        assert_true(status != HF_OK || strlen(text) == size);
        if (is_whole && status == HF_OK) {
            assert_non_null(strstr(text, "sent_total{peer=\"peer18\"} 1\n"));
            assert_non_null(strstr(text, "time_count{peer=\"peer19\"} 1\n"));
        }
        is_whole = is_whole && status == HF_OK;
        free(text);
        hf_metrics_off_scrape(metrics, refresh, NULL);
    }
    alloc_end();
    hf_metrics_free(metrics);
    return is_whole;
}

/* ---- log lines ---- */

static bool log_lines(void)
{
    char path[] = "/tmp/holdfast-alloc-XXXXXX", error[512] = "", line[600];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    const char *const paths[] = {path};
    const struct hf_string_pair fields[] = {{"zone", "a"}};
    struct hf_log_options options = {
        .encoding = "json", .output_paths = {paths, 1}, .initial_fields = {fields, 1}};
    struct hf_log *log = NULL;
    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    alloc_begin();
    enum hf_status status = hf_log_new(&options, &log, error);
    if (status == HF_OK) {
        hf_log_line(log, HF_LOG_WARN, "queue", "%s", line);
        options.encoding = "console";
        status = hf_log_change(log, &options, error);
        hf_log_line(log, HF_LOG_INFO, "queue", "%d", 1);
    }
    alloc_end();
    hf_log_free(log);
    close(fd);
    unlink(path);
    return status == HF_OK;
}

/* ---- expressions ---- */

static bool expressions(void)
{
    struct hf_regex *regex = NULL;
    char error[HF_REGEX_ERROR_MAX] = "";
    struct hf_slice groups[2];
    alloc_begin();
    enum hf_status status = hf_regex_new("^(?P<name>[a-z]+)-([0-9]+)$", &regex, error);
    bool is_found = status == HF_OK && hf_regex_find(regex, hf_slice_text("pod-17"), groups);
    alloc_end();
    assert_true(status == HF_OK || status == HF_NOMEM);
    assert_true(!is_found || hf_slice_is(groups[1], "17"));
    hf_regex_free(regex);
    return is_found;
}

/* ---- TLS ---- */

static struct certificates certificates;

/* Both ends of a socket, and what they make of each other. */
static bool shake_hands(struct hf_tls *server, struct hf_tls *client)
{
    int fds[2];
    struct hf_stream *ends[2] = {NULL, NULL};
    enum hf_stream_result results[2] = {HF_STREAM_ERROR, HF_STREAM_ERROR};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    enum hf_status accepted = hf_stream_accept(server, fds[0], &ends[0]);
    enum hf_status connected = hf_stream_connect(client, fds[1], "localhost", &ends[1]);
    for (int i = 0; i < 20 && accepted == HF_OK && connected == HF_OK; i++) {
        results[i % 2] = hf_stream_handshake(ends[i % 2]);
    }
    /* A stream that could not be made has not taken the descriptor over. */
    if (accepted != HF_OK) {
        close(fds[0]);
    }
    if (connected != HF_OK) {
        close(fds[1]);
    }
    hf_stream_free(ends[0]);
    hf_stream_free(ends[1]);
    return results[0] == HF_STREAM_OK && results[1] == HF_STREAM_OK;
}

static bool handshakes(void)
{
    const struct hf_tls_config server_config = {.cert_file = certificates.cert_file,
                                                .key_file = certificates.key_file,
                                                .client_ca_file = certificates.ca_file};
    const struct hf_tls_config client_config = {.ca_file = certificates.ca_file,
                                                .cert_file = certificates.cert_file,
                                                .key_file = certificates.key_file};
    struct hf_tls *server = NULL, *client = NULL;
    char error[512] = "";
    alloc_begin();
    enum hf_status status = hf_tls_new_server(&server_config, "h2", &server, error);
    if (status == HF_OK) {
        status = hf_tls_new_client(&client_config, "h2", &client, error);
    }
    bool is_whole = status == HF_OK && shake_hands(server, client);
    alloc_end();
    hf_tls_free(server);
    hf_tls_free(client);
    return is_whole;
}

/* ---- the loop ---- */

struct tick {
    struct hf_timer timer;
    struct hf_loop *loop;
    int *left;
};

static void tick(struct hf_timer *timer, uint64_t now_ns)
{
    struct tick *tick = HF_CONTAINER(timer, struct tick, timer);
    (void)now_ns;
    if (--*tick->left == 0) {
        hf_loop_stop(tick->loop);
    }
}

static bool timers(void)
{
    struct hf_loop *loop = NULL;
    struct tick ticks[40];
    int left = 0, set = 0;
    memset(ticks, 0, sizeof(ticks));
    alloc_begin();
    enum hf_status status = hf_loop_new(&loop);
    for (int i = 0; i < 40 && status == HF_OK; i++) {
        ticks[i] = (struct tick){.timer.fire = tick, .loop = loop, .left = &left};
        bool is_set = hf_loop_timer_set(loop, &ticks[i].timer, (uint64_t)(i + 1)) == HF_OK;
        set += is_set;
        left += is_set;
    }
    if (set > 0) {
        hf_loop_run(loop);
    }
    alloc_end();
    assert_int_equal(left, 0);
    hf_loop_free(loop);
    return set == 40;
}

/* ---- files ---- */

static bool watched_files(void)
{
    char *text = NULL, error[512] = "";
    alloc_begin();
    enum hf_status status = hf_file_watch_read(certificates.cert_file, &text, error);
    alloc_end();
    assert_true(status != HF_OK || strstr(text, "END CERTIFICATE") != NULL);
    free(text);
    return status == HF_OK;
}

int main(int argc, char **argv)
{
    static const struct alloc_scenario scenarios[] = {
        {"codings", codings, false},
        {"counters", counters, false},
        {"log_lines", log_lines, false},
        {"expressions", expressions, false},
        {"handshakes", handshakes, false},
        {"timers", timers, false},
        {"watched_files", watched_files, false},
        {0},
    };
    certificates_new(&certificates);
    int status = alloc_main(argc, argv, scenarios);
    certificates_remove(&certificates);
    return status;
}
