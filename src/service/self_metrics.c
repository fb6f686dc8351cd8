#include "self_metrics.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certificate_metrics.h"
#include "http/server.h"
#include "pipeline/listeners.h"
#include "process.h"
#include "storage/storage.h"
#include "util/metrics/metrics.h"
#include "util/time/clock.h"

/* How the metrics are shown: by a configuration. */
struct shown {
    struct hf_metrics_style style;
    struct hf_label *labels; /* with their texts, one block */
};

struct hf_self_metrics {
    const struct hf_host *host;
    pthread_mutex_t lock; /* guards `graph` and `certificates` during a refresh */
    struct hf_graph *graph;
    struct hf_certificate_metrics *certificates;
    struct hf_http_server *server;
    char *address;
    struct shown *shown;
    uint64_t started_ns;
    struct hf_series *uptime, *cpu, *rss, *heap, *mapped;
};

/* ---- gauges of queues ---- */

struct view {
    struct hf_metrics *metrics;
    const char *kind, *id;
    uint64_t now_ns;
};

static void set(const struct view *view, const char *name, enum hf_metric_type type,
                const char *unit, double scale, const struct hf_label *more, const char *help,
                uint64_t value)
{
    const struct hf_metric_family family = {
        .name = name, .type = type, .unit = unit, .help = help, .scale = scale, .is_swept = true};
    struct hf_label labels[5] = {{"queue", view->id}, {"kind", view->kind}};
    size_t count = 2;
    for (; more != NULL && more->name != NULL && count < 4; more++) {
        labels[count++] = *more;
    }
    labels[count] = (struct hf_label){NULL, NULL};
    struct hf_series *series = hf_metrics_series(view->metrics, &family, labels);
    if (series != NULL) {
        hf_series_set(series, (int64_t)value);
    }
}

static void show_consumer(void *user, const struct wal_consumer_stat *stat)
{
    const struct view *view = user;
    const struct hf_label who[] = {{"exporter", stat->name}, {NULL, NULL}};
    uint64_t age_ns = stat->oldest_time_ns != 0 && view->now_ns > stat->oldest_time_ns
                          ? view->now_ns - stat->oldest_time_ns
                          : 0;
    const struct wal_accounting *accounting = &stat->accounting;
    set(view, "holdfast_exporter_accepted_items", HF_COUNTER, "", 0, who,
        "Items that this exporter is to deliver.", accounting->accepted.items);
    set(view, "holdfast_exporter_delivered_items", HF_COUNTER, "", 0, who,
        "Items that the backend took.", accounting->delivered.items);
    set(view, "holdfast_exporter_queued_items", HF_GAUGE, "", 0, who,
        "Items on disk, not delivered.", accounting->queued.items);
    set(view, "holdfast_exporter_queued_bytes", HF_GAUGE, "By", 0, who,
        "Their bytes, before compression.", accounting->queued.bytes);
    set(view, "holdfast_exporter_dead_lettered_items", HF_COUNTER, "", 0, who,
        "Items moved to the dead letters.", accounting->dead_lettered.items);
    set(view, "holdfast_exporter_oldest_age_seconds", HF_GAUGE, "s", 1e-9, who,
        "Age of the oldest record not delivered.", age_ns);
    set(view, "holdfast_exporter_orphaned_items", HF_GAUGE, "", 0, who,
        "Items on disk for an exporter that is no longer configured.",
        stat->open ? 0 : accounting->queued.items);
    for (int drop = 0; drop < WAL_DROP_COUNT; drop++) {
        const struct hf_label why[] = {
            {"exporter", stat->name}, {"reason", wal_drop_name((enum wal_drop)drop)}, {NULL, NULL}};
        set(view, "holdfast_exporter_dropped_items", HF_COUNTER, "", 0, why,
            "Items that left the queue undelivered, by reason.", accounting->dropped[drop].items);
    }
}

