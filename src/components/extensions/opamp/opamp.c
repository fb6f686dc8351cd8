/*
 * opamp: reports to a server of the Open Agent Management Protocol: who this process is, its
 * configuration, how it fares, what is built in. It applies nothing that the server offers: that is
 * the supervisor's.
 *
 * One thread holds the connection, and looks once a second whether the health has changed.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "opamp_config.h"
#include "opamp_link.h"
#include "opamp_message.h"
#include "opamp_report.h"
#include "support/probe/probe_server.h"
#include "support/settings/confighttp.h"
#include "util/backoff.h"
#include "util/escape.h"
#include "util/thread.h"
#include "util/time/clock.h"

#define LOOK_NS HF_NS_PER_S        /* at the health */
#define BEAT_NS (30 * HF_NS_PER_S) /* a WebSocket's message without news; also the polling */
#define SEND_TIMEOUT_NS (10 * HF_NS_PER_S)
#define GOODBYE_NS (300 * HF_NS_PER_MS)
#define ANSWERS_A_TURN                                                                             \
    16 /* so that a server that does not stop sending does not stop the reports */

struct opamp {
    struct hf_node *node;
    const struct opamp_config *config;
    struct opamp_link_options link_options;
    struct opamp_link *link;
    struct opamp_report report;
    pthread_t thread;
    bool is_running; /* the thread was started */
    /* On the thread. */
    struct opamp_parts due;  /* of the next message */
    uint64_t beat_ns;        /* when one is sent at the latest */
    uint64_t quiet_until_ns; /* the server has asked for a pause */
    uint64_t parent_ns;      /* when the parent is looked at next */
    bool is_orphan;
    struct hf_backoff backoff;
    unsigned seed;
};

static const struct opamp_server_config *server_of(const struct opamp_config *config)
{
    return config->server.ws != NULL ? config->server.ws : config->server.http;
}

/* ---- the parent ---- */

static void look_at_parent(struct opamp *opamp)
{
    uint64_t now_ns = hf_clock_monotonic_ns();
    pid_t parent = (pid_t)opamp->config->ppid;
    if (parent == 0 || opamp->is_orphan || now_ns < opamp->parent_ns) {
        return;
    }
    opamp->parent_ns = now_ns + opamp->config->ppid_poll_interval_ns;
    if (kill(parent, 0) != 0 && errno == ESRCH) {
        opamp->is_orphan = true;
        hf_node_log(opamp->node, HF_LOG_ERROR,
                    "collector was orphaned, process with pid %d does not exist: stopping",
                    (int)parent);
        kill(getpid(), SIGTERM);
    }
}

/* ---- what the server says ---- */

static void take_new_uid(struct opamp *opamp, const struct opamp_uid *uid)
{
    char text[OPAMP_UID_TEXT];
    opamp->report.uid = *uid;
    opamp_uid_print(uid, text);
    hf_node_log(opamp->node, HF_LOG_INFO, "the server names this agent %s", text);
}

static void take_error(struct opamp *opamp, const struct opamp_answer *answer)
{
    char words[200];
    uint64_t pause_ns = answer->retry_after_ns < HF_BACKOFF_ASKED_MAX_NS ? answer->retry_after_ns
                                                                         : HF_BACKOFF_ASKED_MAX_NS;
    hf_escape(HF_ESCAPE_LINE, answer->error, words, sizeof(words));
    hf_node_log(opamp->node, HF_LOG_ERROR, "OpAMP server returned an error response: %s", words);
    opamp->quiet_until_ns = hf_clock_monotonic_ns() + pause_ns;
    opamp->due.everything = pause_ns != 0; /* what it refused for now */
}

static void take_answer(struct opamp *opamp, struct hf_slice bytes)
{
    struct opamp_answer answer;
    if (!opamp_read_answer(bytes, &answer)) {
        hf_node_log(opamp->node, HF_LOG_WARN, "the server sent what is no ServerToAgent message");
        return;
    }
    if (answer.is_restart && opamp->config->capabilities.accepts_restart_command) {
        hf_node_log(opamp->node, HF_LOG_INFO, "the server commands a restart: reloading");
        kill(getpid(), SIGHUP);
        return; /* a command comes alone */
    }
    if (answer.has_error) {
        take_error(opamp, &answer);
    }
    if (answer.has_new_uid) {
        take_new_uid(opamp, &answer.new_uid);
    }
    if (answer.has_remote_config) {
        hf_node_log(opamp->node, HF_LOG_DEBUG,
                    "the server's configuration is not applied: that is the supervisor's");
    }
    opamp->due.everything |= answer.wants_full_state;
    opamp->due.components |= answer.wants_components;
}

