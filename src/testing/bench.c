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
#include "node/taps.h"
#include "pipeline/graph.h"
#include "pipeline/graph_internal.h"
#include "pipeline/ingest.h"
#include "service/loops.h"
#include "storage/storage.h"
#include "util/log/log.h"
#include "util/metrics/metrics.h"
#include "util/time/clock.h"

#define STEP_NS HF_NS_PER_S /* what waits looks at the time about once a second */
#define STEPS_MAX 5000u
#define LOOK_NS (5 * HF_NS_PER_MS)
#define QUIET_LOOKS 20u /* without any change: nothing more happens */
#define LOOKS_MAX 4000u
#define STEP_LOOKS 3u      /* after a step of the time */
#define STEPS_SETTLED 300u /* with more of them, none is waited for: they would take too long */

struct hf_test_bench {
    char directory[64];
    struct hf_host host;
    struct hf_graph *graph;
    struct hf_test_ends ends;
    struct hf_tap *tap; /* that shows what passes; NULL: not open yet */
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
    const struct hf_tap_options tap = {
        .kind = -1, .sample = 1, .visit = hf_test_see, .user = &bench->ends};
    enum hf_status status = hf_log_new(&log, &bench->host.log, reterr);
    if (status == HF_OK) {
        status = hf_taps_new(&bench->host);
    }
    if (status == HF_OK) {
        status = hf_tap_open(&bench->host, &tap, &bench->tap);
    }
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
    if (bench->tap != NULL) {
        hf_tap_close(bench->tap);
    }
    hf_taps_free(&bench->host);
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
    struct hf_node *receiver;
    struct hf_pipeline *pipeline;   /* to it alone; NULL: to those of the receiver */
    size_t first;                   /* of its processors */
    const char *processor, *wanted; /* to that processor, in that pipeline; NULL: not said */
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

static bool find_in(struct hf_pipeline *pipeline, const char *processor, size_t *ret_first)
{
    for (size_t i = 0; i < pipeline->processor_count; i++) {
        if (strcmp(hf_node_id(pipeline->processors[i]), processor) == 0) {
            *ret_first = i;
            return true;
        }
    }
    for (size_t i = 0; i < pipeline->behind_count; i++) {
        const struct hf_node *node = pipeline->behind[i];
        if (node->component->kind == HF_PROCESSOR && strcmp(hf_node_id(node), processor) == 0) {
            *ret_first = pipeline->processor_count; /* it reads the queue */
            return true;
        }
    }
    return false;
}

/* "traces" of "traces" and of "traces>tail_sampling". */
static bool is_part_of(const char *id, const char *pipeline)
{
    size_t size = strlen(pipeline);
    return strncmp(id, pipeline, size) == 0 && (id[size] == '\0' || id[size] == '>');
}

/* The place of the processor among the pipelines of the signal; there must be one. */
static enum hf_status find_processor(struct put *put, enum hf_signal signal, char *reterr)
{
    const struct hf_graph *graph = put->bench->graph;
    put->pipeline = NULL;
    for (size_t i = 0; i < graph->pipeline_count; i++) {
        struct hf_pipeline *pipeline = &graph->pipelines[i];
        size_t first = 0;
        if (pipeline->signal != signal ||
            (put->wanted != NULL && !is_part_of(pipeline->id, put->wanted)) ||
            !find_in(pipeline, put->processor, &first)) {
            continue;
        }
        if (put->pipeline != NULL) {
            snprintf(reterr, HF_ERROR_MAX,
                     "%.100s is in %.100s and in %.100s: write pipeline: %.100s", put->processor,
                     put->pipeline->id, pipeline->id, put->pipeline->id);
            return HF_INVALID;
        }
        put->pipeline = pipeline;
        put->first = first;
    }
    if (put->pipeline == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "%.200s is in no %s of %s", put->processor,
                 put->wanted != NULL ? "such pipeline" : "pipeline", hf_signal_name(signal));
    }
    return put->pipeline != NULL ? HF_OK : HF_NOT_FOUND;
}

static enum hf_status check_signal(const struct put *put, enum hf_signal signal, char *reterr)
{
    if (put->pipeline != NULL && put->pipeline->signal != signal) {
        snprintf(reterr, HF_ERROR_MAX, "%s is no pipeline of %s", put->pipeline->id,
                 hf_signal_name(signal));
        return HF_INVALID;
    }
    if (put->pipeline == NULL && (hf_node_signals(put->receiver) & HF_SIGNAL_BIT(signal)) == 0) {
        snprintf(reterr, HF_ERROR_MAX, "%s is in no pipeline of %s", hf_node_id(put->receiver),
                 hf_signal_name(signal));
        return HF_INVALID;
    }
    return HF_OK;
}