static void show_histograms(const struct view *view, const struct wal_stat *stat)
{
    static const double seconds[WAL_HISTOGRAM_BUCKETS - 1] = {
        16e-6,   32e-6,   64e-6,    128e-6,   256e-6,   512e-6,    1024e-6,  2048e-6,
        4096e-6, 8192e-6, 16384e-6, 32768e-6, 65536e-6, 131072e-6, 262144e-6};
    static const double records[WAL_GROUP_BUCKETS - 1] = {1, 2, 4, 8, 16, 32, 64};
    static const struct hf_metric_family commits = {
        .name = "holdfast_queue_commit_duration_seconds",
        .type = HF_HISTOGRAM,
        .unit = "s",
        .help = "Time of a group commit, synced to disk.",
        .scale = 1e-9,
        .bounds = seconds,
        .bound_count = WAL_HISTOGRAM_BUCKETS - 1,
        .is_swept = true};
    static const struct hf_metric_family groups = {.name = "holdfast_queue_commit_records",
                                                   .type = HF_HISTOGRAM,
                                                   .help = "Records that share a commit.",
                                                   .bounds = records,
                                                   .bound_count = WAL_GROUP_BUCKETS - 1,
                                                   .is_swept = true};
    const struct hf_label labels[] = {{"queue", view->id}, {"kind", view->kind}, {NULL, NULL}};
    struct hf_histogram *histogram = hf_metrics_histogram(view->metrics, &commits, labels);
    if (histogram != NULL) {
        hf_histogram_load(histogram, stat->commit_histogram, stat->commit_ns_total);
    }
    histogram = hf_metrics_histogram(view->metrics, &groups, labels);
    if (histogram != NULL) {
        hf_histogram_load(histogram, stat->group_histogram, stat->group_total);
    }
}

/* At the present rate, and with nothing delivered. */
static uint64_t seconds_until_full(const struct wal_stat *stat)
{
    uint64_t room =
        stat->disk_bytes_max > stat->disk_bytes ? stat->disk_bytes_max - stat->disk_bytes : 0;
    if (stat->disk_bytes_max == 0 || stat->free_bytes < room) {
        room = stat->free_bytes;
    }
    double seconds = stat->append_bytes_per_s > 1 ? (double)room / stat->append_bytes_per_s : 1e9;
    return seconds < 1e9 ? (uint64_t)seconds : 1000000000;
}

static void show_queue(void *user, const char *kind, const char *id, struct wal *wal)
{
    struct view view = *(const struct view *)user;
    struct wal_stat stat;
    view.kind = kind;
    view.id = id;
    wal_stat(wal, &stat);
    set(&view, "holdfast_queue_bytes", HF_GAUGE, "By", 0, NULL, "Bytes on disk.", stat.disk_bytes);
    set(&view, "holdfast_queue_bytes_max", HF_GAUGE, "By", 0, NULL, "Most bytes on disk.",
        stat.disk_bytes_max);
    set(&view, "holdfast_queue_segments", HF_GAUGE, "", 0, NULL, "Segment files.", stat.segments);
    set(&view, "holdfast_queue_appended_items", HF_COUNTER, "", 0, NULL, "Items ever stored.",
        stat.appended.items);
    set(&view, "holdfast_queue_commits", HF_COUNTER, "", 0, NULL, "Group commits.", stat.commits);
    set(&view, "holdfast_queue_fsync_seconds", HF_COUNTER, "s", 1e-9, NULL,
        "Time spent waiting for the disk.", stat.fsync_ns_total);
    set(&view, "holdfast_queue_damaged_records", HF_COUNTER, "", 0, NULL,
        "Records set aside as damaged.", stat.damaged_records);
    set(&view, "holdfast_queue_damaged_bytes", HF_COUNTER, "By", 0, NULL,
        "Bytes set aside as damaged.", stat.damaged_bytes);
    set(&view, "holdfast_queue_refused_full", HF_COUNTER, "", 0, NULL,
        "Requests refused because the queue was full.", stat.refused_full);
    set(&view, "holdfast_queue_refused_share", HF_COUNTER, "", 0, NULL,
        "Requests refused because their tenant had its share of the queue.", stat.refused_share);
    set(&view, "holdfast_queue_refused_disk", HF_COUNTER, "", 0, NULL,
        "Requests refused because the disk was full or failed.",
        stat.refused_space + stat.refused_io);
    set(&view, "holdfast_queue_healthy", HF_GAUGE, "", 0, NULL, "1 while durable enqueue works.",
        stat.healthy ? 1 : 0);
    set(&view, "holdfast_queue_seconds_until_full", HF_GAUGE, "s", 0, NULL,
        "At the present rate of intake and with nothing delivered.", seconds_until_full(&stat));
    show_histograms(&view, &stat);
    enum wal_status seen = wal_consumer_each(wal, show_consumer, &view);
    (void)seen; /* gauges that miss one refresh */
}

