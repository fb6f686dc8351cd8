#include "trial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/time/clock.h"

#define TRIAL_NS (10 * HF_NS_PER_S)
#define PROCESSOR_S 5u
#define WORDS_MAX (64u << 10)
#define PASTED "/proc/self/fd/3"

/* "${NAME}", "${env:NAME}" and "${env:NAME:-default}", without another reference inside. */
static bool is_plain_reference(const char *inside)
{
    size_t size = strcspn(inside, "${}\\\n");
    bool is_closed = inside[size] == '}';
    const char *colon = memchr(inside, ':', size);
    return is_closed && (colon == NULL || strncmp(inside, "env:", 4) == 0);
}

const char *hf_console_trial_refusal(const char *text)
{
    static const char *const spelled[] = {"\\x24", "\\u0024", "\\U00000024"};
    const char *refusal = NULL;
    for (const char *at = strchr(text, '$'); at != NULL && refusal == NULL;
         at = strchr(at + 1, '$')) {
        bool is_sound = at[1] == '{'                     ? is_plain_reference(at + 2)
                        : at[1] == '\\' || at[1] == '\n' ? false
                                                         : true;
        refusal = is_sound ? NULL : "only ${env:NAME} may be referred to here, no files";
    }
    for (size_t i = 0; i < sizeof(spelled) / sizeof(spelled[0]) && refusal == NULL; i++) {
        refusal = strstr(text, spelled[i]) != NULL ? "write $ as it is" : NULL;
    }
    return refusal;
}

static int file_of(const char *text)
{
    size_t size = strlen(text);
    int fd = memfd_create("pasted", MFD_CLOEXEC);
    if (fd >= 0 && (write(fd, text, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* 0 or an errno. */
static int spawn(int config, int output, pid_t *ret_pid)
{
    char *const words[] = {(char[]){"holdfast"}, (char[]){"validate"}, (char[]){"--config"},
                           (char[]){PASTED}, NULL};
    char *const environment[] = {NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, output, 2);
    posix_spawn_file_actions_adddup2(&actions, config, 3);
    int failed = posix_spawn(ret_pid, "/proc/self/exe", &actions, &attributes, words, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return failed;
}

/* False: too late. What is beyond the limit is read and thrown away. */
static bool hear(int input, struct hf_bytes *out)
{
    uint64_t until_ns = hf_clock_monotonic_ns() + TRIAL_NS;
    char piece[4096];
    ssize_t got = 1;
    while (got > 0) {
        uint64_t now_ns = hf_clock_monotonic_ns();
        struct pollfd ready = {.fd = input, .events = POLLIN};
        if (now_ns >= until_ns || poll(&ready, 1, (int)((until_ns - now_ns) / 1000000) + 1) == 0) {
            return false;
        }
        got = read(input, piece, sizeof(piece));
        if (got > 0 && out->size < WORDS_MAX &&
            hf_bytes_append(out, hf_slice_of(piece, (size_t)got)) != HF_OK) {
            return false;
        }
    }
    return true;
}

static enum hf_status await(pid_t pid, int input, struct hf_bytes *out, bool *ret_is_valid)
{
    const struct rlimit limit = {PROCESSOR_S, PROCESSOR_S};
    int state = 0;
    (void)prlimit(pid, RLIMIT_CPU, &limit, NULL);
    bool in_time = hear(input, out);
    if (!in_time) {
        kill(pid, SIGKILL);
    }
    while (waitpid(pid, &state, 0) < 0 && errno == EINTR) {
    }
    *ret_is_valid = WIFEXITED(state) && WEXITSTATUS(state) == 0;
    return in_time && WIFEXITED(state) ? HF_OK : HF_AGAIN;
}

enum hf_status hf_console_try(const char *text, struct hf_bytes *out, bool *ret_is_valid)
{
    int ends[2] = {-1, -1};
    pid_t pid = -1;
    int config = file_of(text);
    int failed = config < 0 || pipe2(ends, O_CLOEXEC) != 0 ? errno : spawn(config, ends[1], &pid);
    if (config >= 0) {
        close(config);
    }
    if (ends[1] >= 0) {
        close(ends[1]);
    }
    enum hf_status status = HF_IO;
    if (failed == 0) {
        status = await(pid, ends[0], out, ret_is_valid);
    }
    if (ends[0] >= 0) {
        close(ends[0]);
    }
    errno = failed;
    return status;
}
