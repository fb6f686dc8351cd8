#include "service.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <holdfast/storage.h>

#include "announce.h"
#include "config_watch.h"
#include "control.h"
#include "data_directory.h"
#include "ephemeral.h"
#include "hand_over.h"
#include "last_resort.h"
#include "loops.h"
#include "node/exporter_history.h"
#include "node/taps.h"
#include "own_telemetry.h"
#include "pipeline/graph.h"
#include "pipeline/listeners.h"
#include "retired.h"
#include "self_metrics.h"
#include "status_line.h"
#include "storage/storage.h"
#include "util/escape.h"
#include "util/log/log.h"
#include "util/metrics/metrics.h"
#include "util/own_spans.h"
#include "util/time/clock.h"

#define STATUS_PERIOD_S 5
#define SWEEP_PERIOD_S 1
#define WATCH_PERIOD_S 1
/* The promise is under two seconds; the graces of a stop end well before. */
#define STOP_MAX_NS UINT64_C(1900000000)
/* A thread that is about to come back (a password is being hashed) is worth a quarter of a second.
 */
#define LAST_LOOKS 25
#define LAST_LOOK_NS 10000000

/* Everything of the running program. Main thread. */
struct service {
    const struct hf_service_options *options;
    struct hf_host host;
    struct hf_config *config;
    struct hf_graph *graph;
    struct hf_retired *retired; /* earlier graphs that are still in use */
    struct hf_self_metrics *self;
    struct hf_commands *commands;
    struct hf_own_telemetry *own; /* that is sent; NULL: none is */
    struct hf_control *control;
    struct hf_hand_over *hand_over;
    struct hf_finding *findings; /* of the first load, until the log is open */
    size_t finding_count;
    struct hf_announce announce;
    uint64_t began_ns;              /* monotonic */
    char why_invalid[HF_ERROR_MAX]; /* the first error of the configuration loaded last */
    bool is_ephemeral;              /* the data directory does not outlive the container */
};

static volatile sig_atomic_t stop_signal;

static void note_signal(int number)
{
    stop_signal = number;
    hf_last_resort_arm(STOP_MAX_NS);
}

static void note_error(struct service *service, const struct hf_finding *findings, size_t count)
{
    service->why_invalid[0] = '\0';
    for (size_t i = 0; i < count && service->why_invalid[0] == '\0'; i++) {
        if (findings[i].kind == HF_FINDING_ERROR) {
            snprintf(service->why_invalid, sizeof(service->why_invalid), "%s", findings[i].text);
        }
    }
}

/* In the log, once there is one. Frees them. */
static void tell_findings(struct service *service, struct hf_finding *findings, size_t count)
{
    if (service->host.log == NULL) {
        hf_service_print_findings(findings, count);
    }
    for (size_t i = 0; service->host.log != NULL && i < count; i++) {
        bool error = findings[i].kind == HF_FINDING_ERROR;
        hf_log_line(service->host.log, error ? HF_LOG_ERROR : HF_LOG_WARN, "config", "%s",
                    findings[i].text);
    }
    hf_findings_free(findings, count);
}

/* The warnings of a first configuration that is good wait for the log that it describes. */
static struct hf_config *load(struct service *service)
{
    struct hf_finding *findings = NULL;
    size_t count = 0;
    struct hf_config *config = hf_config_load(&service->options->config, &findings, &count);
    if (config != NULL && service->host.log == NULL) {
        service->findings = findings;
        service->finding_count = count;
        return config;
    }
    note_error(service, findings, count);
    tell_findings(service, findings, count);
    return config;
}

static struct hf_log_options log_options(const struct hf_config *config)
{
    const struct hf_telemetry_config *telemetry = hf_config_telemetry(config);
    return (struct hf_log_options){
        .level = (enum hf_log_level)telemetry->log_level,
        .encoding = telemetry->log_encoding,
        .output_paths = telemetry->log_output_paths,
        .initial_fields = telemetry->initial_fields,
    };
}

/* Many connections and three descriptors a segment: take what the system allows. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Threads leave signals to the main thread's wait, but for the one that ends a stop which hangs,
 * and the one that samples each thread while a profile is taken. */
static void block_signals(int how)
{
    sigset_t signals;
    sigfillset(&signals);
    sigdelset(&signals, SIGALRM);
    sigdelset(&signals, SIGPROF);
    if (how == SIG_UNBLOCK) {
        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
    }
    pthread_sigmask(how, &signals, NULL);
}

