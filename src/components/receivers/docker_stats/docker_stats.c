/*
 * docker_stats: what a Docker daemon measures of its running containers, asked for at an interval.
 * All containers are asked for at once, since the daemon takes more than a second for each.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "container_stats.h"
#include "support/discovery/docker.h"
#include "support/discovery/docker_images.h"
#include "support/probe/probe_server.h"
#include "support/scrape/scraper.h"
#include "util/time/clock.h"
#include "util/tls/tls.h"

#define JSON_BYTES_MAX (256u << 20)
#define CONTAINERS_MAX 10000u
#define FILTER "%7B%22status%22%3A%5B%22running%22%5D%7D" /* {"status":["running"]} */

struct docker_config {
    struct hf_scraper_config scraper; /* first: the scraper's */
    const char *endpoint, *version;
    struct hf_string_list excluded;
    struct docker_wanted wanted;
    const struct hf_tls_config *tls; /* NULL: cleartext */
};

/* One container in a scrape. */
struct look {
    struct hf_docker_get inspect, stats; /* in this order: they are asked for as an array */
};

struct docker {
    struct hf_node *node;
    const struct docker_config *config;
    struct hf_docker *api;
    struct hf_docker_images *excluded;
    struct hf_scraper *scraper;
    uint64_t begun_ns;
    struct hf_arena json; /* the scraper's thread */
};

static const char *const sources[] = {"docker_stats"};

/* ---- the scrape; the scraper's thread ---- */

static const struct hf_json *read_json(struct docker *docker, const struct hf_docker_get *get,
                                       char *reterr)
{
    const struct hf_json *json;
    if (get->status != HF_OK || get->code != 200) {
        snprintf(reterr, HF_ERROR_MAX, "%s", get->error);
        return NULL;
    }
    enum hf_status status =
        hf_json_read(hf_slice_of(get->body.data, get->body.size), &docker->json, &json, reterr);
    return status == HF_OK ? json : NULL;
}

static uint64_t deadline_of(const struct docker *docker)
{
    uint64_t timeout_ns = docker->config->scraper.timeout_ns;
    return hf_clock_monotonic_ns() + (timeout_ns != 0 ? timeout_ns : 60 * HF_NS_PER_S);
}

/* The containers that run; NULL: counted and logged. */
static const struct hf_json *list(struct docker *docker, struct hf_scrape *scrape)
{
    char why[HF_ERROR_MAX];
    struct hf_docker_get get = {
        .url = hf_docker_url(docker->api, "/containers/json?filters=%s", FILTER)};
    hf_docker_get(docker->api, &get, 1, deadline_of(docker));
    const struct hf_json *json = read_json(docker, &get, why);
    if (get.status == HF_CLOSED) {
        json = NULL; /* stopping */
    } else if (json == NULL || json->kind != HF_JSON_LIST) {
        hf_scrape_failed(scrape, 0, 1, "asking %.200s for the containers failed: %s",
                         hf_docker_endpoint(docker->config->endpoint),
                         json == NULL ? why : "the answer is no list");
        json = NULL;
    }
    hf_docker_get_release(&get);
    return json;
}

static void write_one(struct docker *docker, struct hf_scrape *scrape, struct docker_writer *writer,
                      const struct look *look)
{
    char why[HF_ERROR_MAX];
    bool is_stopping = look->inspect.status == HF_CLOSED || look->stats.status == HF_CLOSED;
    if (look->inspect.code == 404 || look->stats.code == 404 || is_stopping) {
        return; /* it has ended since the list */
    }
    const struct hf_json *container = read_json(docker, &look->inspect, why);
    const struct hf_json *stats = container != NULL ? read_json(docker, &look->stats, why) : NULL;
    if (stats == NULL) {
        hf_scrape_failed(scrape, 0, 1, "a container is left out: %s", why);
        return;
    }
    struct hf_slice image = hf_json_text_of(hf_json_get(container, "Config"), "Image");
    if (!hf_docker_images_match(docker->excluded, image)) {
        docker_container_write(writer, container, stats);
    }
}

static size_t plan(struct docker *docker, const struct hf_json *containers, struct look *looks,
                   size_t room)
{
    size_t count = 0;
    for (const struct hf_json *one = hf_json_first(containers); one != NULL && count < room;
         one = one->next) {
        struct hf_slice id = hf_json_text_of(one, "Id");
        bool is_name = id.size != 0;
        for (size_t i = 0; i < id.size; i++) {
            is_name = is_name && isalnum(id.data[i]);
        }
        if (is_name && !hf_docker_images_match(docker->excluded, hf_json_text_of(one, "Image"))) {
            looks[count].inspect.url =
                hf_docker_url(docker->api, "/containers/%s/json", (const char *)id.data);
            looks[count].stats.url = hf_docker_url(docker->api, "/containers/%s/stats?stream=false",
                                                   (const char *)id.data);
            count++;
        }
    }
    return count;
}

static void write_all(struct docker *docker, struct hf_scrape *scrape, struct look *looks,
                      size_t count)
{
    struct docker_writer writer = {.wanted = &docker->config->wanted,
                                   .builder = scrape->builder,
                                   .now_ns = hf_clock_unix_ns(),
                                   .begun_ns = docker->begun_ns};
    hf_docker_get(docker->api, &looks[0].inspect, 2 * count, deadline_of(docker));
    for (size_t i = 0; i < count; i++) {
        hf_arena_reset(&docker->json);
        write_one(docker, scrape, &writer, &looks[i]);
        hf_docker_get_release(&looks[i].inspect);
        hf_docker_get_release(&looks[i].stats);
    }
    docker_states_write(&writer);
    hf_scrape_count(scrape, 0, writer.points);
}