/* ---- the process ---- */

/* The scraping thread. */
static void refresh(void *user)
{
    struct hf_self_metrics *self = user;
    struct hf_process_look process;
    hf_process_look(&process);
    hf_series_set(self->cpu, (int64_t)process.cpu_us);
    hf_series_set(self->uptime, (int64_t)(hf_clock_monotonic_ns() - self->started_ns));
    hf_series_set(self->rss, (int64_t)process.resident_bytes);
    hf_series_set(self->heap, (int64_t)process.heap_bytes);
    hf_series_set(self->mapped, (int64_t)process.mapped_bytes);
    struct view view = {.metrics = self->host->metrics, .now_ns = hf_clock_unix_ns()};
    pthread_mutex_lock(&self->lock);
    hf_storage_each(self->host->store, show_queue, &view);
    hf_metrics_sweep(self->host->metrics); /* a queue or a consumer may be gone */
    if (self->graph != NULL) {
        hf_graph_refresh(self->graph);
        hf_certificate_metrics_show(self->certificates, hf_graph_config(self->graph),
                                    view.now_ns / HF_NS_PER_S, hf_clock_monotonic_ns());
    }
    pthread_mutex_unlock(&self->lock);
}

static struct hf_series *process_series(struct hf_metrics *metrics, const char *name,
                                        enum hf_metric_type type, const char *unit, double scale,
                                        const char *help)
{
    const struct hf_metric_family family = {
        .name = name, .type = type, .unit = unit, .help = help, .scale = scale};
    const struct hf_label none[] = {{NULL, NULL}};
    return hf_metrics_series(metrics, &family, none);
}

enum hf_status hf_self_metrics_new(const struct hf_host *host, struct hf_self_metrics **ret_self)
{
    struct hf_self_metrics *self = calloc(1, sizeof(*self));
    if (self == NULL) {
        return HF_NOMEM;
    }
    self->host = host;
    self->started_ns = hf_clock_monotonic_ns();
    pthread_mutex_init(&self->lock, NULL);
    self->uptime = process_series(host->metrics, "otelcol_process_uptime", HF_COUNTER, "s", 1e-9,
                                  "Seconds since the start.");
    self->cpu = process_series(host->metrics, "otelcol_process_cpu_seconds", HF_COUNTER, "s", 1e-6,
                               "CPU time, user and system.");
    self->rss = process_series(host->metrics, "otelcol_process_memory_rss", HF_GAUGE, "By", 0,
                               "Resident memory.");
    self->heap = process_series(host->metrics, "otelcol_process_runtime_heap_alloc_bytes", HF_GAUGE,
                                "By", 0, "Memory that is allocated.");
    self->mapped =
        process_series(host->metrics, "otelcol_process_runtime_total_sys_memory_bytes", HF_GAUGE,
                       "By", 0, "Memory that the allocator has from the system.");
    if (self->uptime == NULL || self->cpu == NULL || self->rss == NULL || self->heap == NULL ||
        self->mapped == NULL ||
        hf_certificate_metrics_new(host->metrics, &self->certificates) != HF_OK ||
        hf_metrics_on_scrape(host->metrics, refresh, self) != HF_OK) {
        hf_self_metrics_free(self);
        return HF_NOMEM;
    }
    *ret_self = self;
    return HF_OK;
}

