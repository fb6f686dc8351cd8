/*
 * hostmetrics: measures the machine: processors, memory, disks, networks, processes. One thread
 * runs the scrapers one after another; what each reads becomes a resource of one request. A scraper
 * that fails is logged, and the others go on.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <holdfast/component.h>

#include "entity.h"
#include "source.h"
#include "support/scrape/scraper.h"

#define NEVER_NS UINT64_C(1000000000000000000)

/* X(name, help): every scraper. */
#define SOURCES(X)                                                                                 \
    X(cpu, "Processors.")                                                                          \
    X(disk, "Block devices.")                                                                      \
    X(filesystem, "Mounted file systems.")                                                         \
    X(load, "Load averages.")                                                                      \
    X(memory, "Physical memory.")                                                                  \
    X(network, "Network interfaces and TCP connections.")                                          \
    X(nfs, "The kernel's NFS client and server.")                                                  \
    X(paging, "Swap areas, paging and page faults.")                                               \
    X(process, "Each process, as a resource of its own.")                                          \
    X(processes, "Number of processes.")                                                           \
    X(system, "Uptime.")

#define SOURCE_ROW(name, help_) &host_##name,
static const struct host_source *const sources[] = {SOURCES(SOURCE_ROW)};
#define SOURCE_ID(name, help_) SOURCE_##name,
enum { SOURCES(SOURCE_ID) SOURCE_COUNT };

struct host_config {
    struct hf_scraper_config scraper; /* first: the scraper's */
    const char *root_path;
    uint64_t metadata_interval_ns;
    const void *sources[SOURCE_COUNT]; /* NULL: not wanted */
};

struct active {
    const struct host_source *source;
    const struct hf_metric_choice *choices;
    void *self;
    char scope[160];
};

struct hostmetrics {
    struct hf_node *node;
    struct hf_scraper *scraper;  /* of the metrics; NULL: no pipeline wants them */
    struct hf_scraper *entities; /* of the events that tell of the host; NULL: likewise */
    struct hf_scraper_config entity_times;
    uint64_t entity_interval_ns; /* as configured; 0: one event at the start */
    struct host host;
    struct active active[SOURCE_COUNT];
    const char *names[SOURCE_COUNT];
    struct hf_metric_set sets[SOURCE_COUNT];
    size_t count;
};

/* ---- the scrape ---- */

static void scrape_source(struct hostmetrics *self, struct hf_scrape *scrape, size_t i)
{
    const struct active *active = &self->active[i];
    struct host_run run = {
        .host = &self->host,
        .scrape = scrape,
        .builder = scrape->builder,
        .source = i,
        .metrics = active->source->metrics,
        .choices = active->choices,
        .point = {.start_ns = self->host.boot_ns, .time_ns = scrape->now_ns},
    };
    if (!active->source->has_resources) {
        hf_build_resource(scrape->builder, hf_slice_text(HOST_SCHEMA_URL));
        hf_build_scope(scrape->builder, hf_slice_text(active->scope), hf_slice_text(HF_VERSION));
    }
    active->source->scrape(active->self, &run);
    hf_scrape_count(scrape, i, run.points);
}

static void scrape_all(void *user, struct hf_scrape *scrape)
{
    struct hostmetrics *self = user;
    for (size_t i = 0; i < self->count; i++) {
        if (hf_scrape_is_over(scrape)) {
            hf_scrape_failed(scrape, i, 0, "left out: the timeout has passed");
        } else {
            scrape_source(self, scrape, i);
        }
    }
}

static void tell_entity(void *user, struct hf_scrape *scrape)
{
    const struct hostmetrics *self = user;
    host_entity_build(scrape->builder, scrape->now_ns, self->entity_interval_ns);
}

/* ---- life ---- */

static void close_hostmetrics(void *self_pointer)
{
    struct hostmetrics *self = self_pointer;
    hf_scraper_free(self->scraper);
    hf_scraper_free(self->entities);
    for (size_t i = 0; i < self->count; i++) {
        if (self->active[i].source->close != NULL) {
            self->active[i].source->close(self->active[i].self);
        }
    }
    host_release(&self->host);
    free(self);
}

