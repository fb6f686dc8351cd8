/*
 * crash_points: kills a queue at its n-th file operation, for every n: before it, after it, and
 * half way through a write; kills its recovery, and the recovery of that; then looks whether
 * anything that was acknowledged is missing. With --errors the n-th operation fails instead, and
 * the queue must go on.
 *
 *   crash_points VICTIM SHIM [--from N] [--to N] [--how before|after|torn] [--limit POINTS] [--seed
 * N] [--jobs N]
 *                [--errors] [--at DIR] [--keep]
 *
 * Without --limit every point is tried. The last line says `points N lost L repeated R`; exits 1
 * when anything was lost or otherwise wrong. A point that fails is printed with what repeats it.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "judge.h"
#include "stage.h"

enum { RECORDS = 900, IN_FLIGHT = 14, JOBS_MAX = 16 };

struct settings {
    const char *victim, *shim, *at;
    uint64_t from, to, limit, seed;
    int how; /* of hows[]; -1: all */
    unsigned jobs;
    bool is_errors, is_kept;
    uint64_t kinds[3]; /* how many operations of "wsn" there are */
};

/* One for all jobs, shared. */
struct totals {
    atomic_ulong points, torn, acked, lost, repeated, repeated_most, ghosts, bad, beyond;
};

static const char *const hows[] = {"before", "after", "torn"};