const char *hf_self_metrics_instance(const struct hf_self_metrics *self)
{
    return self->host->instance;
}

static void free_shown(struct shown *shown)
{
    if (shown != NULL) {
        free(shown->labels);
        free(shown);
    }
}

static void stop_serving(struct hf_self_metrics *self)
{
    hf_metrics_show_at(self->host->metrics, NULL, NULL);
    if (self->server != NULL) {
        hf_http_server_stop(self->server, 0);
        hf_http_server_free(self->server);
        self->server = NULL;
    }
    free(self->address);
    self->address = NULL;
    free_shown(self->shown);
    self->shown = NULL;
}

void hf_self_metrics_free(struct hf_self_metrics *self)
{
    if (self == NULL) {
        return;
    }
    stop_serving(self);
    hf_metrics_off_scrape(self->host->metrics, refresh, self);
    pthread_mutex_destroy(&self->lock);
    hf_certificate_metrics_free(self->certificates);
    free(self);
}

void hf_self_metrics_watch(struct hf_self_metrics *self, struct hf_graph *graph)
{
    pthread_mutex_lock(&self->lock);
    self->graph = graph;
    hf_certificate_metrics_forget(self->certificates);
    pthread_mutex_unlock(&self->lock);
}

static void on_request(void *user, struct hf_http_request *request, enum hf_status fault)
{
    struct hf_self_metrics *self = user;
    char *text = NULL;
    size_t size = 0;
    (void)fault;
    if (strcmp(hf_http_path(request), "/metrics") != 0) {
        hf_http_answer(request, &(struct hf_http_answer){.status = 404,
                                                         .content_type = "text/plain",
                                                         .body = hf_slice_text("see /metrics\n")});
        return;
    }
    if (hf_metrics_print_shown(self->host->metrics, NULL, &text, &size) != HF_OK) {
        hf_http_answer(request, &(struct hf_http_answer){.status = 503});
        return;
    }
    const struct hf_http_answer answer = {.status = 200,
                                          .content_type =
                                              "text/plain; version=0.0.4; charset=utf-8",
                                          .body = hf_slice_of(text, size)};
    hf_http_answer(request, &answer);
    free(text);
}

/* "service.name" as Prometheus wants a label's name, and the value behind it. */
static struct hf_label copy_label(char **room, const char *name, const char *value)
{
    struct hf_label label = {.name = *room};
    for (; *name != '\0'; name++) {
        *(*room)++ = (char)(isalnum((unsigned char)*name) ? *name : '_');
    }
    *(*room)++ = '\0';
    size_t size = strlen(value) + 1;
    memcpy(*room, value, size);
    label.value = *room;
    *room += size;
    return label;
}

static bool is_in(const struct hf_string_map *resource, const char *key)
{
    for (size_t i = 0; i < resource->count; i++) {
        if (strcmp(resource->items[i].key, key) == 0) {
            return true;
        }
    }
    return false;
}

/* The labels of every series: the process's own, as far as the configuration does not set or remove
 * them, and the configuration's. NULL: no memory. */
