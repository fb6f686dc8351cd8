/*
 * prometheus: serves the last values of all series to scrapers.
 *
 * A request is folded into the table of series when it comes from the queue, and acknowledged when
 * it is on disk behind a snapshot of the table, or in the next one, which is written when there are
 * as many bytes behind it as in it. After a kill the snapshot is loaded and what stands behind it
 * folded, and what was not acknowledged comes from the queue again; to fold it twice changes
 * nothing. Syncing takes a bounded share of the time. One request is sent at a time: deltas must
 * stay in their order.
 *
 * The delivery's thread folds and saves; the server's threads print. The lock guards the table.
 */
#include <holdfast/component.h>

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "pdata/payload.h"
#include "pdata/scan.h"
#include "prometheus_config.h"
#include "prometheus_fold.h"
#include "prometheus_print.h"
#include "prometheus_scrape.h"
#include "prometheus_snapshot.h"
#include "prometheus_table.h"
#include "support/probe/probe_server.h"
#include "support/state/state_file.h"
#include "support/state/state_log.h"
#include "util/loop.h"
#include "util/time/clock.h"

/* Between two syncs: so many times the time that one takes, and this at most. */
#define PAUSE_FACTOR 10
#define PAUSE_MAX_NS HF_NS_PER_S
#define LOG_BYTES_MIN (UINT64_C(1) << 20) /* behind a small snapshot */
#define EXPIRE_INTERVAL_NS (10 * HF_NS_PER_S)

/* An export that is folded and waits to be on disk. */
struct waiting {
    struct waiting *next;
    struct hf_export *export;
    uint64_t rejected_items;
    const char *why;
};

struct prometheus_exporter {
    struct hf_node *node;
    const struct prometheus_config *config;
    struct hf_loop *loop;
    struct prometheus_scrape *scrape;
    pthread_mutex_t lock; /* guards what follows */
    struct prometheus_table table;
    bool has_begun;     /* the delivery has sent something */
    struct stat loaded; /* of the snapshot that was loaded last; zeros: none */

    struct prometheus_fold fold;
    struct hf_payload payload;
    char *path;              /* of the snapshot; NULL: no data directory */
    struct hf_state_log log; /* behind it; closed: the next sync writes a snapshot */
    struct waiting *waiting, **end;
    struct hf_timer timer;
    uint64_t next_sync_ns; /* not before */
    uint64_t next_expire_ns;
};

/* ---- the snapshot ---- */

/* A request from behind the snapshot. */
static enum hf_status fold_again(void *user, uint64_t unix_ns, struct hf_slice request)
{
    struct prometheus_exporter *exporter = user;
    exporter->fold.now_ns = unix_ns;
    return prometheus_fold_request(&exporter->fold, request);
}

/* The table of the snapshot, unless that was loaded already. The lock is held. */
static HF_MUST_USE enum hf_status load(struct prometheus_exporter *exporter)
{
    struct stat now;
    if (exporter->path == NULL || stat(exporter->path, &now) != 0 ||
        (now.st_ino == exporter->loaded.st_ino && now.st_size == exporter->loaded.st_size &&
         now.st_mtim.tv_sec == exporter->loaded.st_mtim.tv_sec &&
         now.st_mtim.tv_nsec == exporter->loaded.st_mtim.tv_nsec)) {
        return HF_OK;
    }
    uint64_t left = 0;
    prometheus_table_clear(&exporter->table);
    enum hf_status status =
        prometheus_snapshot_load(exporter->path, &exporter->table, fold_again, exporter, &left);
    if (left != 0) {
        hf_node_log(exporter->node, HF_LOG_WARN,
                    "the last %" PRIu64 " bytes of %s are no whole requests: a kill has cut one "
                    "short before it was acknowledged, or the file is damaged",
                    left, exporter->path);
    }
    if (status == HF_CORRUPT) {
        hf_node_log(exporter->node, HF_LOG_ERROR,
                    "%s is damaged: the values of before are lost, and what was delivered to this "
                    "exporter is not shown again",
                    exporter->path);
        status = HF_OK;
    }
    if (status == HF_OK) {
        exporter->loaded = now;
    }
    return status == HF_NOT_FOUND ? HF_OK : status;
}

/*
 * Until the delivery sends something, the exporter of the configuration before this one may still
 * write snapshots, the last one after this one was started: they are shown.
 */
static HF_MUST_USE enum hf_status load_until_begun(struct prometheus_exporter *exporter,
                                                   bool begins)
{
    enum hf_status status = HF_OK;
    pthread_mutex_lock(&exporter->lock);
    if (!exporter->has_begun) {
        status = load(exporter);
        exporter->has_begun = begins && status == HF_OK;
    }
    pthread_mutex_unlock(&exporter->lock);
    return status;
}

