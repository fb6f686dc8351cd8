/*
 * pprof: profiles of the running process at /debug/pprof/, in the format that `go tool pprof`
 * reads: CPU time by stack, what the allocator holds, threads. A CPU profile runs on a thread of
 * its own and holds the graph until it is answered.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "pprof_pages.h"
#include "support/health/html.h"
#include "support/health/page_server.h"
#include "support/probe/probe_inputs.h"
#include "util/thread.h"
#include "util/time/clock.h"

#define PREFIX "/debug/pprof/"
#define SECONDS_DEFAULT 30u
#define SECONDS_MAX 3600u
#define STOP_GRACE_NS (500 * HF_NS_PER_MS)
#define NO_MEMORY "out of memory: the CPU profile of save_to_file is not written"

struct pprof_config {
    struct hf_http_server_config http;
    const char *save_to_file;
};

struct pprof {
    struct hf_node *node;
    const struct pprof_config *config;
    struct hf_page_server pages;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t ending;
    bool ends;
    unsigned job_count; /* that are not answered yet */
    pthread_t saver;    /* with save_to_file */
    bool has_saver;
};

/* A CPU profile under way; `request` NULL: until the end, into the file. */
struct job {
    struct pprof *pprof;
    struct hf_http_request *request;
    struct hf_cpu_profile *profile;
    uint64_t until_ns; /* monotonic; 0: until the end */
};

/* ---- the CPU profile ---- */

/* Gathers until the time or the extension ends. */
static void run_profile(struct job *job)
{
    struct pprof *pprof = job->pprof;
    pthread_setname_np(pthread_self(), "profile");
    pthread_mutex_lock(&pprof->lock);
    uint64_t now_ns = hf_clock_monotonic_ns();
    while (!pprof->ends && (job->until_ns == 0 || now_ns < job->until_ns)) {
        uint64_t next_ns = now_ns + HF_CPU_PROFILE_GATHER_NS;
        next_ns = job->until_ns != 0 && next_ns > job->until_ns ? job->until_ns : next_ns;
        const struct timespec until = {(time_t)(next_ns / HF_NS_PER_S),
                                       (long)(next_ns % HF_NS_PER_S)};
        pthread_cond_timedwait(&pprof->ending, &pprof->lock, &until);
        pthread_mutex_unlock(&pprof->lock);
        hf_cpu_profile_gather(job->profile);
        pthread_mutex_lock(&pprof->lock);
        now_ns = hf_clock_monotonic_ns();
    }
    pthread_mutex_unlock(&pprof->lock);
    hf_cpu_profile_stop(job->profile);
}

static void answer_profile(struct hf_http_request *request, enum hf_status status,
                           const struct hf_bytes *out)
{
    if (status == HF_OK) {
        hf_page_answer(request, 200, "application/octet-stream", hf_slice_of(out->data, out->size));
    } else {
        hf_page_answer(request, 503, NULL, hf_slice_text("out of memory\n"));
    }
}

static void enter(struct pprof *pprof)
{
    pthread_mutex_lock(&pprof->lock);
    pprof->job_count++;
    pthread_mutex_unlock(&pprof->lock);
}

static void leave(struct pprof *pprof)
{
    pthread_mutex_lock(&pprof->lock);
    pprof->job_count--;
    pthread_cond_broadcast(&pprof->ending);
    pthread_mutex_unlock(&pprof->lock);
}

static void *answer_job(void *from)
{
    struct job *job = from;
    struct hf_node *node = job->pprof->node;
    struct hf_bytes out = {0};
    run_profile(job);
    answer_profile(job->request, hf_pprof_cpu(job->profile, &out), &out);
    hf_bytes_release(&out);
    hf_cpu_profile_free(job->profile);
    leave(job->pprof);
    free(job);
    hf_node_release(node);
    return NULL;
}

