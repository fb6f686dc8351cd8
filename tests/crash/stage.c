#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void give_up(const char *what)
{
    perror(what);
    exit(2);
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *place)
{
    (void)stat;
    (void)kind;
    (void)place;
    return remove(path);
}

static void remove_tree(const char *path)
{
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void stage_open(struct stage *stage, const char *parent, const char *victim, const char *shim)
{
    *stage = (struct stage){.victim = victim, .shim = shim};
    if (parent == NULL) {
        parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    }
    snprintf(stage->base, sizeof(stage->base), "%s/hf-crash-XXXXXX", parent);
    if (mkdtemp(stage->base) == NULL) {
        give_up(stage->base);
    }
    snprintf(stage->directory, sizeof(stage->directory), "%s/data", stage->base);
    snprintf(stage->truth, sizeof(stage->truth), "%s/truth", stage->base);
    snprintf(stage->state_path, sizeof(stage->state_path), "%s/state", stage->base);
    snprintf(stage->log, sizeof(stage->log), "%s/log", stage->base);
    int fd = open(stage->state_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(*stage->state)) != 0) {
        give_up(stage->state_path);
    }
    void *state = mmap(NULL, sizeof(*stage->state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (state == MAP_FAILED) {
        give_up("mmap");
    }
    close(fd);
    stage->state = state;
    stage_clear(stage);
}

void stage_close(struct stage *stage)
{
    munmap(stage->state, sizeof(*stage->state));
    remove_tree(stage->base);
}

void stage_empty(const char *directory)
{
    remove_tree(directory);
    if (mkdir(directory, 0700) != 0) {
        give_up(directory);
    }
}

void stage_clear(struct stage *stage)
{
    stage_empty(stage->directory);
    unlink(stage->truth);
    unlink(stage->log);
}

static void set(const char *name, const char *value)
{
    if (value != NULL) {
        setenv(name, value, 1);
    } else {
        unsetenv(name);
    }
}

static void become_victim(const struct stage *stage, const struct stage_run *run)
{
    char first[32], count[32], aside[640];

    snprintf(first, sizeof(first), "%lu", run->first);
    snprintf(count, sizeof(count), "%u", run->count);
    snprintf(aside, sizeof(aside), "%s-aside", stage->truth);
    const char *truth = run->is_aside ? aside : stage->truth;
    set("LD_PRELOAD", stage->shim);
    set("HF_SHIM_DIR", stage->directory);
    set("HF_SHIM_STATE", stage->state_path);
    set("HF_SHIM_TRUTH", truth);
    set("HF_SHIM_LOG", run->has_log ? stage->log : NULL);
    set("HF_SHIM_KILL", run->kill);
    set("HF_SHIM_FAIL", run->fail);
    execl(stage->victim, stage->victim, run->mode, stage->directory, truth, first, count,
          run->is_patient ? "patient" : NULL, (char *)NULL);
    _exit(127);
}

int stage_run(struct stage *stage, const struct stage_run *run)
{
    int status = 0;

    memset(stage->state, 0, sizeof(*stage->state));
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        give_up("fork");
    }
    if (pid == 0) {
        become_victim(stage, run);
    }
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            give_up("waitpid");
        }
    }
    return status;
}

struct truth *stage_truths(const struct stage *stage, size_t *ret_count)
{
    struct stat stat = {0};
    int fd = open(stage->truth, O_RDONLY | O_CLOEXEC);

    *ret_count = 0;
    if (fd >= 0 && fstat(fd, &stat) != 0) {
        give_up(stage->truth);
    }
    struct truth *truths = malloc((size_t)stat.st_size + 1);
    if (truths == NULL) {
        give_up("malloc");
    }
    if (fd >= 0) {
        ssize_t n = read(fd, truths, (size_t)stat.st_size);
        *ret_count = n > 0 ? (size_t)n / sizeof(*truths) : 0;
        close(fd);
    }
    return truths;
}
