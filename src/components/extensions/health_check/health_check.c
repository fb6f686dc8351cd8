/*
 * health_check: answers 200 while durable enqueue works and the service runs; 503 otherwise.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "http/server.h"
#include "support/confighttp_server.h"
#include "support/probe_inputs.h"
#include "util/clock.h"
#include "util/log_limiter.h"

#define CONNECTIONS_MAX 256
#define BODY_MAX 512
#define REASON_MAX 300
#define SAY_AGAIN_NS (60 * HF_NS_PER_S)
/* After a reload: a fifth of it for connections to end with their next answer, all of it for
 * requests. */
#define SUCCEEDED_GRACE_NS HF_NS_PER_S

struct health_config {
    struct hf_http_server_config http;
    const char *path;
    struct {
        const char *healthy, *unhealthy;
    } body;
};

struct health {
    struct hf_node *node;
    const struct health_config *config;
    struct hf_http_server *server;
    struct hf_log_limiter said;
    int listen_fd;
    uint64_t started_ns;      /* monotonic */
    struct timespec up_since; /* wall clock */
};

/* Go's duration text, to the millisecond: "1h2m3.004s". */
static void duration_text(uint64_t ns, char *out, size_t room)
{
    uint64_t ms = ns / 1000000;
    uint64_t hours = ms / 3600000;
    uint64_t minutes = ms / 60000 % 60;
    double seconds = (double)(ms % 60000) / 1000.0;
    if (hours != 0) {
        snprintf(out, room, "%lluh%llum%gs", (unsigned long long)hours, (unsigned long long)minutes,
                 seconds);
    } else if (minutes != 0) {
        snprintf(out, room, "%llum%gs", (unsigned long long)minutes, seconds);
    } else {
        snprintf(out, room, "%gs", seconds);
    }
}

/* In JSON's quotes: nothing of it comes from outside, but an id may have any byte. */
static void quote(const char *text, char *out, size_t room)
{
    size_t used = 0;
    for (; *text != '\0' && used + 2 < room; text++) {
        unsigned char byte = (unsigned char)*text;
        out[used++] = byte < ' ' || byte >= 0x7f || byte == '"' || byte == '\\' ? '?' : *text;
    }
    out[used] = '\0';
}