/* ---- one connection ---- */

static uint64_t interval_of(const struct opamp_config *config)
{
    const struct opamp_server_config *http = config->server.http;
    return http != NULL && http->polling_interval_ns != 0 ? http->polling_interval_ns : BEAT_NS;
}

static enum hf_status send_due(struct opamp *opamp, uint64_t timeout_ns,
                               struct opamp_failure *ret_failure)
{
    struct hf_slice message;
    char uid[OPAMP_UID_TEXT];
    opamp_uid_print(&opamp->report.uid, uid);
    if (opamp_report_write(&opamp->report, &opamp->due, &message) != HF_OK) {
        snprintf(ret_failure->why, sizeof(ret_failure->why), "no memory for a report");
        return HF_AGAIN;
    }
    opamp->due = (struct opamp_parts){.everything = false};
    opamp->beat_ns = hf_clock_monotonic_ns() + interval_of(opamp->config);
    return opamp_link_send(opamp->link, message, uid, timeout_ns, ret_failure);
}

static bool is_due(struct opamp *opamp)
{
    uint64_t now_ns = hf_clock_monotonic_ns();
    if (now_ns < opamp->quiet_until_ns) {
        opamp->beat_ns = opamp->quiet_until_ns;
        return false;
    }
    opamp->due.health = opamp->due.health || opamp_report_is_changed(&opamp->report);
    return opamp->due.everything || opamp->due.health || opamp->due.components ||
           now_ns >= opamp->beat_ns;
}

/* Until the next look, the next message at the latest. */
static uint64_t time_to_wait(const struct opamp *opamp)
{
    uint64_t now_ns = hf_clock_monotonic_ns();
    uint64_t left_ns = opamp->beat_ns > now_ns ? opamp->beat_ns - now_ns : 0;
    return left_ns < LOOK_NS ? left_ns : LOOK_NS;
}

/* Waits a look's time for messages, and takes those that have come. */
static enum hf_status take_answers(struct opamp *opamp, struct opamp_failure *ret_failure)
{
    enum hf_status status = HF_OK;
    for (int i = 0; i < ANSWERS_A_TURN && status == HF_OK; i++) {
        struct hf_slice bytes;
        status =
            opamp_link_receive(opamp->link, i == 0 ? time_to_wait(opamp) : 0, &bytes, ret_failure);
        if (status == HF_OK) {
            take_answer(opamp, bytes);
            hf_backoff_reset(&opamp->backoff);
        }
    }
    return status == HF_DEADLINE ? HF_OK : status;
}

/* Until the connection ends. */
static enum hf_status converse(struct opamp *opamp, struct opamp_failure *ret_failure)
{
    enum hf_status status = HF_OK;
    opamp->due = (struct opamp_parts){.everything = true};
    while (status == HF_OK) {
        look_at_parent(opamp);
        status = is_due(opamp) ? send_due(opamp, SEND_TIMEOUT_NS, ret_failure) : HF_OK;
        status = status == HF_OK ? take_answers(opamp, ret_failure) : status;
    }
    return status;
}

/* ---- the thread ---- */

static uint64_t next_wait(struct opamp *opamp, uint64_t asked_ns)
{
    static const struct hf_retry_config retry = {
        .enabled = true,
        .initial_interval_ns = HF_NS_PER_S / 2,
        .max_interval_ns = 60 * HF_NS_PER_S,
        .multiplier = 1.5,
        .randomization_factor = 0.5,
    };
    double draw = (double)rand_r(&opamp->seed) / ((double)RAND_MAX + 1);
    return hf_backoff_next(&opamp->backoff, &retry, hf_clock_monotonic_ns(), asked_ns, draw);
}

/* HF_CLOSED when the extension is stopped meanwhile. */
static enum hf_status pause_for(struct opamp *opamp, uint64_t wait_ns)
{
    uint64_t due_ns = hf_clock_monotonic_ns() + wait_ns;
    enum hf_status status = HF_DEADLINE;
    while (status != HF_CLOSED) {
        uint64_t now_ns = hf_clock_monotonic_ns();
        look_at_parent(opamp);
        if (now_ns >= due_ns) {
            return HF_OK;
        }
        status =
            opamp_link_pause(opamp->link, due_ns - now_ns < LOOK_NS ? due_ns - now_ns : LOOK_NS);
    }
    return status;
}