/* Another process has the data directory: this one is alive, and says that it is not ready. */
static void wait_with_extensions(void *user)
{
    struct service *service = user;
    char error[HF_ERROR_MAX] = "";
    hf_notify_status(&service->announce.notify, "Waiting: another process has the data directory");
    block_signals(SIG_BLOCK);
    enum hf_status status =
        hf_graph_open_extensions(service->config, &service->host, &service->graph, error);
    if (status == HF_OK) {
        status = hf_graph_start(service->graph, NULL, error);
    }
    if (status != HF_OK) {
        hf_log_line(service->host.log, HF_LOG_WARN, "service", "while waiting: %s", error);
    }
    block_signals(SIG_UNBLOCK);
}

static enum hf_status open_store(struct service *service, char *reterr)
{
    const struct hf_storage_config *storage = hf_service_storage_of(service->config);
    char *directory = hf_service_data_directory(
        service->options->data_directory, service->options->default_directory, service->config);
    if (directory == NULL) {
        return HF_NOMEM;
    }
    const struct hf_storage_options options = {
        .directory = directory,
        .no_fsync = storage != NULL && !storage->fsync,
        .log = service->host.log,
        .waiting = wait_with_extensions,
        .user = service,
        .stop_requested = &stop_signal,
    };
    block_signals(SIG_UNBLOCK);
    enum hf_status status = hf_storage_open(&options, &service->host.store, reterr);
    block_signals(SIG_BLOCK);
    free(directory);
    hf_graph_stop(service->graph);
    hf_retired_add(&service->retired, service->graph, NULL);
    service->graph = NULL;
    return status;
}

static void make_instance(char ret_text[HF_INSTANCE_SIZE])
{
    FILE *file = fopen("/proc/sys/kernel/random/uuid", "re");
    if (file == NULL || fgets(ret_text, HF_INSTANCE_SIZE, file) == NULL) {
        snprintf(ret_text, HF_INSTANCE_SIZE, "%d-%llu", (int)getpid(),
                 (unsigned long long)hf_clock_unix_ns());
    }
    if (file != NULL) {
        fclose(file);
    }
}

/* The Go collector's gates have no meaning here. */
static void warn_of_gates(struct service *service)
{
    for (size_t i = 0; i < service->options->gate_count; i++) {
        hf_log_keys(service->host.log, HF_LOG_WARN, "service",
                    "there are no feature gates: --feature-gates has no effect",
                    HF_LOG_KEYS(HF_LOG_TEXT("gates", service->options->gates[i])));
    }
}

static enum hf_status open_host(struct service *service, char *reterr)
{
    struct hf_host *host = &service->host;
    const struct hf_log_options log = log_options(service->config);
    host->components = service->options->config.components;
    make_instance(host->instance);
    block_signals(SIG_BLOCK);
    enum hf_status status = hf_log_new(&log, &host->log, reterr);
    if (status == HF_OK) {
        hf_log_keys(host->log, HF_LOG_INFO, "service", "Starting holdfast...",
                    HF_LOG_KEYS(HF_LOG_TEXT("Version", HF_VERSION),
                                HF_LOG_NUMBER("NumCPU", hf_loops_usable_cores())));
        tell_findings(service, service->findings, service->finding_count);
        service->findings = NULL;
        hf_service_warn_of_storages(service->host.log, service->config);
        warn_of_gates(service);
        status = hf_metrics_new(&host->metrics);
    }
    if (status == HF_OK) {
        status = hf_own_spans_new(&host->spans);
    }
    if (status == HF_OK) {
        status = hf_listeners_new(&host->listeners);
    }
    if (status == HF_OK) {
        status = hf_exporter_histories_new(&host->histories);
    }
    if (status == HF_OK) {
        status = hf_taps_new(host);
    }
    if (status == HF_OK) {
        status = hf_loops_start(host);
    }
    if (status == HF_OK) {
        status = open_store(service, reterr);
    }
    if (status == HF_OK) {
        status = hf_self_metrics_new(host, &service->self);
    }
    if (status == HF_OK) {
        status = hf_hand_over_new(&service->hand_over);
    }
    if (status == HF_OK) {
        status = hf_commands_new(host, service->hand_over, &service->commands);
    }
    if (status == HF_OK) {
        status = hf_control_open(hf_storage_directory(host->store), service->commands,
                                 &service->control, reterr);
    }
    return status;
}