/* `why_not`: NULL when it is healthy. */
static size_t default_body(const struct health *health, const char *why_not, char *out)
{
    if (why_not != NULL) {
        char quoted[REASON_MAX];
        quote(why_not, quoted, sizeof(quoted));
        return (size_t)snprintf(out, BODY_MAX,
                                "{\"status\":\"Server not available\",\"upSince\":"
                                "\"0001-01-01T00:00:00Z\",\"uptime\":\"\",\"reason\":\"%s\"}",
                                quoted);
    }
    char since[64];
    char uptime[64];
    struct tm parts;
    gmtime_r(&health->up_since.tv_sec, &parts);
    size_t used = strftime(since, sizeof(since), "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(since + used, sizeof(since) - used, ".%09ldZ", health->up_since.tv_nsec);
    duration_text(hf_clock_monotonic_ns() - health->started_ns, uptime, sizeof(uptime));
    return (size_t)snprintf(
        out, BODY_MAX, "{\"status\":\"Server available\",\"upSince\":\"%s\",\"uptime\":\"%s\"}",
        since, uptime);
}

static void on_request(void *user, struct hf_http_request *request, enum hf_status fault)
{
    const struct health *health = user;
    const char *path = health->config->path;
    (void)fault;
    if (strcmp(path, "/") != 0 && strcmp(hf_http_path(request), path) != 0) {
        hf_http_answer(request, &(struct hf_http_answer){.status = 404});
        return;
    }
    char why[HF_ERROR_MAX];
    bool healthy = hf_node_explain_durable(health->node, why);
    const char *own = healthy ? health->config->body.healthy : health->config->body.unhealthy;
    char body[BODY_MAX];
    size_t size = own == NULL ? default_body(health, healthy ? NULL : why, body) : strlen(own);
    const struct hf_http_answer answer = {
        .status = healthy ? 200 : 503,
        .content_type = own == NULL ? "application/json" : NULL,
        .body = hf_slice_of(own == NULL ? body : own, size),
    };
    hf_http_answer(request, &answer);
}

static enum hf_status open_health(struct hf_node *node, const void *config, void **ret_self,
                                  char *reterr)
{
    struct health *health = calloc(1, sizeof(*health));
    if (health == NULL) {
        return HF_NOMEM;
    }
    health->node = node;
    health->config = config;
    hf_log_limiter_init(&health->said, SAY_AGAIN_NS);
    enum hf_status status =
        hf_node_listen(node, health->config->http.endpoint, &health->listen_fd, reterr);
    if (status != HF_OK) {
        hf_log_limiter_release(&health->said);
        free(health);
        return status;
    }
    *ret_self = health;
    return HF_OK;
}

static void on_error(void *user, const char *peer, const char *what)
{
    struct health *health = user;
    if (peer == NULL) {
        hf_node_log(health->node, HF_LOG_WARN,
                    "reloading TLS files failed; keeping the previous certificate: %s", what);
    } else if (hf_log_limiter_allows(&health->said, peer, what, hf_clock_coarse_ns())) {
        hf_node_log(health->node, HF_LOG_WARN, "%s: %s", peer, what);
    }
}

static void on_end(void *user)
{
    const struct health *health = user;
    hf_node_release(health->node);
}

static enum hf_status start_health(void *self, char *reterr)
{
    struct health *health = self;
    health->started_ns = hf_clock_monotonic_ns();
    clock_gettime(CLOCK_REALTIME, &health->up_since);
    struct hf_http_server_options options = hf_http_server_options(&health->config->http);
    options.listen_fd = health->listen_fd;
    options.body_bytes_max = 4096;
    options.connections_max = CONNECTIONS_MAX;
    options.idle_timeout_s = 30;
    options.on_request = on_request;
    options.on_error = on_error;
    options.on_end = on_end;
    options.user = health;
    hf_node_log_keys(health->node, HF_LOG_INFO, "Starting health_check extension",
                     HF_LOG_KEYS(HF_LOG_TEXT("endpoint", health->config->http.endpoint)));
    health->listen_fd = -1;
    hf_node_hold(health->node);
    enum hf_status status = hf_http_server_new(&options, &health->server, reterr);
    if (status != HF_OK) {
        hf_node_release(health->node);
    }
    return status;
}

static void stop_health(void *self)
{
    struct health *health = self;
    if (health->server != NULL) {
        bool succeeded = hf_node_is_succeeded(health->node);
        hf_http_server_stop(health->server, succeeded ? SUCCEEDED_GRACE_NS : 0);
    }
}

static void close_health(void *self)
{
    struct health *health = self;
    hf_http_server_free(health->server);
    if (health->listen_fd >= 0) {
        close(health->listen_fd);
    }
    hf_log_limiter_release(&health->said);
    free(health);
}

static const char *check_config(const void *from)
{
    const struct health_config *config = from;
    if (config->path[0] != '/') {
        return "path must start with /";
    }
    return hf_http_server_check(&config->http);
}

#define AT(member) offsetof(struct health_config, member)

static const struct hf_field body_fields[] = {
    {.key = "healthy",
     .type = HF_FIELD_STRING,
     .offset = AT(body.healthy),
     .help = "Text sent instead of the JSON."},
    {.key = "unhealthy",
     .type = HF_FIELD_STRING,
     .offset = AT(body.unhealthy),
     .help = "Text sent instead of the JSON."},
    HF_FIELDS_END,
};

static const struct hf_field fields[] = {
    HF_HTTP_SERVER_BASE_FIELDS(struct health_config, http, "0.0.0.0:13133"),
    {.key = "path",
     .type = HF_FIELD_STRING,
     .offset = AT(path),
     .default_text = "/",
     .help = "Where it answers; / answers everywhere."},
    {.key = "response_body",
     .type = HF_FIELD_STRUCT,
     .inner = body_fields,
     .help = "Texts instead of the JSON."},
    {.key = "check_collector_pipeline",
     .type = HF_FIELD_IGNORED,
     .help = "Health is whether durable enqueue works."},
    {.key = "auth", .type = HF_FIELD_IGNORED, .help = "Health needs no credentials."},
    {.key = "max_request_body_size", .type = HF_FIELD_IGNORED, .help = "Bodies are not read."},
    {.key = "include_metadata", .type = HF_FIELD_IGNORED, .help = "Nothing reads it."},
    {.key = "compression_algorithms", .type = HF_FIELD_IGNORED, .help = "Bodies are not read."},
    {.key = "use_v2", .type = HF_FIELD_IGNORED, .help = "The first version is served."},
    {.key = "http", .type = HF_FIELD_IGNORED, .help = "The first version is served."},
    {.key = "grpc", .type = HF_FIELD_IGNORED, .help = "The first version is served."},
    {.key = "component_health", .type = HF_FIELD_IGNORED, .help = "The first version is served."},
    HF_FIELDS_END,
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct health_config *config = from;
    hf_probe_http_server(probe, &config->http);
}

const struct hf_component hf_extension_health_check = {
    .type = "health_check",
    .help = "Answers probes: 200 while accepted data reaches the disk.",
    .kind = HF_EXTENSION,
    .config_size = sizeof(struct health_config),
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_health,
    .start = start_health,
    .stop = stop_health,
    .close = close_health,
};