/* The last words; after a reload the successor speaks for the same agent. */
static void say_goodbye(struct opamp *opamp)
{
    struct opamp_failure failure = {.retry_after_ns = 0};
    opamp->due = (struct opamp_parts){.disconnect = true};
    if (!hf_node_is_succeeded(opamp->node)) {
        enum hf_status status = send_due(opamp, GOODBYE_NS, &failure);
        hf_node_log(opamp->node, HF_LOG_DEBUG, status == HF_OK ? "said goodbye" : "no goodbye: %s",
                    failure.why);
    }
}

static void *run(void *user)
{
    struct opamp *opamp = user;
    enum hf_status status = HF_OK;
    while (status != HF_CLOSED) {
        struct opamp_failure failure = {.retry_after_ns = 0};
        status = opamp_link_open(opamp->link, &failure);
        if (status == HF_OK) {
            hf_node_log(opamp->node, HF_LOG_DEBUG, "reporting to %s", opamp->link_options.url);
            status = converse(opamp, &failure);
            if (status == HF_CLOSED) {
                say_goodbye(opamp);
            }
            opamp_link_close(opamp->link);
        }
        if (status != HF_CLOSED) {
            hf_node_log(opamp->node, HF_LOG_WARN, "the OpAMP server %s: %s; trying again",
                        opamp->link_options.url, failure.why);
            status = pause_for(opamp, next_wait(opamp, failure.retry_after_ns));
        }
    }
    return NULL;
}

/* ---- its life ---- */

static enum hf_status start_opamp(void *self, char *reterr)
{
    struct opamp *opamp = self;
    const char *auth = server_of(opamp->config)->auth;
    const struct hf_auth_config named = {.authenticator = auth};
    enum hf_status status = hf_auth_find_client(opamp->node, auth != NULL ? &named : NULL,
                                                &opamp->link_options.auth, reterr);
    if (status != HF_OK) {
        return status;
    }
    opamp->is_running = true; /* before: the bytes beside it are the thread's */
    if (hf_thread_start(&opamp->thread, NULL, run, opamp) != 0) {
        opamp->is_running = false;
        snprintf(reterr, HF_ERROR_MAX, "no thread for the OpAMP server");
        return HF_NOMEM;
    }
    return HF_OK;
}

static void stop_opamp(void *self)
{
    struct opamp *opamp = self;
    if (opamp->is_running) {
        opamp_link_stop(opamp->link);
        pthread_join(opamp->thread, NULL);
        opamp->is_running = false;
    }
}

static void close_opamp(void *self)
{
    struct opamp *opamp = self;
    stop_opamp(opamp);
    opamp_link_free(opamp->link);
    opamp_report_release(&opamp->report);
    free(opamp);
}

static enum hf_status open_opamp(struct hf_node *node, const void *from, void **ret_self,
                                 char *reterr)
{
    struct opamp *opamp = calloc(1, sizeof(*opamp));
    const struct opamp_config *config = from;
    if (opamp == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the extension");
        return HF_NOMEM;
    }
    opamp->node = node;
    opamp->config = config;
    opamp->seed = (unsigned)hf_clock_monotonic_ns();
    opamp_report_init(&opamp->report, node, config);
    opamp->link_options = (struct opamp_link_options){
        .node = node,
        .is_websocket = config->server.ws != NULL,
        .url = server_of(config)->endpoint,
        .tls = &server_of(config)->tls,
        .headers = &server_of(config)->headers,
    };
    enum hf_status status = opamp_link_new(&opamp->link_options, &opamp->link, reterr);
    if (status != HF_OK) {
        close_opamp(opamp);
        return status;
    }
    *ret_self = opamp;
    return HF_OK;
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct opamp_server_config *server = server_of(from);
    char url[HF_URL_MAX];
    /* A WebSocket begins as a request to the same place. */
    bool is_websocket = strncasecmp(server->endpoint, "ws", 2) == 0;
    snprintf(url, sizeof(url), "%s%s", is_websocket ? "http" : "",
             server->endpoint + (is_websocket ? 2 : 0));
    const struct hf_http_client_config client = {.endpoint = url, .tls = server->tls};
    hf_probe_http_client(probe, &client, NULL);
}

const struct hf_component hf_extension_opamp = {
    .type = "opamp",
    .help = "Reports identity, configuration, health and components to a server of OpAMP.",
    .kind = HF_EXTENSION,
    .config_size = sizeof(struct opamp_config),
    .fields = opamp_fields,
    .check = opamp_check_config,
    .probe = probe_outside,
    .open = open_opamp,
    .start = start_opamp,
    .stop = stop_opamp,
    .close = close_opamp,
};
