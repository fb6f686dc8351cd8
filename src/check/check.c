#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "empty_export.h"
#include "pipeline/listeners.h"
#include "report.h"
#include "service/control_protocol.h"
#include "service/ephemeral.h"
#include "storage/storage.h"
#include "support/probe/probe.h"
#include "util/log/log.h"
#include "util/loop.h"
#include "util/metrics/metrics.h"

struct check {
    const struct hf_check_options *options;
    struct hf_check_report report;
    struct hf_host host;
    struct hf_loop *loop;   /* the one that host.loops has */
    struct hf_graph *graph; /* of the authenticators; NULL: it could not be opened */
    char graph_error[HF_ERROR_MAX];
    bool is_running; /* a process has the data directory */
    char component[256];
};

static const char *const kinds[HF_KIND_COUNT] = {"receiver", "processor", "exporter", "extension",
                                                 "connector"};

static void say(void *user, const char *step, const char *target, enum hf_probe_result result,
                const char *text)
{
    struct check *check = user;
    const struct hf_check_line line = {check->component, step, target, text, result};
    hf_check_report_add(&check->report, &line);
}

/* Listens for a moment. */
static bool try_listen(void *user, const char *endpoint, char *reterr)
{
    struct check *check = user;
    int fd = -1;
    if (hf_listeners_get(check->host.listeners, endpoint, &fd, reterr) != HF_OK) {
        return false;
    }
    close(fd);
    return true;
}

static bool find_auth(void *user, const char *id, const struct hf_auth **ret_auth, void **ret_self,
                      char *reterr)
{
    const struct check *check = user;
    if (check->graph == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "%s", check->graph_error);
        return false;
    }
    if (hf_graph_auth(check->graph, id, ret_auth, ret_self) != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "%.200s adds no credentials to requests", id);
        return false;
    }
    return true;
}

/* ---- exports ---- */

static bool is_exporter_of(const struct hf_config_pipeline *pipeline,
                           const struct hf_config_component *exporter)
{
    for (size_t i = 0; i < pipeline->exporter_count; i++) {
        if (pipeline->exporters[i] == exporter) {
            return true;
        }
    }
    return false;
}

static unsigned signals_of(const struct check *check, const struct hf_config_component *exporter)
{
    unsigned signals = 0;
    size_t count = 0;
    const struct hf_config_pipeline *pipelines =
        hf_config_pipelines(check->options->config, &count);
    for (size_t i = 0; i < count; i++) {
        signals |= is_exporter_of(&pipelines[i], exporter) ? HF_SIGNAL_BIT(pipelines[i].signal) : 0;
    }
    return signals;
}

/* What an outcome tells: a credential that is refused is a step of its own. */
static void tell_outcome(struct check *check, const char *signal,
                         const struct hf_empty_outcome *outcome)
{
    const char *words =
        outcome->text[0] != '\0' ? outcome->text : hf_status_row(outcome->status)->says;
    char text[HF_PROBE_TEXT_MAX];
    switch (outcome->status) {
    case HF_OK:
        say(check, "export", signal, HF_PROBE_OK, "the backend took an empty request");
        break;
    case HF_UNAUTHENTICATED:
    case HF_FORBIDDEN:
        say(check, "auth", signal, HF_PROBE_FAILED, words);
        break;
    case HF_INVALID:
    case HF_EXISTS:
    case HF_CORRUPT:
        snprintf(text, sizeof(text), "answers, but takes no empty request: %.400s", words);
        say(check, "export", signal, HF_PROBE_WARNING, text);
        break;
    default:
        say(check, "export", signal, HF_PROBE_FAILED, words);
        break;
    }
}

static void try_export(struct check *check, const struct hf_config_component *exporter)
{
    struct hf_empty_outcome outcome;
    unsigned signals = signals_of(check, exporter);
    if (check->graph == NULL) {
        say(check, "export", exporter->id, HF_PROBE_FAILED, check->graph_error);
        return;
    }
    for (int i = 0; i < HF_SIGNAL_COUNT; i++) {
        if ((signals & HF_SIGNAL_BIT(i)) != 0) {
            hf_empty_export(check->graph, exporter, (enum hf_signal)i, check->options->timeout_ns,
                            &outcome);
            const char *signal = hf_signal_items_name((enum hf_signal)i);
            if (outcome.is_opened) {
                tell_outcome(check, signal, &outcome);
            } else {
                say(check, "export", signal, HF_PROBE_FAILED, outcome.text);
            }
        }
    }
}

/* ---- components ---- */

static void check_component(struct check *check, const struct hf_config_component *from)
{
    struct hf_probe probe = {
        .say = say,
        .listen = check->is_running ? NULL : try_listen,
        .auth = find_auth,
        .user = check,
        .timeout_ns = check->options->timeout_ns,
    };
    if (from->component == NULL || from->component->probe == NULL) {
        return;
    }
    snprintf(check->component, sizeof(check->component), "%s %s", kinds[from->kind], from->id);
    from->component->probe(from->config, &probe);
    if (probe.wants_export && !probe.has_failed) {
        try_export(check, from);
    } else if (probe.wants_export) {
        say(check, "export", from->id, HF_PROBE_WARNING, "not tried: a step above failed");
    }
}