static void close_host(struct service *service)
{
    struct hf_host *host = &service->host;
    hf_control_close(service->control);
    hf_commands_free(service->commands);
    hf_hand_over_free(service->hand_over);
    hf_self_metrics_free(service->self);
    hf_loops_stop(host);
    hf_listeners_free(host->listeners);
    hf_storage_close(host->store);
    hf_own_spans_free(host->spans);
    hf_taps_free(host);
    hf_exporter_histories_free(host->histories);
    hf_metrics_free(host->metrics);
    hf_log_free(host->log);
    hf_findings_free(service->findings, service->finding_count);
}

/* For the history. `config` NULL: the one that was given is not known. */
static void note_reload(struct service *service, enum hf_reload_result result, uint64_t began_ns,
                        const char *why, const struct hf_config *config)
{
    hf_reloads_add(hf_commands_reloads(service->commands), result, began_ns, why, service->config,
                   config);
}

static enum hf_status start_graph(struct service *service, char *reterr)
{
    struct hf_host *host = &service->host;
    hf_listeners_begin_round(host->listeners);
    enum hf_status status = hf_graph_open(service->config, host, &service->graph, reterr);
    if (status == HF_OK) {
        /* What earlier configurations left behind is seen too; after the queues in use, whose
         * limits are the configuration's. */
        (void)hf_storage_open_all(host->store);
        status = hf_self_metrics_serve(service->self, hf_config_telemetry(service->config), reterr);
    }
    if (status == HF_OK) {
        /* Before the first request comes. */
        service->own = hf_own_telemetry_begin(host, service->config, service->self);
        status = hf_graph_start(service->graph, NULL, reterr);
    }
    if (status == HF_OK) {
        hf_listeners_end_round(host->listeners);
        hf_self_metrics_watch(service->self, service->graph);
        hf_commands_watch(service->commands, service->graph);
        hf_announce_ready(&service->announce, host);
        service->is_ephemeral = hf_ephemeral_is(hf_storage_directory(host->store));
        hf_ephemeral_tell(host->log, host->metrics, hf_storage_directory(host->store),
                          service->is_ephemeral);
        hf_announce_reload(&service->announce, &service->host, true);
        note_reload(service, HF_RELOAD_STARTED, service->began_ns, NULL, NULL);
    }
    return status;
}

/* What cannot be had of the new telemetry section stays as it was: data does not wait for it. */
static void take_telemetry(struct service *service)
{
    char error[HF_ERROR_MAX] = "";
    struct hf_log *log = service->host.log;
    const struct hf_log_options options = log_options(service->config);
    if (hf_log_change(log, &options, error) != HF_OK) {
        hf_log_line(log, HF_LOG_ERROR, "service", "%s; the log stays as it was", error);
    }
    if (hf_self_metrics_serve(service->self, hf_config_telemetry(service->config), error) !=
        HF_OK) {
        hf_log_line(log, HF_LOG_ERROR, "service", "%s; own metrics stay as they were", error);
    }
}

/* What a reload cannot change. */
static void warn_of_fixed(const struct service *service, const struct hf_config *config)
{
    const struct hf_storage_config *old = hf_service_storage_of(service->config);
    const struct hf_storage_config *new = hf_service_storage_of(config);
    char *directory = hf_service_data_directory(service->options->data_directory,
                                                service->options->default_directory, config);
    if (directory != NULL && strcmp(directory, hf_storage_directory(service->host.store)) != 0) {
        hf_log_line(service->host.log, HF_LOG_WARN, "service",
                    "the data directory %s counts from the next start on; until then it is %s",
                    directory, hf_storage_directory(service->host.store));
    }
    if ((old == NULL || old->fsync) != (new == NULL || new->fsync)) {
        hf_log_line(service->host.log, HF_LOG_WARN, "service",
                    "a changed fsync counts from the next start on");
    }
    free(directory);
}

