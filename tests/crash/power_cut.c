/*
 * power_cut: records every write and sync of a queue, builds the directories that a disk could be
 * left with when the power fails, at any moment and with any part of what was not synced (disk.h),
 * and looks in each for what had been acknowledged before that moment. The queue goes on from some
 * of them, and the power fails again.
 *
 *   power_cut VICTIM SHIM [--states N] [--round N] [--seed N] [--jobs N] [--at DIR] [--keep]
 *
 * The last line says `states N lost L repeated R`; exits 1 when anything was lost or otherwise
 * wrong. A round that fails is printed with what repeats it.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk.h"
#include "judge.h"
#include "scene.h"
#include "stage.h"

enum { LIVES = 3, IN_FLIGHT = 14, STATES_A_LIFE = 60, JOBS_MAX = 16, VERIFY_SECONDS = 60 };

struct settings {
    const char *victim, *shim, *at;
    uint64_t states, seed;
    uint64_t round; /* only that one; 0: all */
    unsigned jobs;
    bool is_kept;
};

/* One for all jobs, shared. */
struct totals {
    atomic_ulong states, acked, lost, repeated, most_pending, bad;
};

/* What is known of the world at one moment of a life. */
struct history {
    uint8_t *bytes; /* the log */
    size_t size, at;
    struct truth *truths;
    size_t truth_count, truth_room;
    size_t operations;
};

struct round {
    const struct settings *settings;
    struct totals *totals;
    struct stage stage;
    struct history history;
    uint64_t number, state; /* of the generator */
    unsigned life;
    bool is_bad; /* what follows would say the same again */
};

static uint64_t draw(struct round *round)
{
    uint64_t x = round->state += UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static void *need(void *memory)
{
    if (memory == NULL) {
        perror("power_cut");
        exit(2);
    }
    return memory;
}

static void complain(struct round *round, const char *what)
{
    round->totals->bad++;
    round->is_bad = true;
    printf("--round %lu --seed %lu, life %u, after %zu operations: %s\n", round->number,
           round->settings->seed, round->life, round->history.operations, what);
    fflush(stdout);
}

/* ---- history ---- */

static void add_truths(struct history *history, const void *bytes, size_t size)
{
    size_t count = size / sizeof(struct truth);

    if (history->truth_count + count > history->truth_room) {
        history->truth_room = (history->truth_count + count) * 2;
        history->truths =
            need(realloc(history->truths, history->truth_room * sizeof(struct truth)));
    }
    memcpy(&history->truths[history->truth_count], bytes, count * sizeof(struct truth));
    history->truth_count += count;
}

static void read_log(struct round *round)
{
    struct history *history = &round->history;
    struct stat info = {0};
    int fd = open(round->stage.log, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &info) != 0) {
        perror(round->stage.log);
        exit(2);
    }
    free(history->bytes);
    history->size = (size_t)info.st_size;
    history->bytes = need(malloc(history->size + 1));
    for (size_t done = 0; done < history->size;) {
        ssize_t n = read(fd, &history->bytes[done], history->size - done);
        if (n <= 0) {
            perror(round->stage.log);
            exit(2);
        }
        done += (size_t)n;
    }
    close(fd);
    history->at = 0;
    history->operations = 0;
}

/* The next operation; truths on the way are taken in. NULL: the end. Entries lie at any address:
 * see `entry`. */
static bool next_operation(struct history *history, struct crash_entry **ret_entry)
{
    while (history->at + sizeof(struct crash_entry) <= history->size) {
        struct crash_entry head;
        memcpy(&head, &history->bytes[history->at], sizeof(head));
        size_t paths = (size_t)head.path_bytes + head.path2_bytes;
        size_t size = sizeof(head) + paths + head.data_bytes;
        if (size > history->size - history->at) {
            break; /* killed while it was written */
        }
        const uint8_t *from = &history->bytes[history->at];
        history->at += size;
        if (head.op == OP_TRUTH) {
            add_truths(history, &from[sizeof(head)], head.data_bytes);
            continue;
        }
        *ret_entry = need(malloc(size)); /* aligned */
        memcpy(*ret_entry, from, size);
        history->operations++;
        return true;
    }
    return false;
}