static enum hf_status open_source(struct hostmetrics *self, const struct host_source *source,
                                  const void *config, char *reterr)
{
    struct active *active = &self->active[self->count];
    char why[HF_ERROR_MAX] = "";
    /* A configuration of a source begins with its choices. */
    *active = (struct active){.source = source, .choices = config, .self = (void *)config};
    snprintf(active->scope, sizeof(active->scope), "%s%sscraper", HOST_SCOPE_NAME, source->name);
    if (source->open != NULL) {
        enum hf_status status = source->open(config, &self->host, &active->self, why);
        if (status != HF_OK) {
            snprintf(reterr, HF_ERROR_MAX, "scrapers::%s: %.400s", source->name, why);
            return status;
        }
    }
    self->sets[self->count] =
        (struct hf_metric_set){source->metrics, config, source->metric_count, source->joined};
    self->names[self->count++] = source->name;
    return HF_OK;
}

static enum hf_status prepare_host(struct hostmetrics *self, const char *root_path, char *reterr)
{
    struct stat folder;
    if (root_path != NULL && root_path[0] != '\0' && stat(root_path, &folder) != 0) {
        snprintf(reterr, HF_ERROR_MAX, "root_path %.300s: %s; mount the machine's root there",
                 root_path, strerror(errno));
        return HF_INVALID;
    }
    if (!host_init(&self->host, root_path)) {
        snprintf(reterr, HF_ERROR_MAX, "root_path is too long");
        return HF_INVALID;
    }
    if (!host_read_boot_time(&self->host)) {
        snprintf(reterr, HF_ERROR_MAX, "reading the boot time from %.300s/stat failed: %s",
                 self->host.proc, strerror(errno));
        return HF_IO;
    }
    return HF_OK;
}

static enum hf_status make_scraper(struct hostmetrics *self, const struct host_config *keys,
                                   char *reterr)
{
    struct hf_resource_choices resources = {.count = 0};
    for (size_t i = 0; i < SOURCE_COUNT; i++) {
        if (keys->sources[i] != NULL && sources[i]->resources != NULL) {
            resources = sources[i]->resources(keys->sources[i]);
        }
    }
    const struct hf_scraper_options options = {.node = self->node,
                                               .config = &keys->scraper,
                                               .resources = resources,
                                               .metrics = self->sets,
                                               .metric_sets = self->count,
                                               .signal = HF_METRICS,
                                               .sources = self->names,
                                               .source_count = self->count,
                                               .scrape = scrape_all,
                                               .user = self};
    return hf_scraper_new(&options, &self->scraper, reterr);
}

static enum hf_status make_entities(struct hostmetrics *self, const struct host_config *keys,
                                    char *reterr)
{
    static const char *const names[] = {"entity"};
    const struct hf_scraper_options options = {.node = self->node,
                                               .config = &self->entity_times,
                                               .signal = HF_LOGS,
                                               .sources = names,
                                               .source_count = 1,
                                               .scrape = tell_entity,
                                               .user = self};
    self->entity_interval_ns = keys->metadata_interval_ns;
    self->entity_times.interval_ns =
        keys->metadata_interval_ns != 0 ? keys->metadata_interval_ns : NEVER_NS;
    return hf_scraper_new(&options, &self->entities, reterr);
}

