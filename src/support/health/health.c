#include "health.h"

#include <stdlib.h>
#include <string.h>

#include "health_grpc.h"
#include "health_legacy.h"
#include "page_server.h"
#include "support/probe/probe_inputs.h"
#include "util/time/clock.h"

struct health {
    struct hf_node *node;
    const struct hf_health_config *config;
    struct hf_health_rule rule;
    struct hf_page_server pages;
    bool has_pages;
    struct hf_health_grpc *grpc;
    uint64_t started_ns;  /* monotonic */
    uint64_t up_since_ns; /* wall clock */
};

/* ---- the pages of the second version ---- */

static void show_config(const struct health *health, struct hf_http_request *request)
{
    char *text = hf_node_print_config(health->node, true);
    if (text == NULL) {
        hf_page_answer(request, 503, NULL, hf_slice_text("out of memory"));
        return;
    }
    hf_page_answer(request, 200, "application/json", hf_slice_text(text));
    free(text);
}

/* As the Go collector: what serves is 200, unless an error counts; a fatal error is 500. While
 * nothing can be stored it is 503: no sender gets an OK. */
static int status_code(const struct health *health, const struct hf_state_look *look,
                       const struct hf_health_print *print)
{
    if (!hf_health_is_good(&health->rule, look, print->now_unix_ns) ||
        look->state == HF_STATE_FATAL_ERROR) {
        return 500;
    }
    return hf_health_is_serving(look->state) && !print->is_refusing ? 200 : 503;
}

static bool wants_verbose(const struct health *health, const struct hf_http_request *request)
{
    const char *verbose = hf_http_query(request, "verbose");
    return verbose != NULL ? strcmp(verbose, "false") != 0
                           : health->config->http_v2->status.verbose;
}

static void show_status(const struct health *health, struct hf_http_request *request)
{
    const char *pipeline = hf_http_query(request, "pipeline");
    struct hf_health_tree *tree = NULL;
    struct hf_bytes text = {0};
    const struct hf_health_print print = {
        .scope = hf_slice_text(pipeline != NULL ? pipeline : ""),
        .verbose = wants_verbose(health, request),
        .attributes = health->config->http_v2->status.include_attributes,
        .rule = &health->rule,
        .start_unix_ns = health->up_since_ns,
        .now_unix_ns = hf_clock_unix_ns(),
        .is_refusing = !hf_node_is_durable(health->node),
    };
    enum hf_status status = hf_health_tree_new(health->node, &health->rule, &tree);
    const struct hf_state_look *look = status == HF_OK ? hf_health_find(tree, print.scope) : NULL;
    if (status == HF_OK && look == NULL) {
        hf_page_answer(request, 404, NULL, hf_slice_text("no such pipeline"));
    } else if (status != HF_OK || hf_health_print(tree, &print, &text) != HF_OK) {
        hf_page_answer(request, 503, NULL, hf_slice_text("out of memory"));
    } else {
        hf_page_answer(request, status_code(health, look, &print), "application/json",
                       hf_slice_of(text.data, text.size));
    }
    hf_health_tree_free(tree);
    hf_bytes_release(&text);
}

static void show(void *user, struct hf_http_request *request)
{
    const struct health *health = user;
    const struct hf_health_http_config *config = health->config->http_v2;
    if (!health->config->use_v2) {
        hf_health_legacy_show(health->node, health->config, health->started_ns, health->up_since_ns,
                              request);
    } else if (config->status.enabled && strcmp(hf_http_path(request), config->status.path) == 0) {
        show_status(health, request);
    } else if (config->config.enabled && strcmp(hf_http_path(request), config->config.path) == 0) {
        show_config(health, request);
    } else {
        hf_page_answer(request, 404, NULL, hf_slice_text("404 page not found\n"));
    }
}

/* ---- its life ---- */

static void set_rule(struct health *health)
{
    const struct hf_health_component_config *component = health->config->component_v2;
    if (component != NULL) {
        health->rule = (struct hf_health_rule){
            .counts_errors = true,
            .include_permanent = component->include_permanent_errors,
            .include_recoverable = component->include_recoverable_errors,
            .recovery_ns = component->recovery_duration_ns,
        };
    }
}

enum hf_status hf_health_open(struct hf_node *node, const void *from, void **ret_self, char *reterr)
{
    const struct hf_health_config *config = from;
    struct health *health = calloc(1, sizeof(*health));
    enum hf_status status = HF_OK;
    if (health == NULL) {
        return HF_NOMEM;
    }
    health->node = node;
    health->config = config;
    set_rule(health);
    if (!config->use_v2 || config->http_v2 != NULL) {
        health->pages = (struct hf_page_server){
            .node = node,
            .config = config->use_v2 ? &config->http_v2->server : &config->http,
            .show = show,
            .user = health,
        };
        status = hf_page_server_open(&health->pages, reterr);
        health->has_pages = status == HF_OK;
    }
    if (status == HF_OK && config->use_v2 && config->grpc_v2 != NULL) {
        status = hf_health_grpc_open(node, config->grpc_v2, &health->rule, &health->grpc, reterr);
    }
    if (status != HF_OK) {
        hf_health_close(health);
        return status;
    }
    *ret_self = health;
    return HF_OK;
}

static void say(const struct health *health, const char *protocol, const char *endpoint)
{
    hf_node_log_keys(
        health->node, HF_LOG_INFO, "Starting health_check extension",
        HF_LOG_KEYS(HF_LOG_TEXT("endpoint", endpoint),
                    HF_LOG_TEXT("protocol", health->config->use_v2 ? protocol : NULL)));
}