static struct hf_label *make_labels(const struct hf_self_metrics *self,
                                    const struct hf_string_map *resource)
{
    const struct hf_string_pair own[] = {{"service.instance.id", self->host->instance},
                                         {"service.name", "holdfast"},
                                         {"service.version", HF_VERSION}};
    size_t own_count = sizeof(own) / sizeof(own[0]);
    size_t bytes = (own_count + resource->count + 1) * sizeof(struct hf_label);
    for (size_t i = 0; i < own_count + resource->count; i++) {
        const struct hf_string_pair *pair =
            i < own_count ? &own[i] : &resource->items[i - own_count];
        bytes += strlen(pair->key) + 1 + (pair->value != NULL ? strlen(pair->value) + 1 : 0);
    }
    struct hf_label *labels = calloc(1, bytes);
    if (labels == NULL) {
        return NULL;
    }
    char *room = (char *)(labels + own_count + resource->count + 1);
    size_t count = 0;
    for (size_t i = 0; i < own_count; i++) {
        if (!is_in(resource, own[i].key)) {
            labels[count++] = copy_label(&room, own[i].key, own[i].value);
        }
    }
    for (size_t i = 0; i < resource->count; i++) {
        if (resource->items[i].value != NULL) {
            labels[count++] = copy_label(&room, resource->items[i].key, resource->items[i].value);
        }
    }
    return labels;
}

static struct shown *make_shown(const struct hf_self_metrics *self,
                                const struct hf_telemetry_config *telemetry)
{
    struct shown *shown = calloc(1, sizeof(*shown));
    if (shown == NULL) {
        return NULL;
    }
    shown->labels = make_labels(self, &telemetry->resource);
    if (shown->labels == NULL) {
        free_shown(shown);
        return NULL;
    }
    shown->style = (struct hf_metrics_style){
        .type_suffix = telemetry->type_suffix,
        .unit_suffix = telemetry->unit_suffix,
        .constant_labels = telemetry->constant_labels ? shown->labels : NULL,
    };
    return shown;
}

/* In place of what was shown before. */
static void show(struct hf_self_metrics *self, struct shown *shown)
{
    hf_metrics_show_at(self->host->metrics, self->address, &shown->style);
    free_shown(self->shown);
    self->shown = shown;
}

/* Takes the socket over, and `shown`, also when it fails. */
static enum hf_status serve(struct hf_self_metrics *self, const char *address, int fd,
                            struct shown *shown, char *reterr)
{
    const struct hf_http_server_options options = {
        .listen_fd = fd,
        .body_bytes_max = 4096,
        .connections_max = 256,
        .idle_timeout_s = 60,
        .on_request = on_request,
        .user = self,
    };
    self->address = strdup(address);
    if (self->address == NULL) {
        close(fd);
        free_shown(shown);
        return HF_NOMEM;
    }
    show(self, shown);
    enum hf_status status = hf_http_server_new(&options, &self->server, reterr);
    if (status != HF_OK) {
        stop_serving(self);
    }
    return status;
}

enum hf_status hf_self_metrics_serve(struct hf_self_metrics *self,
                                     const struct hf_telemetry_config *telemetry, char *reterr)
{
    const char *address = telemetry->metrics_address;
    if (strcmp(telemetry->metrics_level, "none") == 0) {
        address = NULL;
    }
    int fd = -1;
    if (address != NULL) {
        char error[HF_ERROR_MAX] = "";
        enum hf_status status = hf_listeners_get(self->host->listeners, address, &fd, error);
        if (status != HF_OK) {
            snprintf(reterr, HF_ERROR_MAX, "service::telemetry::metrics: %.400s", error);
            if (self->address != NULL && !hf_listeners_keep(self->host->listeners, self->address)) {
                stop_serving(self);
            }
            return status;
        }
    }
    struct shown *shown = address != NULL ? make_shown(self, telemetry) : NULL;
    if (address != NULL && shown == NULL) {
        close(fd);
        return HF_NOMEM;
    }
    if (shown != NULL && self->server != NULL && strcmp(self->address, address) == 0) {
        close(fd); /* the server has the socket: what is being scraped goes on */
        show(self, shown);
        return HF_OK;
    }
    stop_serving(self);
    return shown != NULL ? serve(self, address, fd, shown, reterr) : HF_OK;
}
