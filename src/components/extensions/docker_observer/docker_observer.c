/*
 * docker_observer: finds the ports of the containers that a Docker daemon runs, as endpoints. The
 * daemon's events say which container is to be looked at; a list of all is made at the start, when
 * the stream of events has ended, and from time to time.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <holdfast/component.h>

#include "containers.h"
#include "support/discovery/docker.h"
#include "support/discovery/docker_images.h"
#include "support/discovery/endpoints.h"
#include "support/probe/probe_server.h"
#include "util/log/log_limiter.h"
#include "util/thread.h"
#include "util/time/clock.h"
#include "json/json.h"

#define CONTAINERS_MAX 10000u
#define AT_ONCE 32u /* containers that are asked for together */
#define JSON_BYTES_MAX ((size_t)256 << 20)
#define EVENT_BYTES_MAX ((size_t)1 << 20)
#define AGAIN_NS (3 * HF_NS_PER_S) /* after a failure */
#define SAY_NS (60 * HF_NS_PER_S)
#define ID_ROOM 130
/* {"status":["running"]} */
#define RUNNING "%7B%22status%22%3A%5B%22running%22%5D%7D"
/* {"type":["container"],"event":["destroy","die","pause","rename","stop","start","unpause",
   "update"]} */
#define EVENTS                                                                                     \
    "%7B%22type%22%3A%5B%22container%22%5D%2C%22event%22%3A%5B%22destroy%22%2C%22die%22%2C%22"     \
    "pause%22%2C%22rename%22%2C%22stop%22%2C%22start%22%2C%22unpause%22%2C%22update%22%5D%7D"

struct docker_config {
    const char *endpoint, *version;
    const struct hf_tls_config *tls; /* NULL: cleartext */
    uint64_t timeout_ns, sync_ns;
    struct hf_string_list excluded;
    struct docker_naming naming;
};

/* A container that was listed. */
struct container {
    char id[ID_ROOM];
    bool is_listed; /* in the latest list */
    bool is_stale;  /* to be looked at */
};

struct docker_observer {
    struct hf_node *node;
    const struct docker_config *config;
    struct hf_endpoints table;
    struct hf_docker *api;
    struct hf_docker_images *excluded;
    struct hf_log_limiter said;
    pthread_t thread;
    bool has_thread;
    /* The observer's thread. */
    struct container *containers;
    size_t count, capacity;
    struct hf_arena json;
    struct hf_endpoint **room;
    /* The API's thread. */
    struct hf_docker_stream stream;
    struct hf_json_stream *events;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    char (*seen)[ID_ROOM]; /* containers that events were about */
    size_t seen_count;
    bool is_due;   /* an event has come, or too many of them */
    bool sees_all; /* all are to be looked at */
    bool streams;  /* a stream runs */
    bool is_ending;
};

#define SEEN_MAX 256u

static void say(struct docker_observer *docker, const char *what, const char *why)
{
    if (hf_log_limiter_allows(&docker->said, what, why, hf_clock_coarse_ns())) {
        hf_node_log_keys(docker->node, HF_LOG_WARN, what, HF_LOG_KEYS(HF_LOG_TEXT("error", why)));
    }
}

/* ---- events; the API's thread ---- */

static bool on_event(void *user, const struct hf_json *event, bool is_element)
{
    struct docker_observer *docker = user;
    struct hf_slice id = hf_json_text_of(hf_json_get(event, "Actor"), "ID");
    (void)is_element;
    pthread_mutex_lock(&docker->lock);
    if (docker->seen_count < SEEN_MAX && id.size < ID_ROOM && id.size != 0) {
        char *to = docker->seen[docker->seen_count++];
        memcpy(to, id.data, id.size);
        to[id.size] = '\0';
    } else {
        docker->sees_all = true;
    }
    docker->is_due = true;
    pthread_cond_signal(&docker->changed);
    pthread_mutex_unlock(&docker->lock);
    return true;
}

