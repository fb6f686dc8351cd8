#include "replay.h"

#include <inttypes.h>
#include <semaphore.h>
#include <string.h>

#include <holdfast/batch.h>

#include "http/client.h"
#include "output.h"
#include "progress.h"
#include "util/compress/compress.h"
#include "util/loop.h"
#include "util/time/clock.h"

#define ATTEMPT_NS (UINT64_C(30) * HF_NS_PER_S)

/* One export run: the caller waits while the loop's thread sends. */
struct replay {
    const char *endpoint;
    struct hf_selection *selection;
    struct hf_progress progress;
    FILE *out;
    struct hf_loop *loop;
    struct hf_http_client *client;
    struct hf_task task;
    struct hf_http_call call;
    struct hf_slice body;
    char url[1024];
    char said[256];
    sem_t answered;
    int code;
    uint64_t records, items;
    bool failed;
};

static void on_answer(struct hf_http_call *call, const struct hf_http_result *result)
{
    struct replay *replay = HF_CONTAINER(call, struct replay, call);
    replay->code = result->status == HF_OK ? result->code : 0;
    snprintf(replay->said, sizeof(replay->said), "%s",
             result->status == HF_OK || result->error == NULL ? "" : result->error);
    sem_post(&replay->answered);
}

/* The loop's thread. */
static void send_one(struct hf_task *task)
{
    struct replay *replay = HF_CONTAINER(task, struct replay, task);
    replay->call = (struct hf_http_call){
        .method = "POST",
        .url = replay->url,
        .content_type = "application/x-protobuf",
        .pieces = &replay->body,
        .piece_count = 1,
        .deadline_ns = hf_loop_now_ns(replay->loop) + ATTEMPT_NS,
        .done = on_answer,
    };
    hf_http_client_call(replay->client, &replay->call);
}

/* False: it was not taken. */
static bool post(struct replay *replay, const struct wal_record *record)
{
    size_t size = strlen(replay->endpoint);
    snprintf(replay->url, sizeof(replay->url), "%.*s/v1/%s",
             (int)(size != 0 && replay->endpoint[size - 1] == '/' ? size - 1 : size),
             replay->endpoint, hf_signal_name((enum hf_signal)record->kind));
    replay->code = 0;
    hf_loop_post(replay->loop, &replay->task);
    while (sem_wait(&replay->answered) != 0) {
    }
    if (replay->code < 200 || replay->code > 299) {
        hf_queue_say(replay->out, "error: record %" PRIu64 " was not taken by %s: code %d %s\n",
                     record->sequence, replay->url, replay->code, replay->said);
        replay->failed = true;
        return false;
    }
    return true;
}

static bool replay_record(void *user, const struct wal_record *record, bool damaged)
{
    struct replay *replay = user;
    uint32_t items = 0;
    if (record->sequence >= hf_selection_end(replay->selection)) {
        return false;
    }
    hf_progress_step(&replay->progress, 1);
    if (!hf_selection_has(replay->selection, record)) {
        return hf_queue_is_read(replay->out);
    }
    if (damaged ||
        hf_selection_choose(replay->selection, record, false, &replay->body, &items) != HF_OK) {
        fprintf(replay->out, "record %" PRIu64 " is damaged and left out\n", record->sequence);
        return true;
    }
    if (items != 0 && !post(replay, record)) {
        return false;
    }
    replay->records += items != 0 ? 1 : 0;
    replay->items += items;
    return hf_queue_is_read(replay->out);
}

/* Records that may be met. */
static uint64_t total_of(struct wal *wal, const struct hf_selection *selection)
{
    struct wal_stat stat;
    wal_stat(wal, &stat);
    uint64_t first = hf_selection_first(selection), end = hf_selection_end(selection);
    first = first > stat.first_sequence ? first : stat.first_sequence;
    end = end < stat.next_sequence ? end : stat.next_sequence;
    return end > first ? end - first : 0;
}

enum hf_exit hf_queue_export(struct wal *wal, const struct hf_queue_arguments *arguments,
                             struct hf_selection *selection, FILE *out)
{
    char error[HF_ERROR_MAX] = "out of memory";
    struct replay replay = {.endpoint = arguments->endpoint,
                            .selection = selection,
                            .out = out,
                            .task = {.run = send_one}};
    hf_progress_begin(&replay.progress, arguments->progress, total_of(wal, selection), out);
    sem_init(&replay.answered, 0, 0);
    enum hf_status status = hf_loop_new(&replay.loop);
    if (status == HF_OK) {
        const struct hf_http_client_options options = {.loop = replay.loop,
                                                       .user_agent = "Holdfast/" HF_VERSION};
        status = hf_http_client_new(&options, &replay.client, error);
    }
    if (status == HF_OK) {
        status = hf_loop_start_thread(replay.loop, "export");
    }
    if (status == HF_OK) {
        enum wal_status scanned = hf_selection_scan(selection, wal, replay_record, &replay);
        snprintf(error, sizeof(error), "%s", wal_status_text(scanned));
        status = hf_status_of_wal(scanned);
        hf_loop_join(replay.loop);
    }
    if (replay.client != NULL) {
        hf_http_client_free(replay.client);
    }
    if (replay.loop != NULL) {
        hf_loop_free(replay.loop);
    }
    sem_destroy(&replay.answered);
    if (status != HF_OK) {
        fprintf(out, "error: %s\n", error);
    }
    hf_queue_say(out, "exported %" PRIu64 " records, %" PRIu64 " items to %s\n", replay.records,
                 replay.items, replay.endpoint);
    return status == HF_OK && !replay.failed ? HF_EXIT_OK : HF_EXIT_FAILED;
}