static void expire(struct prometheus_exporter *exporter, uint64_t now_ns)
{
    uint64_t unix_ns = hf_clock_unix_ns();
    uint64_t age_ns = exporter->config->metric_expiration_ns;
    if (now_ns < exporter->next_expire_ns) {
        return;
    }
    pthread_mutex_lock(&exporter->lock);
    prometheus_table_expire(&exporter->table, unix_ns > age_ns ? unix_ns - age_ns : 0);
    pthread_mutex_unlock(&exporter->lock);
    exporter->next_expire_ns = now_ns + EXPIRE_INTERVAL_NS;
}

static HF_MUST_USE enum hf_status save_snapshot(struct prometheus_exporter *exporter)
{
    hf_state_log_close(&exporter->log);
    pthread_mutex_lock(&exporter->lock);
    enum hf_status status = prometheus_snapshot_save(exporter->path, &exporter->table);
    int saved = errno;
    pthread_mutex_unlock(&exporter->lock);
    errno = saved;
    return status == HF_OK ? hf_state_log_open(&exporter->log, exporter->path) : status;
}

static HF_MUST_USE enum hf_status sync_table(struct prometheus_exporter *exporter)
{
    const struct hf_state_log *log = &exporter->log;
    if (exporter->path == NULL) {
        return HF_OK;
    }
    bool is_full = log->size >= LOG_BYTES_MIN && log->size >= log->content_bytes;
    return log->fd < 0 || is_full ? save_snapshot(exporter) : hf_state_log_sync(&exporter->log);
}

static HF_MUST_USE enum hf_status save(struct prometheus_exporter *exporter)
{
    uint64_t begun_ns = hf_clock_monotonic_ns();
    expire(exporter, begun_ns);
    enum hf_status status = sync_table(exporter);
    int saved = errno;
    uint64_t now_ns = hf_clock_monotonic_ns();
    uint64_t pause_ns = (now_ns - begun_ns) * PAUSE_FACTOR;
    exporter->next_sync_ns = now_ns + (pause_ns < PAUSE_MAX_NS ? pause_ns : PAUSE_MAX_NS);
    errno = saved;
    return status;
}

/* Saves, and answers all exports that wait. An answer may bring the next export at once, so the
 * list is taken off first. */
static void settle(struct hf_timer *timer, uint64_t now_ns)
{
    struct prometheus_exporter *exporter = HF_CONTAINER(timer, struct prometheus_exporter, timer);
    char error[HF_ERROR_MAX] = "";
    enum hf_status status = save(exporter);
    (void)now_ns;
    if (status != HF_OK) {
        snprintf(error, sizeof(error), "%s: %s", exporter->path, strerror(errno));
    }
    struct waiting *waiting = exporter->waiting;
    exporter->waiting = NULL;
    exporter->end = &exporter->waiting;
    while (waiting != NULL) {
        struct waiting *next = waiting->next;
        struct hf_outcome outcome = {.status = status, .message = error};
        if (status == HF_OK && waiting->rejected_items > 0) {
            outcome.rejected_items = waiting->rejected_items;
            outcome.message = waiting->why;
        }
        hf_export_done(waiting->export, &outcome);
        free(waiting);
        waiting = next;
    }
}

/* ---- sending ---- */

static HF_MUST_USE enum hf_status fold(struct prometheus_exporter *exporter,
                                       const struct hf_export *export)
{
    struct hf_payload *payload = &exporter->payload;
    struct hf_scan scan;
    exporter->fold.rejected = 0;
    exporter->fold.why = NULL;
    exporter->fold.now_ns = hf_clock_unix_ns();
    enum hf_status status =
        hf_payload_build(payload, export->bodies, export->body_count, HF_IDENTITY, 0, true);
    for (size_t i = 0; i < payload->count && status == HF_OK; i++) {
        status = hf_scan(export->signal, payload->slices[i], &scan);
        if (status == HF_OK) {
            pthread_mutex_lock(&exporter->lock);
            status = prometheus_fold_request(&exporter->fold, payload->slices[i]);
            pthread_mutex_unlock(&exporter->lock);
        }
        if (status == HF_OK && exporter->log.fd >= 0 &&
            hf_state_log_append(&exporter->log, exporter->fold.now_ns, payload->slices[i]) !=
                HF_OK) {
            /* It is closed: the next snapshot has this request. */
            hf_node_log(exporter->node, HF_LOG_WARN, "appending to %s failed: %s", exporter->path,
                        strerror(errno));
        }
    }
    return status == HF_CORRUPT ? HF_INVALID : status;
}