static void on_chunk(struct hf_docker_stream *stream, struct hf_slice bytes)
{
    struct docker_observer *docker = HF_CONTAINER(stream, struct docker_observer, stream);
    if (docker->events != NULL && hf_json_stream_feed(docker->events, bytes) != HF_OK) {
        say(docker, "an event of the daemon cannot be read", hf_json_stream_error(docker->events));
        hf_json_stream_free(docker->events);
        docker->events = NULL;
    }
    if (docker->events == NULL) {
        pthread_mutex_lock(&docker->lock);
        docker->sees_all = docker->is_due = true; /* of whatever it was about */
        pthread_cond_signal(&docker->changed);
        pthread_mutex_unlock(&docker->lock);
    }
}

static void on_ended(struct hf_docker_stream *stream, const char *why)
{
    struct docker_observer *docker = HF_CONTAINER(stream, struct docker_observer, stream);
    hf_json_stream_free(docker->events);
    docker->events = NULL;
    pthread_mutex_lock(&docker->lock);
    bool is_ending = docker->is_ending;
    docker->streams = false;
    pthread_cond_signal(&docker->changed);
    pthread_mutex_unlock(&docker->lock);
    if (!is_ending) {
        say(docker, "watching the events of the daemon ended", why != NULL ? why : "it hung up");
    }
}

/* ---- the observer's thread ---- */

/* From a moment on, so that nothing between a list and the stream is missed. */
static void begin_stream(struct docker_observer *docker, time_t since)
{
    const struct hf_json_stream_options options = {
        .value_bytes_max = EVENT_BYTES_MAX, .show = on_event, .user = docker};
    free(docker->stream.url);
    docker->stream.url =
        hf_docker_url(docker->api, "/events?since=%lld&filters=%s", (long long)since, EVENTS);
    docker->stream.chunk = on_chunk;
    docker->stream.ended = on_ended;
    if (hf_json_stream_new(&options, &docker->events) != HF_OK) {
        docker->events = NULL;
    }
    pthread_mutex_lock(&docker->lock);
    docker->streams = true;
    pthread_mutex_unlock(&docker->lock);
    hf_docker_stream_begin(docker->api, &docker->stream);
}

static struct container *find(struct docker_observer *docker, const char *id)
{
    for (size_t i = 0; i < docker->count; i++) {
        if (strcmp(docker->containers[i].id, id) == 0) {
            return &docker->containers[i];
        }
    }
    return NULL;
}

/* Notes that it is listed. False: out of memory. */
static bool note(struct docker_observer *docker, struct hf_slice id)
{
    char name[ID_ROOM];
    bool is_name = id.size != 0 && id.size < sizeof(name);
    for (size_t i = 0; i < id.size; i++) {
        is_name = is_name && isalnum(id.data[i]);
    }
    if (!is_name) {
        return true;
    }
    memcpy(name, id.data, id.size);
    name[id.size] = '\0';
    struct container *known = find(docker, name);
    if (known == NULL && docker->count < CONTAINERS_MAX) {
        if (docker->count == docker->capacity) {
            size_t capacity = 2 * docker->capacity + 16;
            struct container *grown =
                reallocarray(docker->containers, capacity, sizeof(*docker->containers));
            if (grown == NULL) {
                return false;
            }
            docker->containers = grown;
            docker->capacity = capacity;
        }
        known = &docker->containers[docker->count++];
        *known = (struct container){.is_stale = true};
        memcpy(known->id, name, id.size + 1);
    }
    if (known != NULL) {
        known->is_listed = true;
    }
    return true;
}