enum hf_status hf_health_start(void *self, char *reterr)
{
    struct health *health = self;
    enum hf_status status = HF_OK;
    health->started_ns = hf_clock_monotonic_ns();
    health->up_since_ns = hf_clock_unix_ns();
    if (health->has_pages) {
        say(health, "http", health->pages.config->endpoint);
        status = hf_page_server_start(&health->pages, reterr);
    }
    if (status == HF_OK && health->grpc != NULL) {
        say(health, "grpc", health->config->grpc_v2->server.endpoint);
        status = hf_health_grpc_start(health->grpc, reterr);
    }
    if (status != HF_OK) {
        hf_health_stop(health);
    }
    return status;
}

void hf_health_stop(void *self)
{
    struct health *health = self;
    if (health->has_pages) {
        hf_page_server_stop(&health->pages);
    }
    hf_health_grpc_stop(health->grpc);
}

void hf_health_close(void *self)
{
    struct health *health = self;
    if (health->has_pages) {
        hf_page_server_close(&health->pages);
    }
    hf_health_grpc_close(health->grpc);
    free(health);
}

/* ---- its configuration ---- */

static const char *check_v2(const struct hf_health_config *config)
{
    const struct hf_health_http_config *http = config->http_v2;
    const struct hf_health_grpc_config *grpc = config->grpc_v2;
    if (http == NULL && grpc == NULL) {
        return "must specify at least one protocol: with use_v2, write http or grpc";
    }
    if (http != NULL && ((http->status.enabled && http->status.path[0] != '/') ||
                         (http->config.enabled && http->config.path[0] != '/'))) {
        return "http: path must start with /";
    }
    const char *wrong = http != NULL ? hf_http_server_check(&http->server) : NULL;
    return wrong == NULL && grpc != NULL ? hf_grpc_server_check(&grpc->server) : wrong;
}

void hf_health_probe(const void *from, struct hf_probe *probe)
{
    const struct hf_health_config *config = from;
    if (!config->use_v2) {
        hf_probe_http_server(probe, &config->http);
        return;
    }
    hf_probe_http_server(probe, config->http_v2 != NULL ? &config->http_v2->server : NULL);
    hf_probe_grpc_server(probe, config->grpc_v2 != NULL ? &config->grpc_v2->server : NULL);
}

const char *hf_health_check_config(const void *from)
{
    const struct hf_health_config *config = from;
    if (config->use_v2) {
        return check_v2(config);
    }
    if (config->http_v2 != NULL || config->grpc_v2 != NULL || config->component_v2 != NULL) {
        return "http, grpc and component_health need use_v2: true";
    }
    if (config->path[0] != '/') {
        return "path must start with /";
    }
    return hf_http_server_check(&config->http);
}

#define BODY(member) offsetof(struct hf_health_config, body.member)
#define HTTP(member) offsetof(struct hf_health_http_config, member)
#define COMPONENT(member) offsetof(struct hf_health_component_config, member)

const struct hf_field hf_health_body_fields[] = {
    {.key = "healthy",
     .type = HF_FIELD_STRING,
     .offset = BODY(healthy),
     .help = "Text sent instead of the JSON."},
    {.key = "unhealthy",
     .type = HF_FIELD_STRING,
     .offset = BODY(unhealthy),
     .help = "Text sent instead of the JSON."},
    HF_FIELDS_END,
};

static const struct hf_field status_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct hf_health_page_config, enabled),
     .default_text = "true",
     .help = "Serve the status page."},
    {.key = "path",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_health_page_config, path),
     .default_text = "/status",
     .help = "Where; ?pipeline=ID narrows it to one pipeline (or extensions), ?verbose shows every "
             "component."},
    {.key = "include_attributes",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct hf_health_page_config, include_attributes),
     .help = "Show the attributes of each state, of which there are none."},
    {.key = "verbose",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct hf_health_page_config, verbose),
     .help = "Show every component when the query does not say."},
    HF_FIELDS_END,
};

static const struct hf_field config_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct hf_health_page_config, enabled),
     .help = "Serve the configuration in effect, as JSON with its secrets redacted."},
    {.key = "path",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct hf_health_page_config, path),
     .default_text = "/config",
     .help = "Where."},
    HF_FIELDS_END,
};

const struct hf_field hf_health_http_fields[] = {
    HF_HTTP_SERVER_FIELDS(struct hf_health_http_config, server, "localhost:13133"),
    {.key = "status",
     .type = HF_FIELD_STRUCT,
     .offset = HTTP(status),
     .inner = status_fields,
     .help = "The status page."},
    {.key = "config",
     .type = HF_FIELD_STRUCT,
     .offset = HTTP(config),
     .inner = config_fields,
     .help = "The configuration page."},
    HF_FIELDS_END,
};

const struct hf_field hf_health_grpc_fields[] = {
    HF_GRPC_SERVER_FIELDS(struct hf_health_grpc_config, server, "localhost:13132"),
    HF_FIELDS_END,
};

const struct hf_field hf_health_component_fields[] = {
    {.key = "include_permanent_errors",
     .type = HF_FIELD_BOOL,
     .offset = COMPONENT(include_permanent_errors),
     .help = "A permanent error, such as wrong credentials at a backend, is unhealthy at once."},
    {.key = "include_recoverable_errors",
     .type = HF_FIELD_BOOL,
     .offset = COMPONENT(include_recoverable_errors),
     .help = "A recoverable error, such as a backend that is down, is unhealthy after "
             "recovery_duration."},
    {.key = "recovery_duration",
     .type = HF_FIELD_DURATION,
     .offset = COMPONENT(recovery_duration_ns),
     .default_text = "0s",
     .help = "How long a recoverable error may last; 0: it is unhealthy at once."},
    HF_FIELDS_END,
};