static size_t count_operations(const struct history *history)
{
    size_t count = 0;

    for (size_t at = 0; at + sizeof(struct crash_entry) <= history->size;) {
        struct crash_entry head;
        memcpy(&head, &history->bytes[at], sizeof(head));
        count += head.op != OP_TRUTH;
        at += sizeof(head) + head.path_bytes + head.path2_bytes + head.data_bytes;
    }
    return count;
}

/* ---- looking at one state ---- */

/* Runs the verification in a child, so that it may crash; its truths are added for good only by
 * `keep`. */
static int verify(const char *directory, struct history *history)
{
    int fd = memfd_create("truth", MFD_CLOEXEC);
    int status = 0;
    struct stat info;

    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        alarm(VERIFY_SECONDS);
        scene_verify(&(struct scene_options){.directory = directory, .truth_fd = fd});
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0 || fstat(fd, &info) != 0) {
        perror("verify");
        exit(2);
    }
    uint8_t *bytes = need(malloc((size_t)info.st_size + 1));
    if (pread(fd, bytes, (size_t)info.st_size, 0) == info.st_size) {
        add_truths(history, bytes, (size_t)info.st_size);
    }
    free(bytes);
    close(fd);
    return status;
}

static void look(struct round *round, const struct disk *disk)
{
    const struct judge_rules rules = {.may_repeat = true,
                                      .extra_max = (uint64_t)(round->life + 1) * 2 * IN_FLIGHT};
    struct totals *totals = round->totals;
    char directory[640], words[300];
    struct verdict verdict;

    snprintf(directory, sizeof(directory), "%s/state", round->stage.base);
    stage_empty(directory);
    uint64_t which = draw(round);
    disk_cut(disk, directory, which);
    size_t truths = round->history.truth_count;
    int status = verify(directory, &round->history);
    judge(round->history.truths, round->history.truth_count, &rules, &verdict);
    round->history.truth_count = truths;
    totals->states++;
    totals->acked += verdict.acked;
    totals->lost += verdict.lost;
    totals->repeated += verdict.repeated;
    if (disk_pending(disk) > totals->most_pending) {
        totals->most_pending = disk_pending(disk);
    }
    if (status != 0 || !judge_is_good(&verdict)) {
        snprintf(words, sizeof(words), "%s (lost %lu, faults %lu, end %#x)", verdict.words,
                 verdict.lost, verdict.faults, (unsigned)status);
        complain(round, words);
        if (round->settings->is_kept) {
            char before[640];
            snprintf(before, sizeof(before), "%s/before", round->stage.base);
            stage_empty(before);
            disk_cut(disk, before, which);
            printf("before it was opened: %s, after: %s; waiting to be killed\n", before,
                   directory);
            fflush(stdout);
            pause();
        }
    }
}

/* ---- lives ---- */

static bool run(struct round *round, uint64_t first, unsigned count, bool is_killed)
{
    static const char *const hows[] = {"before", "after", "torn", "cached", "cached"};
    char kill[64];
    uint64_t at = 1 + draw(round) % (count * 4);

    snprintf(kill, sizeof(kill), "%lu:%s:%lu", at, hows[draw(round) % 5], draw(round) % 97);
    int status = stage_run(&round->stage, &(struct stage_run){.mode = "fill",
                                                              .first = first,
                                                              .count = count,
                                                              .kill = is_killed ? kill : NULL,
                                                              .has_log = true});
    bool is_good = status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    if (!is_good) {
        complain(round, "the victim failed");
    }
    return is_good;
}

/*
 * Processes run in the directory, one or two of them; the second finds in the page cache what the
 * first had not synced. Then states of the disk are looked at, and the last becomes the directory
 * of the next life.
 */