/* Decimal seconds, as Go reads them; 0: not given, or no number. */
static uint64_t seconds_of(const struct hf_http_request *request)
{
    const char *text = hf_http_query(request, "seconds");
    char *end = NULL;
    unsigned long seconds = text != NULL ? strtoul(text, &end, 10) : 0;
    if (text == NULL || *end != '\0' || seconds == 0) {
        return SECONDS_DEFAULT;
    }
    return seconds < SECONDS_MAX ? seconds : SECONDS_MAX;
}

static void begin_profile(struct pprof *pprof, struct hf_http_request *request)
{
    pthread_t thread;
    struct job *job = calloc(1, sizeof(*job));
    enum hf_status status = job != NULL ? hf_cpu_profile_start(&job->profile) : HF_NOMEM;
    if (status != HF_OK) {
        free(job);
        hf_page_answer(request, 500, NULL,
                       hf_slice_text(status == HF_BUSY ? "Could not enable CPU profiling: cpu "
                                                         "profiling already in use\n"
                                                       : "out of memory\n"));
        return;
    }
    job->pprof = pprof;
    job->request = request;
    job->until_ns = hf_clock_monotonic_ns() + seconds_of(request) * HF_NS_PER_S;
    hf_node_hold(pprof->node);
    enter(pprof);
    if (hf_thread_start(&thread, NULL, answer_job, job) != 0) {
        hf_cpu_profile_free(job->profile);
        free(job);
        hf_page_answer(request, 503, NULL, hf_slice_text("no thread can be started\n"));
        leave(pprof);
        hf_node_release(pprof->node);
        return;
    }
    pthread_detach(thread);
}

/* ---- save_to_file ---- */

static void save(struct pprof *pprof, const struct hf_bytes *out)
{
    const char *path = pprof->config->save_to_file;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, out->data, out->size) == (ssize_t)out->size;
    int error = errno;
    if (fd >= 0) {
        good = close(fd) == 0 && good;
    }
    if (!good) {
        hf_node_log_keys(
            pprof->node, HF_LOG_ERROR, "the CPU profile cannot be written",
            HF_LOG_KEYS(HF_LOG_TEXT("file", path), HF_LOG_TEXT("error", strerrordesc_np(error))));
    }
}

/* After a reload the profile of before has to end first. False: the extension ends. */
static bool wait_for_profile(struct job *job)
{
    struct pprof *pprof = job->pprof;
    enum hf_status status = hf_cpu_profile_start(&job->profile);
    while (status == HF_BUSY) {
        const struct timespec pause = {0, (long)HF_CPU_PROFILE_GATHER_NS};
        pthread_mutex_lock(&pprof->lock);
        bool ends = pprof->ends;
        pthread_mutex_unlock(&pprof->lock);
        if (ends) {
            return false;
        }
        nanosleep(&pause, NULL);
        status = hf_cpu_profile_start(&job->profile);
    }
    if (status != HF_OK) {
        hf_node_log(pprof->node, HF_LOG_ERROR, NO_MEMORY);
    }
    return status == HF_OK;
}

static void *save_job(void *from)
{
    struct job *job = from;
    struct hf_bytes out = {0};
    if (wait_for_profile(job)) {
        run_profile(job);
        if (hf_pprof_cpu(job->profile, &out) == HF_OK) {
            save(job->pprof, &out);
        } else {
            hf_node_log(job->pprof->node, HF_LOG_ERROR, NO_MEMORY);
        }
    }
    hf_bytes_release(&out);
    hf_cpu_profile_free(job->profile);
    free(job);
    return NULL;
}

/* From the start to the stop. What cannot be had is no reason not to start. */
static void begin_saving(struct pprof *pprof)
{
    struct job *job = calloc(1, sizeof(*job));
    if (job != NULL) {
        job->pprof = pprof;
        pprof->has_saver = hf_thread_start(&pprof->saver, NULL, save_job, job) == 0;
    }
    if (!pprof->has_saver) {
        hf_node_log(pprof->node, HF_LOG_ERROR, NO_MEMORY);
        free(job);
    }
}

/* ---- pages ---- */