static void scrape(void *user, struct hf_scrape *scrape)
{
    struct docker *docker = user;
    const struct hf_json *containers = list(docker, scrape);
    size_t room = 0;
    for (const struct hf_json *one = hf_json_first(containers); one != NULL; one = one->next) {
        room += room < CONTAINERS_MAX ? 1 : 0;
    }
    struct look *looks = room != 0 ? calloc(room, sizeof(*looks)) : NULL;
    size_t count = looks != NULL ? plan(docker, containers, looks, room) : 0;
    if (count != 0) {
        write_all(docker, scrape, looks, count);
    } else if (room != 0 && looks == NULL) {
        hf_scrape_failed(scrape, 0, 1, "out of memory");
    }
    free(looks);
    hf_arena_reset(&docker->json);
}

/* ---- life; the main thread ---- */

static void close_docker(void *self)
{
    struct docker *docker = self;
    hf_scraper_free(docker->scraper);
    hf_docker_close(docker->api);
    hf_docker_images_free(docker->excluded);
    hf_arena_release(&docker->json);
    free(docker);
}

static enum hf_status open_docker(struct hf_node *node, const void *config, void **ret_self,
                                  char *reterr)
{
    static const char *const names[] = {DOCKER_RESOURCES(HF_RESOURCE_NAME)};
    const struct docker_config *keys = config;
    struct docker *docker = calloc(1, sizeof(*docker));
    if (docker == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    docker->node = node;
    docker->config = keys;
    docker->begun_ns = hf_clock_unix_ns();
    docker->json = (struct hf_arena){.limit = JSON_BYTES_MAX};
    const struct hf_metric_set metrics = {docker_rows, keys->wanted.metrics, DOCKER_METRIC_COUNT,
                                          0};
    enum hf_status status = hf_docker_images_new(&keys->excluded, &docker->excluded, reterr);
    if (status == HF_OK) {
        status = hf_docker_open(hf_docker_endpoint(keys->endpoint), keys->version, keys->tls,
                                &docker->api, reterr);
    }
    if (status == HF_OK) {
        status =
            hf_scraper_new(&(struct hf_scraper_options){.node = node,
                                                        .config = &keys->scraper,
                                                        .signal = HF_METRICS,
                                                        .sources = sources,
                                                        .source_count = 1,
                                                        .resources = {names, keys->wanted.resources,
                                                                      DOCKER_RESOURCE_COUNT},
                                                        .metrics = &metrics,
                                                        .metric_sets = 1,
                                                        .scrape = scrape,
                                                        .user = docker},
                           &docker->scraper, reterr);
    }
    if (status != HF_OK) {
        close_docker(docker);
        return status;
    }
    *ret_self = docker;
    return HF_OK;
}

static enum hf_status start_docker(void *self, char *reterr)
{
    struct docker *docker = self;
    return hf_scraper_start(docker->scraper, reterr);
}

static void stop_docker(void *self)
{
    struct docker *docker = self;
    hf_docker_cancel(docker->api);
    hf_scraper_stop(docker->scraper);
}

/* ---- keys ---- */

static const char *check_docker(const void *config)
{
    static char why[HF_ERROR_MAX]; /* the main thread's */
    const struct docker_config *keys = config;
    struct hf_docker_images *images = NULL;
    enum hf_status status = hf_docker_images_new(&keys->excluded, &images, why);
    hf_docker_images_free(images);
    if (status != HF_OK) {
        return why;
    }
    return hf_docker_check_tls(keys->endpoint, keys->tls);
}

static const struct hf_field metric_fields[] = {DOCKER_METRICS(HF_METRIC_FIELD) HF_FIELDS_END};
static const struct hf_field resource_fields[] = {DOCKER_RESOURCES(HF_RESOURCE_FIELD)
                                                      HF_FIELDS_END};

#define AT(member) offsetof(struct docker_config, member)

static const struct hf_field fields[] = {
    HF_SCRAPER_INTERVAL_FIELDS("10s"),
    {.key = "timeout",
     .type = HF_FIELD_DURATION,
     .offset = AT(scraper.timeout_ns),
     .default_text = "5s",
     .help = "Longest time that the daemon may take for an answer; 0: a minute."},
    HF_DOCKER_FIELDS(struct docker_config),
    {.key = "container_labels_to_metric_labels",
     .type = HF_FIELD_MAP,
     .offset = AT(wanted.labels),
     .help = "Labels of containers that become resource attributes: {label: attribute}."},
    {.key = "env_vars_to_metric_labels",
     .type = HF_FIELD_MAP,
     .offset = AT(wanted.variables),
     .help = "Environment variables of containers that become resource attributes: {variable: "
             "attribute}."},
    {.key = "stream_stats",
     .type = HF_FIELD_IGNORED,
     .help = "the daemon is asked for all containers at once, at each scrape"},
    HF_METRIC_TABLES(struct docker_config, wanted, metric_fields, resource_fields) HF_FIELDS_END,
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct docker_config *config = from;
    hf_docker_probe(probe, config->endpoint);
}

const struct hf_component hf_receiver_docker_stats = {
    .type = "docker_stats",
    .help = "Measures the running containers of a Docker daemon.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct docker_config),
    .fields = fields,
    .check = check_docker,
    .probe = probe_outside,
    .open = open_docker,
    .start = start_docker,
    .stop = stop_docker,
    .close = close_docker,
};