static bool live(struct round *round)
{
    struct disk *disk = disk_new(round->stage.directory);
    struct crash_entry *entry = NULL;
    struct crash_entry **entries = NULL;
    size_t entry_count = 0;
    uint64_t first = 1 + (uint64_t)round->life * STAGE_LIFE;

    unlink(round->stage.log);
    bool has_second = draw(round) % 2 == 0;
    bool is_good = run(round, first, round->life == 0 ? 500 : 160, has_second || draw(round) % 2);
    if (is_good && has_second) {
        is_good = run(round, first + STAGE_LIFE / 2, 120, draw(round) % 2 == 0);
    }
    read_log(round);
    size_t count = count_operations(&round->history);
    size_t end = round->life + 1 < LIVES ? count - draw(round) % (count / 2 + 1) : count;
    entries = need(calloc(count + 1, sizeof(*entries)));
    while (entry_count < end && next_operation(&round->history, &entry)) {
        entries[entry_count++] = entry;
        disk_begin(disk, entry);
        if (draw(round) % (end + 1) < STATES_A_LIFE && !round->is_bad) {
            look(round, disk);
        }
        disk_end(disk);
    }
    if (!round->is_bad) {
        look(round, disk);
    }
    stage_clear(&round->stage);
    disk_cut(disk, round->stage.directory, draw(round));
    disk_free(disk);
    while (entry_count > 0) {
        free(entries[--entry_count]);
    }
    free(entries);
    return !round->is_bad;
}

static void run_round(struct round *round)
{
    round->state = round->settings->seed * 1000003 + round->number;
    stage_clear(&round->stage);
    round->history.truth_count = 0;
    round->is_bad = false;
    for (round->life = 0; round->life < LIVES && live(round); round->life++) {
    }
}

static void run_job(const struct settings *settings, struct totals *totals, unsigned job)
{
    struct round round = {.settings = settings, .totals = totals};

    stage_open(&round.stage, settings->at, settings->victim, settings->shim);
    for (round.number = 1 + job; totals->states < settings->states;
         round.number += settings->jobs) {
        if (settings->round != 0) {
            round.number = settings->round;
        }
        run_round(&round);
        if (settings->round != 0) {
            break;
        }
    }
    stage_close(&round.stage);
    free(round.history.bytes);
    free(round.history.truths);
}

static bool parse(int argc, char **argv, struct settings *ret)
{
    *ret = (struct settings){.victim = argc > 1 ? argv[1] : NULL,
                             .shim = argc > 2 ? argv[2] : NULL,
                             .states = 600,
                             .seed = 1,
                             .jobs = 2};
    for (int i = 3; i < argc; i++) {
        const char *name = argv[i];
        if (strcmp(name, "--keep") == 0) {
            ret->is_kept = true;
            continue;
        }
        const char *value = i + 1 < argc ? argv[++i] : "";
        uint64_t number = strtoull(value, NULL, 10);
        if (strcmp(name, "--states") == 0) {
            ret->states = number;
        } else if (strcmp(name, "--round") == 0) {
            ret->round = number;
            ret->jobs = 1;
        } else if (strcmp(name, "--seed") == 0) {
            ret->seed = number;
        } else if (strcmp(name, "--at") == 0) {
            ret->at = value;
        } else if (strcmp(name, "--jobs") == 0 && number >= 1 && number <= JOBS_MAX) {
            ret->jobs = (unsigned)number;
        } else {
            return false;
        }
    }
    return argc > 2;
}

int main(int argc, char **argv)
{
    struct settings settings;
    pid_t children[JOBS_MAX];

    if (!parse(argc, argv, &settings)) {
        fprintf(stderr, "usage: power_cut VICTIM SHIM [--states N] [--round N] [--seed N] "
                        "[--jobs N] [--at DIR] [--keep]\n");
        return 2;
    }
    struct totals *totals = need(
        mmap(NULL, sizeof(*totals), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    for (unsigned job = 0; job < settings.jobs; job++) {
        children[job] = fork();
        if (children[job] == 0) {
            run_job(&settings, totals, job);
            exit(0);
        }
    }
    for (unsigned job = 0; job < settings.jobs; job++) {
        int status = 0;
        if (children[job] < 0 || waitpid(children[job], &status, 0) < 0 || status != 0) {
            totals->bad++;
            printf("a job of the driver failed\n");
        }
    }
    printf("seed %lu, acknowledged %lu, most changes not synced %lu, wrong %lu\n", settings.seed,
           totals->acked, totals->most_pending, totals->bad);
    printf("states %lu lost %lu repeated %lu\n", totals->states, totals->lost, totals->repeated);
    return totals->lost != 0 || totals->bad != 0 || totals->states == 0;
}
