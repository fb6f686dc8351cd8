#include "health_grpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "grpc_health.h"
#include "support/ingress/grpc_admission.h"
#include "support/ingress/ingress_auth.h"
#include "util/log/log_limiter.h"
#include "util/time/clock.h"

#define MESSAGE_MAX (16u * 1024)
#define WATCH_EACH_NS (250 * HF_NS_PER_MS)
#define STOP_GRACE_NS (500 * HF_NS_PER_MS)
#define SAY_AGAIN_NS (60 * HF_NS_PER_S)
#define WATCH_PATH "/grpc.health.v1.Health/Watch"

enum serving { SERVING = 1, NOT_SERVING = 2, SERVICE_UNKNOWN = 3 };

struct hf_health_grpc {
    struct hf_node *node;
    const struct hf_grpc_server_config *config;
    const struct hf_health_rule *rule;
    struct hf_grpc_server *server;
    struct hf_tls *tls;
    struct hf_auth_ref auth;
    struct hf_log_limiter said;
    int listen_fd;
};

/* ---- what is answered ---- */

static enum hf_status judge(const struct hf_health_grpc *grpc, struct hf_slice service,
                            enum serving *ret_serving)
{
    struct hf_health_tree *tree = NULL;
    enum hf_status status = hf_health_tree_new(grpc->node, grpc->rule, &tree);
    if (status != HF_OK) {
        return status;
    }
    const struct hf_state_look *look = hf_health_find(tree, service);
    if (look == NULL) {
        *ret_serving = SERVICE_UNKNOWN;
    } else {
        bool good = hf_health_is_serving(look->state) &&
                    hf_health_is_good(grpc->rule, look, hf_clock_unix_ns()) &&
                    hf_node_is_durable(grpc->node);
        *ret_serving = good ? SERVING : NOT_SERVING;
    }
    hf_health_tree_free(tree);
    return HF_OK;
}

/* One look of a Watch. A HealthCheckResponse {1 enum status}. */
static enum hf_status watch(void *user, struct hf_slice message, struct hf_bytes *answer)
{
    struct hf_slice service;
    enum serving serving;
    if (!hf_grpc_health_read(message, &service)) {
        return HF_INVALID;
    }
    enum hf_status status = judge(user, service, &serving);
    const uint8_t bytes[] = {0x08, (uint8_t)serving};
    return status == HF_OK ? hf_bytes_append(answer, hf_slice_of(bytes, sizeof(bytes))) : status;
}

static void refuse(struct hf_grpc_call *call, enum hf_status status, const char *text)
{
    const struct hf_status_row *row = hf_status_row(status);
    const struct hf_grpc_answer answer = {.code = row->grpc_code,
                                          .error = text != NULL ? text : row->says};
    hf_grpc_call_answer(call, &answer);
}

static void on_message(void *user, struct hf_grpc_call *call)
{
    const struct hf_health_grpc *grpc = user;
    struct hf_slice service;
    enum serving serving = SERVICE_UNKNOWN;
    if (!hf_grpc_health_read(hf_grpc_call_message(call)->raw, &service)) {
        refuse(call, HF_INVALID, "the message is not a HealthCheckRequest");
        return;
    }
    enum hf_status status = judge(grpc, service, &serving);
    if (status != HF_OK) {
        refuse(call, status, NULL);
    } else if (serving == SERVICE_UNKNOWN) {
        refuse(call, HF_NOT_FOUND, "Service not found.");
    } else {
        struct hf_slice answer = hf_grpc_health_answer(serving == SERVING);
        hf_grpc_call_answer(call, &(struct hf_grpc_answer){.message = answer});
    }
}

/* ---- credentials ---- */

static bool keeps_header(void *user, struct hf_slice name)
{
    const struct hf_health_grpc *grpc = user;
    (void)name;
    return grpc->auth.ops != NULL; /* an authenticator may look at any */
}

static void refuse_client(void *server, struct hf_grpc_call *call, enum hf_status status)
{
    (void)server;
    refuse(call, status, NULL);
}

static void on_headers(void *user, struct hf_grpc_call *call)
{
    static const struct hf_ingress_wanted nothing;
    struct hf_health_grpc *grpc = user;
    hf_grpc_admission_check(&grpc->auth, &nothing, call, refuse_client, grpc);
}