/* The graph and its configuration are of no use. */
static void keep_current(struct service *service, struct hf_graph *graph, struct hf_config *config,
                         uint64_t began_ns, const char *error)
{
    struct hf_host *host = &service->host;
    hf_log_keys(host->log, HF_LOG_ERROR, "service",
                hf_graph_is_running(service->graph)
                    ? "the new configuration does not start; keeping the current one"
                    : "the new configuration does not start; the present one has ended",
                HF_LOG_KEYS(HF_LOG_TEXT("error", error)));
    hf_self_metrics_watch(service->self, service->graph);
    hf_commands_watch(service->commands, service->graph);
    note_reload(service, HF_RELOAD_NOT_STARTED, began_ns, error, config);
    hf_hand_over_fail(service->hand_over, error);
    hf_retired_add(&service->retired, graph, config);
    hf_announce_reload(&service->announce, host, false);
}

/* The graph runs, and takes the place of the one before. */
static void take_over(struct service *service, struct hf_graph *graph, struct hf_config *config,
                      uint64_t began_ns)
{
    struct hf_host *host = &service->host;
    hf_commands_watch(service->commands, graph); /* a reload that is seen as taken has a graph */
    hf_graph_stop(service->graph);
    warn_of_fixed(service, config);
    note_reload(service, HF_RELOAD_TAKEN, began_ns, NULL, config);
    hf_own_telemetry_free(service->own); /* it borrows the configuration of before */
    service->own = NULL;
    hf_retired_add(&service->retired, service->graph, service->config);
    service->graph = graph;
    service->config = config;
    take_telemetry(service);
    service->own = hf_own_telemetry_begin(host, service->config, service->self);
    hf_listeners_end_round(host->listeners);
    hf_self_metrics_watch(service->self, graph);
    hf_announce_reload(&service->announce, host, true);
    hf_log_line(host->log, HF_LOG_INFO, "service", "the new configuration runs");
}

/* A valid configuration takes over; an invalid one, or one that does not start, changes nothing. */
static void reload(struct service *service)
{
    char error[HF_ERROR_MAX] = "";
    struct hf_host *host = &service->host;
    uint64_t began_ns = hf_clock_monotonic_ns();
    hf_log_line(host->log, HF_LOG_INFO, "service", "Config updated, restart service");
    struct hf_config *config = load(service);
    if (config == NULL) {
        hf_log_line(host->log, HF_LOG_ERROR, "service",
                    "the new configuration is invalid; keeping the current one");
        hf_hand_over_fail(service->hand_over, "the configuration can no longer be loaded");
        hf_announce_reload(&service->announce, &service->host, false);
        note_reload(service, HF_RELOAD_INVALID, began_ns, service->why_invalid, NULL);
        return;
    }
    struct hf_graph *graph = NULL;
    hf_listeners_begin_round(host->listeners);
    enum hf_status status =
        hf_hand_over_apply(service->hand_over, service->options->config.components, config, error);
    if (status == HF_OK) {
        status = hf_graph_open(config, host, &graph, error);
    }
    if (status == HF_OK) {
        hf_self_metrics_watch(service->self, NULL);
        status = hf_graph_start(graph, service->graph, error);
    }
    if (status == HF_OK) {
        take_over(service, graph, config, began_ns);
    } else {
        keep_current(service, graph, config, began_ns, error);
    }
}

/* A stop that is asked for meanwhile does not wait for the end of the reload longer than it may. */
static void reload_unless_stopped(struct service *service)
{
    hf_notify_reloading(&service->announce.notify);
    block_signals(SIG_UNBLOCK);
    reload(service);
    block_signals(SIG_BLOCK);
    hf_notify_ready(&service->announce.notify);
}

/* What a wait for signals lasts at most: there is something to look at from time to time. */
static const struct timespec *next_look(struct service *service)
{
    static const struct timespec status = {STATUS_PERIOD_S, 0}, sweep = {SWEEP_PERIOD_S, 0};
    static const struct timespec watch = {WATCH_PERIOD_S, 0};
    if (hf_retired_sweep(&service->retired) != 0 || hf_graph_sweep_shards(service->graph) != 0) {
        return &sweep;
    }
    if (service->options->watches_config) {
        return &watch;
    }
    return service->options->show_status ? &status : NULL;
}