struct point {
    uint64_t number;
    unsigned how;
};

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static bool was_killed(int status)
{
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static bool ended_well(int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- the end of every experiment ---- */

static void add_up(struct totals *totals, const struct verdict *verdict)
{
    totals->acked += verdict->acked;
    totals->lost += verdict->lost;
    totals->repeated += verdict->repeated;
    totals->ghosts += verdict->ghosts;
    if (verdict->repeated > totals->repeated_most) {
        totals->repeated_most = verdict->repeated;
    }
}

/* Looks at what is there, and says so when it is not what it must be. */
static bool verify(struct stage *stage, struct totals *totals, const struct judge_rules *rules,
                   const char *name)
{
    int status = stage_run(stage, &(struct stage_run){.mode = "verify"});
    size_t count = 0;
    struct truth *truths = stage_truths(stage, &count);
    struct verdict verdict;

    judge(truths, count, rules, &verdict);
    free(truths);
    add_up(totals, &verdict);
    if (ended_well(status) && judge_is_good(&verdict)) {
        return true;
    }
    totals->bad++;
    printf("%s: %s (lost %lu, faults %lu, verifier's end %#x)\n", name,
           verdict.words[0] != '\0' ? verdict.words : "the verifier failed", verdict.lost,
           verdict.faults, (unsigned)status);
    return false;
}

static bool complain(struct totals *totals, const char *name, const char *what, int status)
{
    totals->bad++;
    printf("%s: %s (end %#x)\n", name, what, (unsigned)status);
    return false;
}

/* ---- kills ---- */

/* A second life begins with the recovery and is killed in it or soon after; then the recovery of
 * that, likewise. */
static bool kill_the_recovery(struct stage *stage, struct totals *totals, uint64_t draw,
                              const char *name)
{
    char kill[64];

    snprintf(kill, sizeof(kill), "%lu:%s:%lu", 1 + draw % 90, hows[draw / 128 % 3],
             draw / 512 % 97);
    int status = stage_run(
        stage, &(struct stage_run){.mode = "fill", .first = STAGE_LIFE, .count = 60, .kill = kill});
    if (!was_killed(status) && !ended_well(status)) {
        return complain(totals, name, "the second life failed", status);
    }
    snprintf(kill, sizeof(kill), "%lu:%s", 1 + draw / 65536 % 30, hows[draw / 256 % 2]);
    status =
        stage_run(stage, &(struct stage_run){.mode = "verify", .kill = kill, .is_aside = true});
    if (!was_killed(status) && !ended_well(status)) {
        return complain(totals, name, "the recovery failed", status);
    }
    return true;
}

static bool drain(struct stage *stage, struct totals *totals, const char *name)
{
    int status = stage_run(stage, &(struct stage_run){.mode = "drain"});

    return ended_well(status) || complain(totals, name, "the drain failed", status);
}

static const struct judge_rules kill_rules = {.extra_max = 2 * IN_FLIGHT};

static bool run_point(struct stage *stage, const struct settings *settings, struct totals *totals,
                      const struct point *point)
{
    uint64_t draw = mix(settings->seed * 1000003 + point->number * 3 + point->how);
    char kill[64], name[128];

    snprintf(kill, sizeof(kill), "%lu:%s:%lu", point->number, hows[point->how], draw % 97);
    snprintf(name, sizeof(name), "--from %lu --to %lu --how %s --seed %lu", point->number,
             point->number, hows[point->how], settings->seed);
    stage_clear(stage);
    int status = stage_run(
        stage, &(struct stage_run){.mode = "fill", .first = 1, .count = RECORDS, .kill = kill});
    if (ended_well(status)) {
        totals->beyond++;
        return true;
    }
    if (!was_killed(status)) {
        return complain(totals, name, "the victim failed", status);
    }
    totals->points++;
    totals->torn += stage->state->is_torn;
    if (draw % 2 == 0 && !kill_the_recovery(stage, totals, draw / 2, name)) {
        return false;
    }
    if (!verify(stage, totals, &kill_rules, name)) {
        return false;
    }
    return draw % 16 != 0 ||
           (drain(stage, totals, name) && verify(stage, totals, &kill_rules, name));
}

/* ---- errors ---- */

struct error {
    const char *name;
    int number; /* 0: a short write */
    char kind;
    unsigned length; /* that many in a row */
};

static const struct error errors[] = {
    {"no space, one write", ENOSPC, 'w', 1},  {"no space, 5 writes", ENOSPC, 'w', 5},
    {"no space, 20 writes", ENOSPC, 'w', 20}, {"EIO, one write", EIO, 'w', 1},
    {"EIO, 9 writes", EIO, 'w', 9},           {"short write", 0, 'w', 1},
    {"EIO, one sync", EIO, 's', 1},           {"EIO, 7 syncs", EIO, 's', 7},
    {"no space, one sync", ENOSPC, 's', 1},   {"EIO, one name", EIO, 'n', 1},
    {"no space, 4 names", ENOSPC, 'n', 4},    {"no descriptor, 2 names", EMFILE, 'n', 2},
};
enum { ERRORS = sizeof(errors) / sizeof(errors[0]) };

/* A cursor that cannot be written at the end costs repeats. */
static const struct judge_rules error_rules = {.may_repeat = true, .extra_max = IN_FLIGHT};

static bool run_error(struct stage *stage, const struct settings *settings, struct totals *totals,
                      const struct point *point)
{
    const struct error *error = &errors[point->how];
    char fail[64], name[160];

    /* There are fewer syncs and names than writes. */
    unsigned kind = error->kind == 'w' ? 0 : error->kind == 's' ? 1 : 2;
    uint64_t first = 1 + (point->number - 1) % settings->kinds[kind];
    snprintf(fail, sizeof(fail), "%lu-%lu:%d:%c", first, first + error->length - 1, error->number,
             error->kind);
    snprintf(name, sizeof(name), "--errors --from %lu --to %lu (%s)", point->number, point->number,
             error->name);
    stage_clear(stage);
    int status = stage_run(
        stage,
        &(struct stage_run){
            .mode = "fill", .first = 1, .count = RECORDS / 2, .is_patient = true, .fail = fail});
    if (stage->state->failed == 0 && ended_well(status)) {
        totals->beyond++;
        return true;
    }
    if (!ended_well(status)) {
        (void)verify(stage, totals, &error_rules, name);
        return complain(totals, name, "the victim failed", status);
    }
    totals->points++;
    return verify(stage, totals, &error_rules, name);
}

/* ---- the sweep ---- */

/* How many operations there are to kill at, with nothing in the way. */
static uint64_t count_operations(struct stage *stage, struct settings *settings)
{
    stage_clear(stage);
    int status =
        stage_run(stage, &(struct stage_run){.mode = "fill",
                                             .first = 1,
                                             .count = settings->is_errors ? RECORDS / 2 : RECORDS});
    if (!ended_well(status)) {
        fprintf(stderr, "the victim fails by itself: end %#x\n", (unsigned)status);
        exit(1);
    }
    const struct crash_state *state = stage->state;
    settings->kinds[0] = state->writes;
    settings->kinds[1] = state->syncs;
    settings->kinds[2] = state->ops - state->writes - state->syncs;
    return settings->is_errors ? state->writes : state->ops;
}

static void run_job(const struct settings *settings, struct totals *totals, unsigned job)
{
    struct stage stage;
    uint64_t kinds = settings->is_errors ? ERRORS : 3;
    uint64_t all = (settings->to - settings->from + 1) * kinds;
    uint64_t step = settings->limit != 0 && all > settings->limit ? all / settings->limit : 1;

    stage_open(&stage, settings->at, settings->victim, settings->shim);
    /* The seed says where in each step the point lies, so that other seeds try others. */
    for (uint64_t i = 0, at = 0; at < all; i++, at += step) {
        uint64_t index = at + mix(settings->seed + i) % step;
        struct point point = {.number = settings->from + index / kinds,
                              .how = (unsigned)(index % kinds)};
        if (i % settings->jobs != job || index >= all ||
            (settings->how >= 0 && (unsigned)settings->how != point.how)) {
            continue;
        }
        (void)(settings->is_errors ? run_error(&stage, settings, totals, &point)
                                   : run_point(&stage, settings, totals, &point));
        fflush(stdout);
    }
    if (settings->is_kept) {
        printf("what the last point left: %s\n", stage.base);
    } else {
        stage_close(&stage);
    }
}

static void run_jobs(const struct settings *settings, struct totals *totals)
{
    pid_t children[JOBS_MAX];

    fflush(stdout);
    for (unsigned job = 0; job < settings->jobs; job++) {
        children[job] = fork();
        if (children[job] == 0) {
            run_job(settings, totals, job);
            exit(0);
        }
    }
    for (unsigned job = 0; job < settings->jobs; job++) {
        int status = 0;
        if (children[job] < 0 || waitpid(children[job], &status, 0) < 0 || !ended_well(status)) {
            totals->bad++;
            printf("a job of the driver failed\n");
        }
    }
}

static bool parse(int argc, char **argv, struct settings *ret)
{
    *ret = (struct settings){.victim = argc > 1 ? argv[1] : NULL,
                             .shim = argc > 2 ? argv[2] : NULL,
                             .from = 1,
                             .seed = 1,
                             .how = -1,
                             .jobs = 2};
    for (int i = 3; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        uint64_t number = strtoull(value, NULL, 10);
        if (strcmp(argv[i], "--errors") == 0 || strcmp(argv[i], "--keep") == 0) {
            *(argv[i][2] == 'e' ? &ret->is_errors : &ret->is_kept) = true;
            continue;
        }
        i++;
        if (strcmp(argv[i - 1], "--from") == 0) {
            ret->from = number;
        } else if (strcmp(argv[i - 1], "--to") == 0) {
            ret->to = number;
        } else if (strcmp(argv[i - 1], "--limit") == 0) {
            ret->limit = number;
        } else if (strcmp(argv[i - 1], "--seed") == 0) {
            ret->seed = number;
        } else if (strcmp(argv[i - 1], "--at") == 0) {
            ret->at = value;
        } else if (strcmp(argv[i - 1], "--jobs") == 0 && number >= 1 && number <= JOBS_MAX) {
            ret->jobs = (unsigned)number;
        } else if (strcmp(argv[i - 1], "--how") == 0) {
            ret->how = strcmp(value, "before") == 0 ? 0 : strcmp(value, "after") == 0 ? 1 : 2;
        } else {
            return false;
        }
    }
    return argc > 2 && ret->from >= 1;
}

int main(int argc, char **argv)
{
    struct settings settings;
    struct stage stage;

    if (!parse(argc, argv, &settings)) {
        fprintf(stderr, "usage: crash_points VICTIM SHIM [--from N] [--to N] [--how "
                        "before|after|torn]\n                    [--limit POINTS] [--seed N] "
                        "[--jobs N] [--errors] [--at DIR] [--keep]\n");
        return 2;
    }
    struct totals *totals =
        mmap(NULL, sizeof(*totals), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (totals == MAP_FAILED) {
        perror("mmap");
        return 2;
    }
    stage_open(&stage, settings.at, settings.victim, settings.shim);
    uint64_t count = count_operations(&stage, &settings);
    settings.to = settings.to != 0 ? settings.to : count;
    stage_close(&stage);
    printf("%s %lu to %lu of %lu, seed %lu\n", settings.is_errors ? "failing writes" : "operations",
           settings.from, settings.to, count, settings.seed);
    run_jobs(&settings, totals);
    printf(
        "torn %lu, beyond the end %lu, acknowledged %lu, most repeated at once %lu, found though "
        "refused %lu, wrong %lu\n",
        totals->torn, totals->beyond, totals->acked, totals->repeated_most, totals->ghosts,
        totals->bad);
    printf("points %lu lost %lu repeated %lu\n", totals->points, totals->lost, totals->repeated);
    return totals->lost != 0 || totals->bad != 0 || totals->points == 0;
}
