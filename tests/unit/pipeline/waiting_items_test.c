/* How much memory a million items take that wait in a queued processor on disk. The component keeps
 * a pointer for each request, and no bytes. */
#include "pipeline/queued_processor.h"

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h> /* needs the three before it */

#include "pipeline/graph_internal.h"
#include "storage/storage.h"
#include "util/log/log.h"
#include "util/metrics/metrics.h"

#define INPUTS 1000000u /* one item each, which is the worst case */
#define APPENDS_AT_ONCE 1024u
#define PATIENCE_S 100
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY_MAX ((size_t)1000 << 20) /* a sanitizer keeps much more for each allocation */
#else
#define MEMORY_MAX ((size_t)100 << 20)
#endif

struct waiting {
    struct hf_input **inputs;
    size_t count;
    sem_t all;
};

static enum hf_status keep(void *self, struct hf_input *input)
{
    struct waiting *waiting = self;
    waiting->inputs[waiting->count++] = input;
    if (waiting->count == INPUTS) {
        sem_post(&waiting->all);
    }
    return HF_OK;
}

static const struct hf_component component = {
    .type = "made_up",
    .kind = HF_PROCESSOR,
    .queued = &(const struct hf_queued_ops){.process_queued = keep}};

static sem_t appended;

static void on_done(struct wal_append *append, enum wal_status status)
{
    (void)append;
    assert_int_equal(status, WAL_OK);
    sem_post(&appended);
}

/* Log records of one empty body each: {1 {2 {2 ""}}}. */
static void fill(struct wal *wal)
{
    static const uint8_t body[] = {0x0a, 4, 0x12, 2, 0x12, 0};
    struct wal_append *appends = calloc(APPENDS_AT_ONCE, sizeof(*appends));
    struct hf_batch *batch = hf_batch_new(HF_LOGS, sizeof(body), HF_EMPTY_SLICE);
    assert_non_null(appends);
    assert_non_null(batch);
    memcpy(hf_batch_room(batch), body, sizeof(body));
    hf_batch_seal(batch, sizeof(body), 1);
    sem_init(&appended, 0, 0);
    for (size_t made = 0; made < INPUTS;) {
        size_t count = INPUTS - made < APPENDS_AT_ONCE ? INPUTS - made : APPENDS_AT_ONCE;
        for (size_t i = 0; i < count; i++) {
            appends[i] = (struct wal_append){.items = 1,
                                             .raw_bytes = sizeof(body),
                                             .kind = HF_LOGS,
                                             .body = batch->wire,
                                             .owner = &batch->ref,
                                             .done = on_done};
            assert_int_equal(wal_admit(wal, &appends[i]), WAL_OK);
            wal_append(wal, &appends[i]);
        }
        for (size_t i = 0; i < count; i++) {
            sem_wait(&appended);
        }
        made += count;
    }
    sem_destroy(&appended);
    hf_ref_drop(&batch->ref);
    free(appends);
}

static void copy_accounting(void *user, const struct wal_consumer_stat *stat)
{
    *(struct wal_accounting *)user = stat->accounting;
}

/* Anonymous memory of the program, in bytes. */
static size_t anonymous_memory(void)
{
    char line[128];
    unsigned long kib = 0;
    FILE *status = fopen("/proc/self/status", "r");
    assert_non_null(status);
    while (kib == 0 && fgets(line, sizeof(line), status) != NULL) {
        (void)sscanf(line, "RssAnon: %lu kB", &kib);
    }
    fclose(status);
    assert_true(kib != 0);
    return (size_t)kib << 10;
}

static void keeps_a_million_waiting_items_below_100_mib(void **state)
{
    char directory[] = "/tmp/hf-waiting-XXXXXX", error[512] = "", command[64];
    struct hf_host host = {0};
    const struct hf_log_options log = {.level = HF_LOG_ERROR + 1};
    const struct hf_queue_options options = {0};
    struct waiting waiting = {.inputs = calloc(INPUTS, sizeof(struct hf_input *))};
    struct hf_pipeline front = {.id = "logs", .signal = HF_LOGS};
    (void)state;
    assert_non_null(waiting.inputs);
    assert_non_null(mkdtemp(directory));
    sem_init(&waiting.all, 0, 0);
    assert_int_equal(hf_log_new(&log, &host.log, error), HF_OK);
    assert_int_equal(hf_metrics_new(&host.metrics), HF_OK);
    const struct hf_storage_options store = {
        .directory = directory, .log = host.log, .no_fsync = true};
    assert_int_equal(hf_storage_open(&store, &host.store, error), HF_OK);
    assert_int_equal(hf_storage_queue(host.store, front.id, &options, &front.wal, error), HF_OK);
    struct hf_node node = {
        .id = "made_up", .component = &component, .self = &waiting, .host = &host};
    assert_int_equal(hf_queued_processor_new(&node, &node.queued_processor), HF_OK);
    assert_int_equal(hf_queued_processor_add(node.queued_processor, &front, NULL), HF_OK);
    assert_int_equal(hf_queued_processor_open_consumers(node.queued_processor, false, error),
                     HF_OK);
    fill(front.wal);

    size_t before = anonymous_memory();
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    assert_int_equal(hf_queued_processor_start(node.queued_processor), HF_OK);
    assert_int_equal(sem_timedwait(&waiting.all, &until), 0);
    hf_queued_processor_stop(node.queued_processor);
    size_t after = anonymous_memory();
    print_message("%zu KiB before, %zu KiB after\n", before >> 10, after >> 10);
    assert_true(after < before + MEMORY_MAX);

    struct hf_batch *batch = NULL;
    assert_int_equal(hf_input_load(waiting.inputs[INPUTS / 2], &batch), HF_OK);
    assert_int_equal(batch->raw.size, 6);
    hf_ref_drop(&batch->ref);
    for (size_t i = 0; i < INPUTS; i++) {
        hf_input_done(waiting.inputs[i], i % 2);
    }
    struct wal_accounting accounting = {0};
    assert_int_equal(wal_consumer_each(front.wal, copy_accounting, &accounting), WAL_OK);
    assert_int_equal(accounting.queued.items, 0);
    assert_int_equal(accounting.delivered.items, INPUTS / 2);
    assert_int_equal(accounting.dropped[WAL_DROP_PROCESSOR].items, INPUTS / 2);

    hf_queued_processor_free(node.queued_processor);
    hf_storage_close(host.store);
    hf_metrics_free(host.metrics);
    hf_log_free(host.log);
    sem_destroy(&waiting.all);
    free(waiting.inputs);
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_a_million_waiting_items_below_100_mib),
    };
    return cmocka_run_group_tests_name("waiting_items", tests, NULL, NULL);
}
