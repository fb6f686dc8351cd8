/*
 * control_fuzz: the input is what a client sends to the control socket of a store with two queues.
 * Must reach: read_request, hf_queue_command, parse, run_stat, run_ls, run_cat, run_verify,
 * run_drop, run_requeue.
 *
 * Whatever comes is answered, and the answer ends with an exit code.
 */
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "service/queue/command.h"
#include "storage/storage.h"
#include <service/control.h>
#include <service/control_protocol.h>
#include <util/log/log.h>

static char directory[] = "/tmp/holdfast-control-XXXXXX";
static struct hf_host host;
static struct hf_hand_over *hand_over;
static struct hf_commands *commands;
static struct hf_control *control;

static void on_done(struct wal_append *append, enum wal_status status)
{
    (void)append;
    check(status == WAL_OK);
}

#define RECORDS 4

/* What lives as long as the process: the sanitizer finds it here. */
static struct wal_append appends[RECORDS];
static struct hf_batch *batches[RECORDS];

static void put(struct wal *wal, size_t i)
{
    static const uint8_t body[] = {0x0a, 7, 0x12, 5, 0x12, 3, 0x2a, 1, 'x'};
    batches[i] = hf_batch_new(HF_TRACES, sizeof(body), HF_EMPTY_SLICE);
    check(batches[i] != NULL);
    memcpy(hf_batch_room(batches[i]), body, sizeof(body));
    hf_batch_seal(batches[i], sizeof(body), 1);
    appends[i] = (struct wal_append){.items = 1,
                                     .raw_bytes = sizeof(body),
                                     .time_ns = 1,
                                     .body = batches[i]->wire,
                                     .owner = &batches[i]->ref,
                                     .done = on_done};
    check(wal_admit(wal, &appends[i]) == WAL_OK);
    wal_append(wal, &appends[i]);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static void tear_down(void)
{
    hf_control_close(control);
    hf_commands_free(commands);
    hf_hand_over_free(hand_over);
    hf_storage_close(host.store);
    hf_log_free(host.log);
    (void)nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void set_up(void)
{
    char error[HF_ERROR_MAX] = "";
    const struct hf_log_options log = {.level = HF_LOG_ERROR + 1};
    const struct hf_queue_options queue = {0};
    struct wal *wal = NULL;
    check(mkdtemp(directory) != NULL && hf_log_new(&log, &host.log, error) == HF_OK);
    const struct hf_storage_options store = {.directory = directory, .log = host.log};
    check(hf_storage_open(&store, &host.store, error) == HF_OK);
    check(hf_storage_queue(host.store, "q", &queue, &wal, error) == HF_OK);
    struct wal *letters =
        hf_storage_dead_letters(host.store, "e", &(const struct wal_limits){16 << 20, false});
    check(letters != NULL);
    for (size_t i = 0; i < RECORDS; i++) {
        put(i < RECORDS / 2 ? wal : letters, i);
    }
    signal(SIGHUP, SIG_IGN); /* what `drain --to` asks for */
    check(hf_hand_over_new(&hand_over) == HF_OK);
    check(hf_commands_new(&host, hand_over, &commands) == HF_OK);
    check(hf_control_open(directory, commands, &control, error) == HF_OK);
    check(atexit(tear_down) == 0);
}

static void ask(const uint8_t *data, size_t size)
{
    char answer[4096];
    uint8_t last = UINT8_MAX;
    ssize_t got;
    int fd = hf_control_socket(directory, 0);
    check(fd >= 0);
    ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    while ((got = read(fd, answer, sizeof(answer))) > 0) {
        last = (uint8_t)answer[got - 1];
    }
    /* What was not read, because it is over the limit, can take the answer along. */
    bool is_long = size >= HF_CONTROL_REQUEST_MAX || sent != (ssize_t)size;
    check(is_long || (got == 0 && last <= HF_EXIT_DAMAGED));
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sigset_t all, before;
    if (memmem(data, size, "export", 6) != NULL) {
        return 0; /* it would speak to whomever it is told */
    }
    /* As in the program, whose threads hear no signals; the fuzzer's alarm comes afterwards. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (control == NULL) {
        set_up();
    }
    ask(data, size);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return 0;
}