static const struct {
    const char *name, *help;
} profiles[] = {
    {"profile", "CPU time by stack: ?seconds=N (30)"},
    {"heap", "what the allocator holds (?debug=1 as text)"},
    {"allocs", "the same"},
    {"threadcreate", "threads by name and their CPU time (?debug=1 as text)"},
    {"cmdline", "the command line"},
    {"symbol", "the functions at addresses"},
};

static void show_index(struct hf_http_request *request)
{
    static const char *const columns[] = {"Profile", "Content", NULL};
    struct hf_html html = {0};
    hf_html_begin(&html, "/debug/pprof/");
    hf_html_table(&html, columns);
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        hf_html_row(&html);
        hf_html_raw(&html, "<td><a href=\"" PREFIX);
        hf_html_raw(&html, profiles[i].name);
        hf_html_raw(&html, "\">");
        hf_html_raw(&html, profiles[i].name);
        hf_html_raw(&html, "</a></td>");
        hf_html_cell(&html, profiles[i].help);
        hf_html_end_row(&html);
    }
    hf_html_end_table(&html);
    hf_html_end(&html);
    bool good = hf_html_status(&html) == HF_OK;
    hf_page_answer(request, good ? 200 : 503, "text/html; charset=utf-8",
                   hf_slice_of(html.out.data, good ? html.out.size : 0));
    hf_html_release(&html);
}

static enum hf_status read_arguments(struct hf_bytes *out)
{
    char text[4096];
    FILE *file = fopen("/proc/self/cmdline", "re");
    size_t size = file != NULL ? fread(text, 1, sizeof(text), file) : 0;
    if (file != NULL) {
        fclose(file);
    }
    /* Between the arguments are NULs, and none at the end. */
    return hf_bytes_append(out, hf_slice_of(text, size != 0 ? size - 1 : 0));
}

static enum hf_status read_symbols(struct hf_http_request *request, struct hf_bytes *out)
{
    const struct hf_http_body *body = hf_http_request_body(request);
    return hf_pprof_symbols(body->raw, out);
}

/* What is made at once; HF_NOT_FOUND: there is no such profile. */
static enum hf_status make_page(struct hf_http_request *request, const char *name,
                                bool *ret_is_text, struct hf_bytes *out)
{
    const char *debug = hf_http_query(request, "debug");
    *ret_is_text = debug != NULL && strcmp(debug, "0") != 0;
    if (strcmp(name, "heap") == 0 || strcmp(name, "allocs") == 0) {
        return *ret_is_text ? hf_pprof_heap_text(out) : hf_pprof_heap(out);
    }
    if (strcmp(name, "threadcreate") == 0) {
        return *ret_is_text ? hf_pprof_threads_text(out) : hf_pprof_threads(out);
    }
    *ret_is_text = true;
    if (strcmp(name, "cmdline") == 0) {
        return read_arguments(out);
    }
    return strcmp(name, "symbol") == 0 ? read_symbols(request, out) : HF_NOT_FOUND;
}

static void show(void *user, struct hf_http_request *request)
{
    struct pprof *pprof = user;
    const char *path = hf_http_path(request);
    size_t size = sizeof(PREFIX) - 1;
    const char *name = strncmp(path, PREFIX, size) == 0 ? path + size : NULL;
    if (name == NULL) {
        hf_page_answer(request, 404, NULL, hf_slice_text("see " PREFIX "\n"));
    } else if (name[0] == '\0') {
        show_index(request);
    } else if (strcmp(name, "profile") == 0) {
        begin_profile(pprof, request);
    } else {
        struct hf_bytes out = {0};
        bool is_text;
        enum hf_status status = make_page(request, name, &is_text, &out);
        if (status == HF_NOT_FOUND) {
            hf_page_answer(request, 404, NULL,
                           hf_slice_text("there is no such profile; see " PREFIX "\n"));
        } else if (status == HF_OK && is_text) {
            hf_page_answer(request, 200, NULL, hf_slice_of(out.data, out.size));
        } else {
            answer_profile(request, status, &out);
        }
        hf_bytes_release(&out);
    }
}

