#include "bench.h"

#include <ftw.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <holdfast/ref.h>

#include "input.h"
#include "pipeline/graph.h"
#include "pipeline/graph_internal.h"
#include "pipeline/ingest.h"
#include "service/loops.h"
#include "storage/storage.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/metrics.h"

#define STEP_NS HF_NS_PER_S /* what waits looks at the time about once a second */
#define STEPS_MAX 5000u
#define LOOK_NS (5 * HF_NS_PER_MS)
#define QUIET_LOOKS 20u /* without any change: nothing more happens */
#define LOOKS_MAX 4000u

struct hf_test_bench {
    char directory[64];
    struct hf_host host;
    struct hf_graph *graph;
    struct hf_test_ends ends;
};

/* ---- its life ---- */

static enum hf_status open_host(struct hf_test_bench *bench, const char *log_path, char *reterr)
{
    const char *const paths[] = {log_path};
    const struct hf_log_options log = {.level = HF_LOG_DEBUG, .output_paths = {paths, 1}};
    const struct hf_storage_options storage = {.directory = bench->directory, .no_fsync = true};
    const char *folder = getenv("TMPDIR");
    snprintf(bench->directory, sizeof(bench->directory), "%.40s/holdfast-test-XXXXXX",
             folder != NULL ? folder : "/tmp");
    if (mkdtemp(bench->directory) == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "cannot make a directory in %.40s; set TMPDIR",
                 folder != NULL ? folder : "/tmp");
        bench->directory[0] = '\0';
        return HF_IO;
    }
    enum hf_status status = hf_log_new(&log, &bench->host.log, reterr);
    if (status == HF_OK) {
        status = hf_metrics_new(&bench->host.metrics);
    }
    if (status == HF_OK) {
        status = hf_loops_start(&bench->host);
    }
    if (status == HF_OK) {
        struct hf_storage_options options = storage;
        options.log = bench->host.log;
        status = hf_storage_open(&options, &bench->host.store, reterr);
    }
    return status;
}

enum hf_status hf_test_bench_open(const struct hf_config *config, const char *log_path,
                                  struct hf_test_bench **ret_bench, char *reterr)
{
    struct hf_test_bench *bench = calloc(1, sizeof(*bench));
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    if (bench == NULL) {
        return HF_NOMEM;
    }
    hf_test_ends_init(&bench->ends);
    enum hf_status status = open_host(bench, log_path, reterr);
    if (status == HF_OK) {
        status = hf_graph_open(config, &bench->host, &bench->graph, reterr);
    }
    if (status == HF_OK) {
        status = hf_graph_start(bench->graph, NULL, reterr);
    }
    if (status != HF_OK) {
        hf_test_bench_close(bench);
        return status;
    }
    *ret_bench = bench;
    return HF_OK;
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *where)
{
    (void)about, (void)type, (void)where;
    return remove(path);
}

void hf_test_bench_close(struct hf_test_bench *bench)
{
    if (bench == NULL) {
        return;
    }
    hf_graph_stop(bench->graph);
    hf_graph_free(bench->graph);
    hf_loops_stop(&bench->host);
    hf_storage_close(bench->host.store);
    hf_metrics_free(bench->host.metrics);
    hf_log_free(bench->host.log);
    hf_test_ends_release(&bench->ends);
    if (bench->directory[0] != '\0' &&
        nftw(bench->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0) {
        fprintf(stderr, "warning: %s cannot be removed\n", bench->directory);
    }
    free(bench);
}

/* ---- input ---- */

struct put {
    struct hf_test_bench *bench;
    struct hf_node *receiver; /* NULL: to the pipeline alone */
    struct hf_pipeline *pipeline;
    struct hf_reply reply;
    sem_t answered;
    enum hf_status status;
};

static void on_answer(struct hf_reply *reply, enum hf_status status)
{
    struct put *put = HF_CONTAINER(reply, struct put, reply);
    put->status = status;
    sem_post(&put->answered);
}

static enum hf_status put_batch(void *user, struct hf_batch *batch, char *reterr)
{
    struct put *put = user;
    put->reply.done = on_answer;
    if (put->pipeline != NULL && put->pipeline->signal != batch->signal) {
        snprintf(reterr, HF_ERROR_MAX, "%s is no pipeline of %s", put->pipeline->id,
                 hf_signal_name(batch->signal));
        return HF_INVALID;
    }
    if (put->pipeline == NULL &&
        (hf_node_signals(put->receiver) & HF_SIGNAL_BIT(batch->signal)) == 0) {
        snprintf(reterr, HF_ERROR_MAX, "%s is in no pipeline of %s", hf_node_id(put->receiver),
                 hf_signal_name(batch->signal));
        return HF_INVALID;
    }
    sem_init(&put->answered, 0, 0);
    if (put->pipeline != NULL) {
        hf_submit_to(put->receiver, &put->pipeline, 1, batch, &put->reply);
    } else {
        hf_submit(put->receiver, batch, "test", &put->reply);
    }
    while (sem_wait(&put->answered) != 0) {
        /* interrupted */
    }
    sem_destroy(&put->answered);
    if (put->status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "it was refused: %s", hf_status_row(put->status)->says);
    }
    return put->status;
}

