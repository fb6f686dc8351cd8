/* The limit is the lowest of the process's cgroup, those above it, and the machine. */
#include "util/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three before it */

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct file {
    const char *path, *content;
};

#define FILES_MAX 6

/* Makes the directories of `path` below `root`, and the file. */
static void make_file(const char *root, const struct file *file)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", root, file->path);
    for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        (void)mkdir(path, 0700); /* may be there */
        *slash = '/';
    }
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(file->content, out);
    fclose(out);
}

/* Removes the files and the directories that are empty then. */
static void remove_files(const char *root, const struct file *files)
{
    char path[PATH_MAX];
    for (size_t i = 0; i < FILES_MAX && files[i].path != NULL; i++) {
        snprintf(path, sizeof(path), "%s/%s", root, files[i].path);
        (void)unlink(path);
        for (char *slash; (slash = strrchr(path, '/')) != NULL && strlen(path) > strlen(root);) {
            *slash = '\0';
            (void)rmdir(path);
        }
    }
    (void)rmdir(root);
}

static void finds_the_lowest_limit(void **state)
{
    static const struct {
        const char *what;
        struct file files[FILES_MAX];
        uint64_t expected; /* 0: none */
    } cases[] = {
        {"the machine's alone",
         {{"proc/meminfo", "MemTotal:       1000 kB\nMemFree: 5 kB\n"}},
         1024000},
        {"v2, namespaced",
         {{"proc/meminfo", "MemTotal: 1000 kB\n"},
          {"proc/self/cgroup", "0::/\n"},
          {"sys/fs/cgroup/memory.max", "500000\n"}},
         500000},
        {"v2 without a limit",
         {{"proc/meminfo", "MemTotal: 1000 kB\n"},
          {"proc/self/cgroup", "0::/\n"},
          {"sys/fs/cgroup/memory.max", "max\n"}},
         1024000},
        {"v2, the limit of the group above is lower",
         {{"proc/meminfo", "MemTotal: 1000 kB\n"},
          {"proc/self/cgroup", "0::/pod/container\n"},
          {"sys/fs/cgroup/pod/container/memory.max", "max\n"},
          {"sys/fs/cgroup/pod/memory.max", "300000\n"},
          {"sys/fs/cgroup/memory.max", "400000\n"}},
         300000},
        {"v1, among other controllers",
         {{"proc/meminfo", "MemTotal: 1000 kB\n"},
          {"proc/self/cgroup", "5:cpu,cpuacct:/a\n4:hugetlb,memory:/a\n1:name=systemd:/memory\n"},
          {"sys/fs/cgroup/memory/a/memory.limit_in_bytes", "200000\n"},
          {"sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"}},
         200000},
        {"v1, seen from inside the container",
         {{"proc/self/cgroup", "4:memory:/docker/0123\n"},
          {"sys/fs/cgroup/memory/memory.limit_in_bytes", "100000\n"}},
         100000},
        {"more than the machine has",
         {{"proc/meminfo", "MemTotal: 1000 kB\n"},
          {"proc/self/cgroup", "0::/\n"},
          {"sys/fs/cgroup/memory.max", "5000000000\n"}},
         1024000},
        {"nothing to read", {{"proc/other", ""}}, 0},
        {"nonsense", {{"proc/self/cgroup", "nonsense\n\n:\n"}, {"proc/meminfo", "MemTotal: x"}}, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char root[] = "/tmp/hf_memory_XXXXXX";
        uint64_t found = 0;
        assert_non_null(mkdtemp(root));
        for (size_t k = 0; k < FILES_MAX && cases[i].files[k].path != NULL; k++) {
            make_file(root, &cases[i].files[k]);
        }
        enum hf_status status = hf_memory_available(root, &found);
        remove_files(root, cases[i].files);
        if (status != (cases[i].expected != 0 ? HF_OK : HF_IO) || found != cases[i].expected) {
            fail_msg("%s: %llu", cases[i].what, (unsigned long long)found);
        }
    }
}

static void sees_what_is_taken(void **state)
{
    const size_t much = 32u << 20;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    uint64_t before = 0, with = 0, after = 0;
    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(hf_memory_used(fd, &before), HF_OK);
    void *room = mmap(NULL, much, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(room, MAP_FAILED);
    memset(room, 1, much);
    assert_int_equal(hf_memory_used(fd, &with), HF_OK);
    munmap(room, much);
    assert_int_equal(hf_memory_used(fd, &after), HF_OK);
    /* The kernel counts in batches for each thread: not exact to the page. */
    assert_in_range(with - before, much / 10 * 9, much / 10 * 11);
    assert_in_range(with - after, much / 10 * 9, much / 10 * 11);
    close(fd);
    assert_int_equal(hf_memory_used(-1, &before), HF_IO);
}

static void takes_what_the_go_runtime_takes(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } rows[] = {
        {"429496729", 429496729},    {"152MiB", UINT64_C(152) << 20},
        {"1GiB", UINT64_C(1) << 30}, {"2TiB", UINT64_C(2) << 40},
        {"512KiB", 512 << 10},       {"100B", 100},
        {NULL, UINT64_MAX},          {"", UINT64_MAX},
        {"off", UINT64_MAX},         {"0", UINT64_MAX},
        {"-1", UINT64_MAX},          {"1.5GiB", UINT64_MAX},
        {"1GB", UINT64_MAX},         {"1 GiB", UINT64_MAX},
        {" 1", UINT64_MAX},          {"99999999999999999999", UINT64_MAX},
        {"99999999TiB", UINT64_MAX},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(hf_memory_soft_limit(rows[i].text), rows[i].bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_lowest_limit),
        cmocka_unit_test(sees_what_is_taken),
        cmocka_unit_test(takes_what_the_go_runtime_takes),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