/* ---- its life ---- */

static enum hf_status open_pprof(struct hf_node *node, const void *config, void **ret_self,
                                 char *reterr)
{
    pthread_condattr_t clock;
    struct pprof *pprof = calloc(1, sizeof(*pprof));
    if (pprof == NULL) {
        return HF_NOMEM;
    }
    pprof->node = node;
    pprof->config = config;
    pprof->pages = (struct hf_page_server){.node = node,
                                           .config = &pprof->config->http,
                                           .show = show,
                                           .user = pprof,
                                           .stop_grace_ns = STOP_GRACE_NS};
    enum hf_status status = hf_page_server_open(&pprof->pages, reterr);
    if (status != HF_OK) {
        free(pprof);
        return status;
    }
    pthread_mutex_init(&pprof->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&pprof->ending, &clock);
    pthread_condattr_destroy(&clock);
    *ret_self = pprof;
    return HF_OK;
}

static enum hf_status start_pprof(void *self, char *reterr)
{
    struct pprof *pprof = self;
    enum hf_status status = hf_page_server_start(&pprof->pages, reterr);
    if (status != HF_OK) {
        return status;
    }
    hf_node_log_keys(pprof->node, HF_LOG_INFO, "Starting net/http/pprof server",
                     HF_LOG_KEYS(HF_LOG_TEXT("endpoint", pprof->config->http.endpoint)));
    if (pprof->config->save_to_file != NULL && pprof->config->save_to_file[0] != '\0') {
        begin_saving(pprof);
    }
    return HF_OK;
}

static void stop_pprof(void *self)
{
    struct pprof *pprof = self;
    pthread_mutex_lock(&pprof->lock);
    pprof->ends = true;
    pthread_cond_broadcast(&pprof->ending);
    uint64_t until_ns = hf_clock_monotonic_ns() + STOP_GRACE_NS;
    const struct timespec until = {(time_t)(until_ns / HF_NS_PER_S),
                                   (long)(until_ns % HF_NS_PER_S)};
    int error = 0;
    while (pprof->job_count != 0 && error == 0) {
        error = pthread_cond_timedwait(&pprof->ending, &pprof->lock, &until);
    }
    pthread_mutex_unlock(&pprof->lock);
    if (pprof->has_saver) {
        pthread_join(pprof->saver, NULL);
        pprof->has_saver = false;
    }
    hf_page_server_stop(&pprof->pages);
}

static void close_pprof(void *self)
{
    struct pprof *pprof = self;
    hf_page_server_close(&pprof->pages);
    pthread_cond_destroy(&pprof->ending);
    pthread_mutex_destroy(&pprof->lock);
    free(pprof);
}

static const char *check_config(const void *from)
{
    const struct pprof_config *config = from;
    return hf_http_server_check(&config->http);
}

static const struct hf_field fields[] = {
    HF_HTTP_SERVER_FIELDS(struct pprof_config, http, "localhost:1777"),
    HF_SERVER_IGNORED("dialer", "A server opens no connections."),
    {.key = "block_profile_fraction",
     .type = HF_FIELD_IGNORED,
     .help = "There is no profile of what blocks."},
    {.key = "mutex_profile_fraction",
     .type = HF_FIELD_IGNORED,
     .help = "There is no profile of locks."},
    {.key = "save_to_file",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct pprof_config, save_to_file),
     .help = "A file for the CPU profile from the start to the stop; no other can be taken "
             "meanwhile."},
    HF_FIELDS_END,
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct pprof_config *config = from;
    hf_probe_http_server(probe, &config->http);
}

const struct hf_component hf_extension_pprof = {
    .type = "pprof",
    .help = "Profiles of the running process at /debug/pprof/, as go tool pprof reads them.",
    .kind = HF_EXTENSION,
    .config_size = sizeof(struct pprof_config),
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_pprof,
    .start = start_pprof,
    .stop = stop_pprof,
    .close = close_pprof,
};
