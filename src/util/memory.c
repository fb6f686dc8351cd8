#include "memory.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum hf_status hf_memory_used(int fd, uint64_t *ret_bytes)
{
    char text[128];
    ssize_t size = pread(fd, text, sizeof(text) - 1, 0);
    uint64_t resident, shared;
    if (size < 0) {
        return HF_IO;
    }
    text[size] = '\0';
    if (sscanf(text, "%*u %" SCNu64 " %" SCNu64, &resident, &shared) != 2 || shared > resident) {
        errno = EPROTO;
        return HF_IO;
    }
    *ret_bytes = (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE);
    return HF_OK;
}

/* A file that holds one number. False: no such file, or no number in it ("max"). */
static bool read_number(const char *path, uint64_t *ret_number)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    bool found = fscanf(file, "%" SCNu64, ret_number) == 1;
    fclose(file);
    return found;
}

/* The lowest limit in `group` and above, up to where the hierarchy is mounted. */
static uint64_t lowest_limit(const char *mount, char *group, const char *name)
{
    char path[PATH_MAX];
    uint64_t lowest = UINT64_MAX;
    uint64_t limit;
    for (;;) {
        int size = snprintf(path, sizeof(path), "%s%s/%s", mount, group, name);
        if (size > 0 && (size_t)size < sizeof(path) && read_number(path, &limit) &&
            limit < lowest) {
            lowest = limit;
        }
        char *slash = strrchr(group, '/');
        if (slash == NULL) {
            return lowest;
        }
        *slash = '\0';
    }
}

/* Is `word` in a list such as "cpu,memory"? */
static bool has_word(const char *list, const char *word)
{
    size_t size = strlen(word);
    for (;;) {
        size_t length = strcspn(list, ",");
        if (length == size && strncmp(list, word, size) == 0) {
            return true;
        }
        if (list[length] == '\0') {
            return false;
        }
        list += length + 1;
    }
}

/* One line of /proc/self/cgroup, "ID:CONTROLLERS:/PATH"; v2 has no controllers. */
static uint64_t limit_of_line(const char *root, char *line)
{
    char mount[PATH_MAX];
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':');
    char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (group == NULL) {
        return UINT64_MAX;
    }
    *group++ = '\0';
    controllers++;
    bool is_v2 = controllers[0] == '\0';
    if (!is_v2 && !has_word(controllers, "memory")) {
        return UINT64_MAX;
    }
    snprintf(mount, sizeof(mount), "%s/sys/fs/cgroup%s", root, is_v2 ? "" : "/memory");
    return lowest_limit(mount, group, is_v2 ? "memory.max" : "memory.limit_in_bytes");
}

static uint64_t cgroup_limit(const char *root)
{
    char path[PATH_MAX];
    char line[PATH_MAX];
    uint64_t lowest = UINT64_MAX;
    snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return UINT64_MAX;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        uint64_t limit = limit_of_line(root, line);
        lowest = limit < lowest ? limit : lowest;
    }
    fclose(file);
    return lowest;
}

static uint64_t machine_memory(const char *root)
{
    char path[PATH_MAX];
    char line[256];
    uint64_t kib = 0;
    snprintf(path, sizeof(path), "%s/proc/meminfo", root);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return UINT64_MAX;
    }
    while (kib == 0 && fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "MemTotal: %" SCNu64 " kB", &kib) != 1) {
            kib = 0;
        }
    }
    fclose(file);
    return kib == 0 ? UINT64_MAX : kib * 1024;
}

enum hf_status hf_memory_available(const char *root, uint64_t *ret_bytes)
{
    uint64_t limit = cgroup_limit(root);
    uint64_t machine = machine_memory(root);
    uint64_t lowest = limit < machine ? limit : machine;
    if (lowest == UINT64_MAX || lowest == 0) {
        return HF_IO;
    }
    *ret_bytes = lowest;
    return HF_OK;
}

uint64_t hf_memory_soft_limit(const char *text)
{
    static const char *const units[] = {"", "B", "KiB", "MiB", "GiB", "TiB"};
    static const unsigned shifts[] = {0, 0, 10, 20, 30, 40};
    char *end = NULL;
    if (text == NULL || text[0] < '0' || text[0] > '9') {
        return UINT64_MAX;
    }
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    for (size_t i = 0; errno == 0 && i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(end, units[i]) == 0 && number != 0 && number <= UINT64_MAX >> shifts[i]) {
            return (uint64_t)number << shifts[i];
        }
    }
    return UINT64_MAX;
}