static const struct hf_json *read_json(struct docker_observer *docker,
                                       const struct hf_docker_get *get)
{
    char why[HF_JSON_ERROR_MAX];
    const struct hf_json *json = NULL;
    if (get->status == HF_OK && get->code == 404) {
        return NULL; /* it has ended since */
    }
    if (get->status != HF_OK || get->code != 200) {
        if (get->status != HF_CLOSED) {
            say(docker, "asking the daemon failed", get->error);
        }
    } else if (hf_json_read(hf_slice_of(get->body.data, get->body.size), &docker->json, &json,
                            why) != HF_OK) {
        say(docker, "an answer of the daemon cannot be read", why);
    }
    return json;
}

/* Makes the list. False: it could not be had, and what is known stays. */
static bool list(struct docker_observer *docker)
{
    struct hf_docker_get get = {
        .url = hf_docker_url(docker->api, "/containers/json?filters=%s", RUNNING)};
    hf_docker_get(docker->api, &get, 1, hf_clock_monotonic_ns() + docker->config->timeout_ns);
    hf_arena_reset(&docker->json);
    const struct hf_json *containers = read_json(docker, &get);
    bool is_good = containers != NULL && containers->kind == HF_JSON_LIST;
    for (size_t i = 0; is_good && i < docker->count; i++) {
        docker->containers[i].is_listed = false;
    }
    const struct hf_json *one = is_good ? hf_json_first(containers) : NULL;
    for (; one != NULL && is_good; one = one->next) {
        bool is_excluded = hf_docker_images_match(docker->excluded, hf_json_text_of(one, "Image"));
        is_good = is_excluded || note(docker, hf_json_text_of(one, "Id"));
    }
    hf_docker_get_release(&get);
    return is_good;
}

/* Those that are not listed any more. */
static void drop_gone(struct docker_observer *docker)
{
    size_t kept = 0;
    for (size_t i = 0; i < docker->count; i++) {
        if (docker->containers[i].is_listed) {
            docker->containers[kept++] = docker->containers[i];
        } else {
            hf_endpoints_set(&docker->table, hf_slice_text(docker->containers[i].id), NULL, 0);
        }
    }
    docker->count = kept;
}

static bool take_answer(struct docker_observer *docker, struct container *container,
                        const struct hf_docker_get *get)
{
    size_t count = 0;
    hf_arena_reset(&docker->json);
    const struct hf_json *json = read_json(docker, get);
    bool is_gone = get->status == HF_OK && get->code == 404;
    if (json == NULL && !is_gone) {
        return false;
    }
    struct hf_slice image = hf_json_text_of(hf_json_get(json, "Config"), "Image");
    if (json != NULL && !hf_docker_images_match(docker->excluded, image)) {
        count = docker_container_find(&docker->config->naming, json, docker->room);
    }
    hf_endpoints_set(&docker->table, hf_slice_text(container->id), docker->room, count);
    container->is_stale = false;
    return true;
}

/* Looks at those that are stale. False: some could not be had. */
static bool inspect(struct docker_observer *docker)
{
    bool is_good = true;
    for (size_t at = 0; at < docker->count;) {
        struct hf_docker_get gets[AT_ONCE] = {0};
        struct container *asked[AT_ONCE];
        size_t count = 0;
        for (; at < docker->count && count < AT_ONCE; at++) {
            if (docker->containers[at].is_stale) {
                asked[count] = &docker->containers[at];
                gets[count++].url =
                    hf_docker_url(docker->api, "/containers/%s/json", docker->containers[at].id);
            }
        }
        if (count != 0) {
            hf_docker_get(docker->api, gets, count,
                          hf_clock_monotonic_ns() + docker->config->timeout_ns);
        }
        for (size_t i = 0; i < count; i++) {
            is_good = take_answer(docker, asked[i], &gets[i]) && is_good;
            hf_docker_get_release(&gets[i]);
        }
    }
    return is_good;
}