static enum hf_status open_hostmetrics(struct hf_node *node, const void *config, void **ret_self,
                                       char *reterr)
{
    const struct host_config *keys = config;
    struct hostmetrics *self = calloc(1, sizeof(*self));
    if (self == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    self->node = node;
    enum hf_status status = prepare_host(self, keys->root_path, reterr);
    for (size_t i = 0; i < SOURCE_COUNT && status == HF_OK; i++) {
        if (keys->sources[i] != NULL) {
            status = open_source(self, sources[i], keys->sources[i], reterr);
        }
    }
    if (status == HF_OK && (hf_node_signals(node) & HF_SIGNAL_BIT(HF_METRICS)) != 0) {
        status = make_scraper(self, keys, reterr);
    }
    if (status == HF_OK && (hf_node_signals(node) & HF_SIGNAL_BIT(HF_LOGS)) != 0) {
        status = make_entities(self, keys, reterr);
    }
    if (status != HF_OK) {
        close_hostmetrics(self);
        return status;
    }
    *ret_self = self;
    return HF_OK;
}

static enum hf_status start_hostmetrics(void *self_pointer, char *reterr)
{
    struct hostmetrics *self = self_pointer;
    enum hf_status status = HF_OK;
    if (self->scraper != NULL) {
        status = hf_scraper_start(self->scraper, reterr);
    }
    if (status == HF_OK && self->entities != NULL) {
        status = hf_scraper_start(self->entities, reterr);
    }
    return status;
}

static void stop_hostmetrics(void *self_pointer)
{
    struct hostmetrics *self = self_pointer;
    if (self->scraper != NULL) {
        hf_scraper_stop(self->scraper);
    }
    if (self->entities != NULL) {
        hf_scraper_stop(self->entities);
    }
}

static const char *check_hostmetrics(const void *config)
{
    const struct host_config *keys = config;
    const char *problem = NULL;
    bool has_source = false;
    for (size_t i = 0; i < SOURCE_COUNT && problem == NULL; i++) {
        has_source = has_source || keys->sources[i] != NULL;
        problem = keys->sources[i] != NULL && sources[i]->check != NULL
                      ? sources[i]->check(keys->sources[i])
                      : NULL;
    }
    return problem != NULL || has_source ? problem : "scrapers must name one at least, such as cpu";
}

/* ---- keys ---- */

#define SOURCE_FIELD(name, help_)                                                                  \
    {.key = #name,                                                                                 \
     .type = HF_FIELD_OPTIONAL,                                                                    \
     .null_enables = true,                                                                         \
     .offset = sizeof(void *) * (size_t)SOURCE_##name,                                             \
     .inner = host_##name##_fields,                                                                \
     .inner_size = HOST_CONFIG_ROOM,                                                               \
     .help = (help_)},

static const struct hf_field source_fields[] = {SOURCES(SOURCE_FIELD) HF_FIELDS_END};

static const struct hf_field fields[] = {
    HF_SCRAPER_FIELDS("1m"),
    {.key = "root_path",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct host_config, root_path),
     .help = "Where the root of the machine is mounted, for a process in a container."},
    {.key = "metadata_collection_interval",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct host_config, metadata_interval_ns),
     .default_text = "5m",
     .help = "In a pipeline of logs: how often an event tells of the host as an entity; 0: once."},
    {.key = "scrapers",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct host_config, sources),
     .inner = source_fields,
     .required = true,
     .help = "What is measured: each with its own keys, or with nothing behind it."},
    HF_FIELDS_END,
};

static const char *const aliases[] = {"host_metrics", NULL};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct host_config *config = from;
    char path[4096];
    const char *root = config->root_path != NULL ? config->root_path : "";
    snprintf(path, sizeof(path), "%s/proc/stat", root);
    hf_probe_read(probe, path);
    snprintf(path, sizeof(path), "%s/proc/1/mountinfo", root);
    hf_probe_read(probe, path);
}

const struct hf_component hf_receiver_hostmetrics = {
    .type = "hostmetrics",
    .aliases = aliases,
    .help = "Measures the machine: processors, memory, disks, networks, processes.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_METRICS) | HF_SIGNAL_BIT(HF_LOGS),
    .config_size = sizeof(struct host_config),
    .fields = fields,
    .check = check_hostmetrics,
    .probe = probe_outside,
    .open = open_hostmetrics,
    .start = start_hostmetrics,
    .stop = stop_hostmetrics,
    .close = close_hostmetrics,
};