static HF_MUST_USE enum hf_status take(struct prometheus_exporter *exporter,
                                       struct hf_export *export)
{
    enum hf_status status = load_until_begun(exporter, true);
    if (status != HF_OK) {
        return status;
    }
    struct waiting *waiting = calloc(1, sizeof(*waiting));
    if (waiting == NULL) {
        return HF_NOMEM;
    }
    status = fold(exporter, export);
    if (status == HF_OK && exporter->waiting == NULL) {
        status = hf_loop_timer_set(exporter->loop, &exporter->timer, exporter->next_sync_ns);
    }
    if (status != HF_OK) {
        free(waiting);
        return status;
    }
    *waiting = (struct waiting){
        .export = export, .rejected_items = exporter->fold.rejected, .why = exporter->fold.why};
    *exporter->end = waiting;
    exporter->end = &waiting->next;
    return HF_OK;
}

static void send_export(void *self, struct hf_export *export)
{
    enum hf_status status = take(self, export);
    if (status != HF_OK) {
        const char *message = status == HF_INVALID ? "the request does not decode" : NULL;
        hf_export_done(export, &(struct hf_outcome){.status = status, .message = message});
    }
}

/* ---- scraping ---- */

static enum hf_status render(void *user, const struct prometheus_format *format,
                             struct prometheus_cursor *cursor, size_t enough, struct hf_bytes *out)
{
    struct prometheus_exporter *exporter = user;
    uint64_t unix_ns = hf_clock_unix_ns();
    uint64_t age_ns = exporter->config->metric_expiration_ns;
    const struct hf_bytes *constant = &exporter->fold.constant_text; /* immutable */
    const struct prometheus_style style = {.open_metrics = format->open_metrics,
                                           .escaping = format->escaping,
                                           .timestamps = exporter->config->send_timestamps,
                                           .constant = hf_slice_of(constant->data, constant->size),
                                           .since_ns = unix_ns > age_ns ? unix_ns - age_ns : 0};
    enum hf_status status = load_until_begun(exporter, false);
    if (status != HF_OK) {
        return status;
    }
    pthread_mutex_lock(&exporter->lock);
    status = prometheus_print(&exporter->table, &style, cursor, enough, out);
    pthread_mutex_unlock(&exporter->lock);
    return status;
}

/* ---- life ---- */

static enum hf_status start_exporter(void *self, char *reterr)
{
    struct prometheus_exporter *exporter = self;
    enum hf_status status = load_until_begun(exporter, false);
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "%.400s: %s", exporter->path, strerror(errno));
        return status;
    }
    return prometheus_scrape_start(exporter->scrape, reterr);
}

static void stop_exporter(void *self)
{
    struct prometheus_exporter *exporter = self;
    prometheus_scrape_stop(exporter->scrape);
}

static void close_exporter(void *self)
{
    struct prometheus_exporter *exporter = self;
    prometheus_scrape_close(exporter->scrape);
    while (exporter->waiting != NULL) { /* they stay in the queue */
        struct waiting *next = exporter->waiting->next;
        free(exporter->waiting);
        exporter->waiting = next;
    }
    hf_state_log_close(&exporter->log);
    prometheus_table_clear(&exporter->table);
    prometheus_fold_release(&exporter->fold);
    hf_payload_release(&exporter->payload);
    pthread_mutex_destroy(&exporter->lock);
    free(exporter->path);
    free(exporter);
}

static enum hf_status open_exporter(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    struct prometheus_exporter *exporter = calloc(1, sizeof(*exporter));
    if (exporter == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    exporter->node = node;
    exporter->config = config;
    exporter->loop = hf_node_own_loop(node);
    exporter->end = &exporter->waiting;
    exporter->timer.fire = settle;
    exporter->log.fd = -1;
    prometheus_table_init(&exporter->table, (size_t)exporter->config->max_series);
    pthread_mutex_init(&exporter->lock, NULL);
    enum hf_status status =
        prometheus_fold_init(&exporter->fold, exporter->config, &exporter->table);
    status = status == HF_OK ? hf_state_file_path(node, &exporter->path) : status;
    if (status == HF_OK) {
        const struct prometheus_scrape_options options = {
            .node = node, .config = config, .render = render, .user = exporter};
        status = prometheus_scrape_open(&options, &exporter->scrape, reterr);
    } else {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
    }
    if (status != HF_OK) {
        close_exporter(exporter);
        return status;
    }
    *ret_self = exporter;
    return HF_OK;
}

static const struct hf_exporter_ops exporter_ops = {
    .send = send_export,
    .timeout = "0s",
    .has_no_delivery_keys = true,
    .in_flight = 1, /* the last value is served, not the latest */
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct prometheus_config *config = from;
    hf_probe_listen(probe, config->endpoint);
    hf_probe_own_tls(probe, config->tls);
}

const struct hf_component hf_exporter_prometheus = {
    .type = "prometheus",
    .help = "Serves the last values of all series to Prometheus.",
    .kind = HF_EXPORTER,
    .signals = HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct prometheus_config),
    .fields = prometheus_fields,
    .check = prometheus_check_config,
    .probe = probe_outside,
    .open = open_exporter,
    .start = start_exporter,
    .stop = stop_exporter,
    .close = close_exporter,
    .exporter = &exporter_ops,
};