static struct hf_pipeline *find_pipeline(const struct hf_test_bench *bench, const char *id)
{
    for (size_t i = 0; i < bench->graph->pipeline_count; i++) {
        if (strcmp(bench->graph->pipelines[i].id, id) == 0) {
            return &bench->graph->pipelines[i];
        }
    }
    return NULL;
}

/* "receivers::otlp", "receivers/otlp" and "otlp" are the same. */
static const char *plain_id(const char *id, const char *section)
{
    size_t size = strlen(section);
    if (strncmp(id, section, size) != 0) {
        return id;
    }
    id += size;
    return *id == '/' ? id + 1 : strncmp(id, "::", 2) == 0 ? id + 2 : id;
}

enum hf_status hf_test_bench_put(struct hf_test_bench *bench, const struct hf_test_input *input,
                                 const char *folder, char *reterr)
{
    struct put put = {.bench = bench};
    put.receiver = hf_test_receiver(&bench->ends, plain_id(input->to, "receivers"));
    if (put.receiver == NULL) {
        put.pipeline = find_pipeline(bench, plain_id(input->to, "pipelines"));
        put.receiver = bench->ends.receiver_count != 0 ? bench->ends.receivers[0] : NULL;
    }
    if (put.receiver == NULL ||
        (put.pipeline == NULL &&
         strcmp(hf_node_id(put.receiver), plain_id(input->to, "receivers")) != 0)) {
        snprintf(reterr, HF_ERROR_MAX, "no receiver and no pipeline in use is called %.200s",
                 input->to);
        return HF_NOT_FOUND;
    }
    return hf_test_input_each(input, folder, put_batch, &put, reterr);
}

/* ---- time ---- */

void hf_test_bench_advance(struct hf_test_bench *bench, uint64_t ns)
{
    uint64_t step_ns = ns / STEPS_MAX > STEP_NS ? ns / STEPS_MAX : STEP_NS;
    while (ns != 0) {
        uint64_t now_ns = ns < step_ns ? ns : step_ns;
        hf_clock_skip(now_ns);
        hf_graph_wake(bench->graph);
        ns -= now_ns;
    }
}

static void add_consumer(void *user, const struct wal_consumer_stat *stat)
{
    uint64_t *sum = user;
    *sum += stat->accounting.delivered.items + stat->accounting.dead_lettered.items;
    for (int i = 0; i < WAL_DROP_COUNT; i++) {
        *sum += stat->accounting.dropped[i].items;
    }
}

static void add_queue(void *user, const char *kind, const char *id, struct wal *wal)
{
    uint64_t *sum = user;
    struct wal_stat stat;
    (void)kind, (void)id;
    wal_stat(wal, &stat);
    *sum += stat.appended.items + stat.commits;
    enum wal_status seen = wal_consumer_each(wal, add_consumer, sum);
    (void)seen; /* it counts with the next look */
}

/* Grows with all that happens to data. */
static uint64_t progress(struct hf_test_bench *bench)
{
    uint64_t sum = 0;
    hf_storage_each(bench->host.store, add_queue, &sum);
    pthread_mutex_lock(&bench->ends.lock);
    sum += bench->ends.items;
    pthread_mutex_unlock(&bench->ends.lock);
    return sum;
}

void hf_test_bench_settle(struct hf_test_bench *bench)
{
    const struct timespec pause = {0, (long)LOOK_NS};
    uint64_t before = UINT64_MAX;
    unsigned quiet = 0;
    for (unsigned i = 0; i < LOOKS_MAX && quiet < QUIET_LOOKS; i++) {
        hf_graph_wake(bench->graph);
        uint64_t now = progress(bench);
        quiet = now == before ? quiet + 1 : 0;
        before = now;
        nanosleep(&pause, NULL);
    }
}

const struct hf_test_ends *hf_test_bench_ends(const struct hf_test_bench *bench)
{
    return &bench->ends;
}

bool hf_test_bench_has_exporter(const struct hf_test_bench *bench, const char *id)
{
    return hf_graph_has_exporter(bench->graph, id);
}