/* What events were about is looked at once more. */
static void take_seen(struct docker_observer *docker)
{
    pthread_mutex_lock(&docker->lock);
    for (size_t i = 0; i < docker->count && docker->sees_all; i++) {
        docker->containers[i].is_stale = true;
    }
    for (size_t i = 0; i < docker->seen_count; i++) {
        struct container *container = find(docker, docker->seen[i]);
        if (container != NULL) {
            container->is_stale = true;
        }
    }
    docker->seen_count = 0;
    docker->sees_all = false;
    docker->is_due = false;
    pthread_mutex_unlock(&docker->lock);
}

/* Waits for an event, the end of the stream, or that time. False: it is to end. */
static bool wait(struct docker_observer *docker, uint64_t wait_ns, bool wakes, bool *ret_streams)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(wait_ns / HF_NS_PER_S);
    until.tv_nsec += (long)(wait_ns % HF_NS_PER_S);
    until.tv_sec += until.tv_nsec / (long)HF_NS_PER_S;
    until.tv_nsec %= (long)HF_NS_PER_S;
    pthread_mutex_lock(&docker->lock);
    bool in_time = true;
    while (in_time && !docker->is_ending && !(wakes && (docker->is_due || !docker->streams))) {
        in_time = pthread_cond_timedwait(&docker->changed, &docker->lock, &until) == 0;
    }
    docker->sees_all = docker->sees_all || !in_time; /* a whole look, as it is time for one */
    *ret_streams = docker->streams;
    bool goes_on = !docker->is_ending;
    pthread_mutex_unlock(&docker->lock);
    return goes_on;
}

static void *run(void *user)
{
    struct docker_observer *docker = user;
    bool goes_on = true, streams = false, is_good;
    while (goes_on) {
        time_t since = time(NULL);
        take_seen(docker);
        is_good = list(docker);
        if (is_good) {
            drop_gone(docker);
            is_good = inspect(docker);
        }
        if (is_good && !streams) {
            begin_stream(docker, since);
        }
        goes_on = is_good ? wait(docker, docker->config->sync_ns, true, &streams)
                          : wait(docker, AGAIN_NS, false, &streams);
        if (goes_on && is_good && !streams) {
            goes_on = wait(docker, AGAIN_NS, false, &streams); /* the daemon restarts */
        }
    }
    return NULL;
}

/* ---- life; the main thread ---- */

static void close_docker(void *self)
{
    struct docker_observer *docker = self;
    hf_docker_close(docker->api);
    hf_json_stream_free(docker->events);
    hf_docker_images_free(docker->excluded);
    hf_endpoints_release(&docker->table);
    hf_log_limiter_release(&docker->said);
    hf_arena_release(&docker->json);
    pthread_cond_destroy(&docker->changed);
    pthread_mutex_destroy(&docker->lock);
    free(docker->stream.url);
    free(docker->containers);
    free(docker->room);
    free(docker->seen);
    free(docker);
}

static void init(struct docker_observer *docker)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&docker->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&docker->lock, NULL);
    hf_log_limiter_init(&docker->said, SAY_NS);
    hf_endpoints_init(&docker->table, docker->node);
    docker->json.limit = JSON_BYTES_MAX;
}