/* Waits for signals; returns when told to stop, or when a reload has left nothing that runs. */
static void serve(struct service *service)
{
    sigset_t signals;
    struct hf_status_line line = {0};
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    bool show = service->options->show_status;
    if (show) {
        hf_status_line_begin(&line, service->host.store);
    }
    struct hf_config_watch *watch = NULL;
    if (service->options->watches_config &&
        hf_config_watch_new(&service->options->config, &watch) != HF_OK) {
        hf_log_line(service->host.log, HF_LOG_ERROR, "service",
                    "out of memory: the configuration is not watched; SIGHUP reloads it");
    }
    while (stop_signal == 0 && hf_graph_is_running(service->graph)) {
        hf_announce_state(&service->announce, &service->host);
        int number = sigtimedwait(&signals, NULL,
                                  hf_notify_wait(&service->announce.notify, next_look(service)));
        if (number == SIGHUP) {
            reload_unless_stopped(service);
        } else if (number == SIGTERM || number == SIGINT) {
            if (service->is_ephemeral) {
                hf_notify_stopping(&service->announce.notify);
                hf_ephemeral_drain(service->host.store, service->host.log);
            }
            note_signal(number);
        } else if (number < 0 && errno == EAGAIN && show) {
            hf_status_line_print(&line, service->host.store, service->graph, stderr);
        }
        if (hf_config_watch_settled(watch)) {
            reload_unless_stopped(service);
        }
    }
    hf_config_watch_free(watch);
    hf_notify_stopping(&service->announce.notify);
    if (stop_signal != 0) {
        hf_log_keys(
            service->host.log, HF_LOG_INFO, "service", "Received signal from OS",
            HF_LOG_KEYS(HF_LOG_TEXT("signal", stop_signal == SIGINT ? "interrupt" : "terminated")));
    }
}

static void watch_signals(void)
{
    struct sigaction action = {.sa_handler = note_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGPROF, &action, NULL); /* but while a profile is taken */
    /* A reload asked for before anything runs has nothing to do. */
    sigset_t hangup;
    sigemptyset(&hangup);
    sigaddset(&hangup, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &hangup, NULL);
}

/* Frees everything, unless a thread may still use some of it: then the process just ends. */
static void end(struct service *service, bool is_running, enum hf_exit code)
{
    hf_retired_add(&service->retired, service->graph, service->config);
    size_t left = hf_retired_sweep(&service->retired);
    for (int i = 0; i < LAST_LOOKS && left != 0; i++) {
        nanosleep(&(struct timespec){.tv_nsec = LAST_LOOK_NS}, NULL);
        left = hf_retired_sweep(&service->retired);
    }
    struct hf_log *log = service->host.log;
    if (left != 0 && log != NULL) {
        hf_log_line(log, HF_LOG_WARN, "service",
                    "a thread has not come back in time; the process ends without it");
    }
    if (is_running) {
        hf_log_line(log, HF_LOG_INFO, "service", "Shutdown complete.");
    }
    if (left != 0) {
        hf_last_resort_exit(code);
    }
    close_host(service);
}

enum hf_exit hf_service_run(const struct hf_service_options *options)
{
    char error[HF_ERROR_MAX] = "out of memory";
    struct service service = {.options = options, .began_ns = hf_clock_monotonic_ns()};
    hf_last_resort_prepare();
    watch_signals();
    hf_notify_init(&service.announce.notify);
    raise_descriptor_limit();
    service.config = load(&service);
    if (service.config == NULL) {
        return HF_EXIT_FAILED;
    }
    enum hf_status status = open_host(&service, error);
    if (status == HF_OK) {
        status = start_graph(&service, error);
    }
    bool is_good = status == HF_OK || (status == HF_CLOSED && stop_signal != 0);
    if (status == HF_OK) {
        serve(&service);
        is_good = stop_signal != 0;
        hf_log_line(service.host.log, HF_LOG_INFO, "service", "Starting shutdown...");
    } else if (!is_good) {
        fputs("error: ", stderr);
        hf_escape_print(HF_ESCAPE_LINE, hf_slice_text(error), stderr);
        fputc('\n', stderr);
    }
    if (service.commands != NULL) {
        hf_self_metrics_watch(service.self, NULL);
        hf_commands_watch(service.commands, NULL);
    }
    if (status == HF_OK) {
        hf_graph_stop(service.graph);
    }
    hf_own_telemetry_free(service.own);
    service.own = NULL;
    enum hf_exit code = is_good ? HF_EXIT_OK : HF_EXIT_FAILED;
    end(&service, status == HF_OK, code);
    return code;
}