/* ---- its life ---- */

static void on_error(void *user, const char *peer, const char *what)
{
    struct hf_health_grpc *grpc = user;
    if (hf_log_limiter_allows(&grpc->said, peer, what, hf_clock_coarse_ns())) {
        hf_node_log(grpc->node, HF_LOG_WARN, "%s: %s", peer, what);
    }
}

static void on_reload_failed(void *user, const char *why)
{
    const struct hf_health_grpc *grpc = user;
    hf_node_log(grpc->node, HF_LOG_WARN,
                "reloading TLS files failed; keeping the previous certificate: %s", why);
}

static void on_end(void *user)
{
    const struct hf_health_grpc *grpc = user;
    hf_node_release(grpc->node);
}

enum hf_status hf_health_grpc_open(struct hf_node *node, const struct hf_health_grpc_config *config,
                                   const struct hf_health_rule *rule,
                                   struct hf_health_grpc **ret_grpc, char *reterr)
{
    struct hf_health_grpc *grpc = calloc(1, sizeof(*grpc));
    if (grpc == NULL) {
        return HF_NOMEM;
    }
    grpc->node = node;
    grpc->config = &config->server;
    grpc->rule = rule;
    grpc->listen_fd = -1;
    hf_log_limiter_init(&grpc->said, SAY_AGAIN_NS);
    char endpoint[256];
    bool is_path = strcmp(grpc->config->transport, "unix") == 0 &&
                   strncmp(grpc->config->endpoint, "unix:", 5) != 0;
    snprintf(endpoint, sizeof(endpoint), "%s%s", is_path ? "unix://" : "", grpc->config->endpoint);
    enum hf_status status =
        hf_node_listen_mode(node, endpoint, grpc->config->mode, &grpc->listen_fd, reterr);
    if (status == HF_OK && grpc->config->tls != NULL) {
        status = hf_tls_new_server(grpc->config->tls, "h2", &grpc->tls, reterr);
    }
    if (status != HF_OK) {
        hf_health_grpc_close(grpc);
        return status;
    }
    if (grpc->tls != NULL) {
        hf_tls_report_to(grpc->tls, on_reload_failed, grpc);
    }
    *ret_grpc = grpc;
    return HF_OK;
}

enum hf_status hf_health_grpc_start(struct hf_health_grpc *grpc, char *reterr)
{
    const struct hf_grpc_method methods[] = {
        {.path = HF_GRPC_HEALTH_PATH},
        {.path = WATCH_PATH, .user = grpc, .converse = watch, .repeat_ns = WATCH_EACH_NS},
    };
    enum hf_status status =
        hf_auth_find_server(grpc->node, grpc->config->auth, &grpc->auth, reterr);
    if (status != HF_OK) {
        return status;
    }
    struct hf_grpc_server_options options = hf_grpc_server_options(grpc->config);
    options.listen_fd = grpc->listen_fd;
    options.tls = grpc->tls;
    options.message_bytes_max = MESSAGE_MAX;
    options.keeps_header = keeps_header;
    options.methods = methods;
    options.method_count = sizeof(methods) / sizeof(methods[0]);
    options.on_headers = on_headers;
    options.on_gone = hf_grpc_admission_gone;
    options.on_message = on_message;
    options.on_error = on_error;
    options.on_end = on_end;
    options.user = grpc;
    options.loops = hf_node_loops(grpc->node, &options.loop_count);
    grpc->listen_fd = -1;
    status = hf_grpc_server_new(&options, &grpc->server, reterr);
    if (status == HF_OK) {
        hf_node_hold(grpc->node);
        hf_grpc_server_start(grpc->server);
    }
    return status;
}

void hf_health_grpc_stop(struct hf_health_grpc *grpc)
{
    if (grpc != NULL && grpc->server != NULL) {
        hf_grpc_server_stop(grpc->server, STOP_GRACE_NS);
    }
}

void hf_health_grpc_close(struct hf_health_grpc *grpc)
{
    if (grpc == NULL) {
        return;
    }
    hf_grpc_server_free(grpc->server);
    if (grpc->listen_fd >= 0) {
        close(grpc->listen_fd);
    }
    hf_tls_free(grpc->tls);
    hf_log_limiter_release(&grpc->said);
    free(grpc);
}