static enum hf_status open_docker(struct hf_node *node, const void *config, void **ret_self,
                                  char *reterr)
{
    const struct docker_config *keys = config;
    struct docker_observer *docker = calloc(1, sizeof(*docker));
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    if (docker == NULL) {
        return HF_NOMEM;
    }
    docker->node = node;
    docker->config = keys;
    init(docker);
    docker->room = calloc(DOCKER_PORTS_MAX, sizeof(struct hf_endpoint *));
    docker->seen = calloc(SEEN_MAX, sizeof(*docker->seen));
    enum hf_status status = docker->room != NULL && docker->seen != NULL ? HF_OK : HF_NOMEM;
    if (status == HF_OK) {
        status = hf_docker_images_new(&keys->excluded, &docker->excluded, reterr);
    }
    if (status == HF_OK) {
        status = hf_docker_open(hf_docker_endpoint(keys->endpoint), keys->version, keys->tls,
                                &docker->api, reterr);
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
    struct docker_observer *docker = self;
    if (hf_thread_start(&docker->thread, NULL, run, docker) != 0) {
        snprintf(reterr, HF_ERROR_MAX, "cannot start a thread: the system has no more of them");
        return HF_IO;
    }
    docker->has_thread = true;
    pthread_setname_np(docker->thread, "docker_observer");
    return HF_OK;
}

static void stop_docker(void *self)
{
    struct docker_observer *docker = self;
    pthread_mutex_lock(&docker->lock);
    docker->is_ending = true;
    pthread_cond_signal(&docker->changed);
    pthread_mutex_unlock(&docker->lock);
    hf_docker_cancel(docker->api);
    if (docker->has_thread) {
        pthread_join(docker->thread, NULL);
        docker->has_thread = false;
    }
}

/* ---- the component ---- */

static uint64_t version(void *self)
{
    const struct docker_observer *docker = self;
    return hf_endpoints_version(&docker->table);
}

static void each(void *self, void (*visit)(void *user, struct hf_endpoint *endpoint), void *user)
{
    struct docker_observer *docker = self;
    hf_endpoints_each(&docker->table, visit, user);
}

static const char *check_docker(const void *config)
{
    static char why[HF_ERROR_MAX]; /* see config/component_check.h */
    const struct docker_config *keys = config;
    struct hf_docker_images *images = NULL;
    enum hf_status status = hf_docker_images_new(&keys->excluded, &images, why);
    hf_docker_images_free(images);
    return status == HF_OK ? hf_docker_check_tls(keys->endpoint, keys->tls) : why;
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct docker_config *config = from;
    hf_docker_probe(probe, config->endpoint);
}

#define AT(member) offsetof(struct docker_config, member)

static const struct hf_field fields[] = {
    HF_DOCKER_FIELDS(struct docker_config),
    {.key = "timeout",
     .type = HF_FIELD_DURATION,
     .offset = AT(timeout_ns),
     .default_text = "5s",
     .min = 1e6,
     .max = 1e14,
     .help = "Longest time that the daemon may take for an answer."},
    {.key = "use_hostname_if_present",
     .type = HF_FIELD_BOOL,
     .offset = AT(naming.uses_hostname),
     .default_text = "false",
     .help = "A container is reached by its host name, where it has one, and not by its address."},
    {.key = "use_host_bindings",
     .type = HF_FIELD_BOOL,
     .offset = AT(naming.uses_bindings),
     .default_text = "false",
     .help =
         "A container is reached by the port of the host that leads to it, where there is one."},
    {.key = "ignore_non_host_bindings",
     .type = HF_FIELD_BOOL,
     .offset = AT(naming.ignores_unbound),
     .default_text = "false",
     .help = "Ports that no port of the host leads to are left out."},
    {.key = "cache_sync_interval",
     .type = HF_FIELD_DURATION,
     .offset = AT(sync_ns),
     .default_text = "60m",
     .min = 1e6,
     .max = 1e17,
     .help = "Time after which all containers are looked at again, besides those that events are "
             "about."},
    {.key = "stream_stats", .type = HF_FIELD_IGNORED, .help = "no statistics are read here"},
    HF_FIELDS_END,
};

static const struct hf_observer observer = {.version = version, .each = each};

static const struct hf_extension_ops extension_ops = {.observer = &observer};

const struct hf_component hf_extension_docker_observer = {
    .type = "docker_observer",
    .help = "Finds the ports of the containers of a Docker daemon, for receiver_creator.",
    .kind = HF_EXTENSION,
    .config_size = sizeof(struct docker_config),
    .fields = fields,
    .check = check_docker,
    .probe = probe_outside,
    .open = open_docker,
    .start = start_docker,
    .stop = stop_docker,
    .close = close_docker,
    .extension = &extension_ops,
};