static bool is_used(const struct check *check, const struct hf_config_component *component)
{
    size_t count = 0, extension_count = 0;
    bool used = false;
    const struct hf_config_pipeline *pipelines =
        hf_config_pipelines(check->options->config, &count);
    const struct hf_config_component *const *extensions =
        hf_config_extensions(check->options->config, &extension_count);
    for (size_t i = 0; i < extension_count; i++) {
        used = used || extensions[i] == component;
    }
    for (size_t i = 0; i < count; i++) {
        const struct hf_config_pipeline *pipeline = &pipelines[i];
        for (size_t r = 0; r < pipeline->receiver_count; r++) {
            used = used || pipeline->receivers[r] == component;
        }
        for (size_t p = 0; p < pipeline->processor_count; p++) {
            used = used || pipeline->processors[p] == component;
        }
        used = used || is_exporter_of(pipeline, component);
    }
    return used;
}

static void check_components(struct check *check)
{
    static const enum hf_kind order[] = {HF_EXTENSION, HF_RECEIVER, HF_PROCESSOR, HF_CONNECTOR,
                                         HF_EXPORTER};
    size_t count = 0;
    const struct hf_config_component *all = hf_config_components(check->options->config, &count);
    for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
        for (size_t i = 0; i < count; i++) {
            if (all[i].kind == order[k] && is_used(check, &all[i])) {
                check_component(check, &all[i]);
            }
        }
    }
}

/* ---- the data directory ---- */

/* Where a directory that is not there yet would be made. */
static const char *nearest(const char *directory, char *room, size_t size)
{
    snprintf(room, size, "%s", directory);
    while (access(room, F_OK) != 0) {
        char *slash = strrchr(room, '/');
        if (slash == NULL || slash == room) {
            snprintf(room, size, "%s", slash == NULL ? "." : "/");
            break;
        }
        *slash = '\0';
    }
    return room;
}

static void check_directory(struct check *check)
{
    char room[4096], text[HF_PROBE_TEXT_MAX];
    const char *directory = check->options->directory;
    const char *there = nearest(directory, room, sizeof(room));
    struct stat info;
    snprintf(check->component, sizeof(check->component), "data directory");
    if (check->is_running) {
        say(check, "directory", directory, HF_PROBE_OK, "a running Holdfast has it");
    } else if (stat(there, &info) == 0 && !S_ISDIR(info.st_mode)) {
        snprintf(text, sizeof(text), "%.300s is no directory", there);
        say(check, "directory", directory, HF_PROBE_FAILED, text);
    } else if (access(there, W_OK | X_OK) == 0) {
        say(check, "directory", directory, HF_PROBE_OK,
            strcmp(there, directory) == 0 ? "can be written" : "can be made");
    } else {
        snprintf(text, sizeof(text), "%.300s cannot be written: %m (uid %u)", there,
                 (unsigned)geteuid());
        say(check, "directory", directory, HF_PROBE_FAILED, text);
    }
    if (hf_ephemeral_is(there)) {
        say(check, "volume", directory, HF_PROBE_FAILED,
            "does not outlive the container: what is queued is lost with it; mount a volume there");
    } else {
        say(check, "volume", directory, HF_PROBE_OK, "outlives the process");
    }
}

/* ---- life ---- */

static bool open_check(struct check *check)
{
    const struct hf_log_options log = {.level = HF_LOG_ERROR, .encoding = "console"};
    enum hf_status status = hf_log_new(&log, &check->host.log, check->graph_error);
    if (status == HF_OK) {
        status = hf_metrics_new(&check->host.metrics);
    }
    if (status == HF_OK) {
        status = hf_listeners_new(&check->host.listeners);
    }
    if (status == HF_OK) {
        status = hf_loop_new(&check->loop);
    }
    if (status != HF_OK) {
        return false;
    }
    check->host.loops = &check->loop;
    check->host.loop_count = 1;
    hf_listeners_begin_round(check->host.listeners);
    if (hf_loop_start_thread(check->loop, "loop:0") == HF_OK &&
        hf_graph_open_authenticators(check->options->config, &check->host, &check->graph,
                                     check->graph_error) == HF_OK &&
        hf_graph_start(check->graph, NULL, check->graph_error) != HF_OK) {
        hf_graph_free(check->graph);
        check->graph = NULL;
    }
    return true;
}

static void close_check(struct check *check)
{
    if (check->graph != NULL) {
        hf_graph_stop(check->graph);
        hf_graph_free(check->graph);
    }
    if (check->loop != NULL) {
        hf_loop_join(check->loop);
        hf_loop_free(check->loop);
    }
    hf_listeners_free(check->host.listeners);
    hf_metrics_free(check->host.metrics);
    hf_log_free(check->host.log);
    hf_check_report_release(&check->report);
}

bool hf_check(const struct hf_check_options *options)
{
    struct check check = {.options = options};
    int fd = hf_control_socket(options->directory, 0);
    check.is_running = fd >= 0;
    if (fd >= 0) {
        close(fd);
    }
    bool is_open = open_check(&check);
    if (is_open) {
        check_directory(&check);
        check_components(&check);
        hf_check_report_print(&check.report, options->json, options->out);
    }
    bool good = is_open && !check.report.is_incomplete &&
                hf_check_report_count(&check.report, HF_PROBE_FAILED) == 0;
    if (!is_open || check.report.is_incomplete) {
        fputs("error: out of memory: the check is not complete\n", stderr);
    }
    close_check(&check);
    return good;
}