static enum hf_status put_batch(void *user, struct hf_batch *batch, char *reterr)
{
    struct put *put = user;
    put->reply.done = on_answer;
    enum hf_status status = put->processor != NULL ? find_processor(put, batch->signal, reterr)
                                                   : check_signal(put, batch->signal, reterr);
    if (status != HF_OK) {
        return status;
    }
    sem_init(&put->answered, 0, 0);
    if (put->pipeline != NULL) {
        hf_submit_at(put->receiver, put->pipeline, put->first, batch, &put->reply);
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

/* "receivers::otlp", "receivers/otlp" and "otlp" are the same; NULL: of another section. */
static const char *plain_id(const char *id, const char *section)
{
    static const char *const sections[] = {"receivers", "processors", "exporters", "connectors",
                                           "pipelines"};
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        size_t size = strlen(sections[i]);
        size_t mark = id[size] == '/' ? 1 : strncmp(id + size, "::", 2) == 0 ? 2 : 0;
        if (strncmp(id, sections[i], size) == 0 && mark != 0) {
            return strcmp(sections[i], section) == 0 ? id + size + mark : NULL;
        }
    }
    return id;
}

struct search {
    const char *id;
    enum hf_kind kind;
    const struct hf_node *found;
};

static void look_at(void *user, const struct hf_node *node)
{
    struct search *search = user;
    if (search->id != NULL && node->component->kind == search->kind &&
        strcmp(hf_node_id(node), search->id) == 0) {
        search->found = node;
    }
}

static const struct hf_node *find_node(const struct hf_test_bench *bench, const char *id,
                                       enum hf_kind kind)
{
    struct search search = {id, kind, NULL};
    hf_graph_each_node(bench->graph, look_at, &search);
    return search.found;
}

enum hf_status hf_test_bench_put(struct hf_test_bench *bench, const struct hf_test_input *input,
                                 const char *folder, char *reterr)
{
    struct put put = {.bench = bench, .wanted = input->pipeline};
    const char *receiver = plain_id(input->to, "receivers");
    const char *pipeline = plain_id(input->to, "pipelines");
    const char *processor = plain_id(input->to, "processors");
    put.receiver = receiver != NULL ? hf_test_receiver(&bench->ends, receiver) : NULL;
    if (put.receiver == NULL && bench->ends.receiver_count != 0) {
        put.receiver = bench->ends.receivers[0];
        put.pipeline = pipeline != NULL ? find_pipeline(bench, pipeline) : NULL;
        if (put.pipeline == NULL && find_node(bench, processor, HF_PROCESSOR) != NULL) {
            put.processor = processor;
        } else if (put.pipeline == NULL) {
            put.receiver = NULL;
        }
    }
    if (put.receiver == NULL) {
        snprintf(reterr, HF_ERROR_MAX,
                 "no receiver, no pipeline and no processor in use is called %.200s", input->to);
        return HF_NOT_FOUND;
    }
    return hf_test_input_each(input, folder, put_batch, &put, reterr);
}

/* ---- what happens ---- */

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

/* Until nothing has changed for so many looks; once something has, for as many as always. */
static void settle(struct hf_test_bench *bench, uint64_t before, unsigned looks)
{
    const struct timespec pause = {0, (long)LOOK_NS};
    unsigned quiet = 0;
    for (unsigned i = 0; i < LOOKS_MAX && quiet < looks; i++) {
        hf_graph_wake(bench->graph);
        nanosleep(&pause, NULL);
        uint64_t now = progress(bench);
        quiet = now == before ? quiet + 1 : 0;
        looks = now == before ? looks : QUIET_LOOKS;
        before = now;
    }
}

void hf_test_bench_settle(struct hf_test_bench *bench)
{
    settle(bench, progress(bench), QUIET_LOOKS);
}

/* ---- time ---- */

void hf_test_bench_advance(struct hf_test_bench *bench, uint64_t ns)
{
    uint64_t step_ns = ns / STEPS_MAX > STEP_NS ? ns / STEPS_MAX : STEP_NS;
    bool is_short = ns / step_ns <= STEPS_SETTLED;
    while (ns != 0) {
        uint64_t now_ns = ns < step_ns ? ns : step_ns;
        uint64_t before = is_short ? progress(bench) : 0;
        hf_clock_skip(now_ns);
        if (is_short) {
            settle(bench, before, STEP_LOOKS);
        } else {
            hf_graph_wake(bench->graph);
        }
        ns -= now_ns;
    }
}

const struct hf_test_ends *hf_test_bench_ends(const struct hf_test_bench *bench)
{
    return &bench->ends;
}

bool hf_test_bench_has_batching(const struct hf_test_bench *bench)
{
    bool is_found = false;
    for (size_t i = 0; i < bench->graph->pipeline_count; i++) {
        is_found = is_found || bench->graph->pipelines[i].batching_id != NULL;
    }
    return is_found;
}

enum hf_status hf_test_bench_find(const struct hf_test_bench *bench, const char *at,
                                  const char *pipeline, struct hf_test_place *ret_place,
                                  char *reterr)
{
    static const struct {
        const char *section;
        enum hf_kind kind;
        enum hf_test_place_kind place;
    } rows[] = {{"exporters", HF_EXPORTER, HF_TEST_EXPORTER},
                {"processors", HF_PROCESSOR, HF_TEST_PROCESSOR},
                {"connectors", HF_CONNECTOR, HF_TEST_CONNECTOR}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct hf_node *node = find_node(bench, plain_id(at, rows[i].section), rows[i].kind);
        if (node != NULL) {
            *ret_place = (struct hf_test_place){rows[i].place, hf_node_id(node), pipeline};
            return HF_OK;
        }
    }
    const char *id = plain_id(at, "pipelines");
    const struct hf_pipeline *found = id != NULL ? find_pipeline(bench, id) : NULL;
    if (found != NULL) {
        *ret_place = (struct hf_test_place){HF_TEST_QUEUE, found->id, NULL};
        return HF_OK;
    }
    snprintf(reterr, HF_ERROR_MAX,
             "no exporter, processor, connector or pipeline in use is called %.200s", at);
    return HF_NOT_FOUND;
}
