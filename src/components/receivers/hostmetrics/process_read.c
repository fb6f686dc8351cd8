#include "process_read.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COMM_SIZE_MAX 15u /* the kernel cuts names there */
#define STATUS_TEXT "%" PRIu64 "/status"

/* ---- stat ---- */

/* Fields are numbered as in proc(5); the first one behind the name, the state, is 3. */
static bool read_field(struct hf_slice *rest, unsigned *at, unsigned number, uint64_t *ret_value)
{
    bool found = host_skip_words(rest, number - *at) && host_next_number(rest, ret_value);
    *at = number + 1;
    return found;
}

bool process_read_stat(struct host *host, uint64_t pid, struct process_stat *stat)
{
    struct hf_slice text;
    unsigned at = 3;
    if (!host_read_proc(host, &text, "%" PRIu64 "/stat", pid)) {
        return false;
    }
    errno = EBADMSG;
    /* The name may hold anything, parentheses and newlines too. */
    const uint8_t *end = text.size != 0 ? memrchr(text.data, ')', text.size) : NULL;
    if (end == NULL) {
        return false;
    }
    struct hf_slice rest = hf_slice_of(end + 1, (size_t)(text.data + text.size - end - 1));
    if (rest.size != 0 && rest.data[rest.size - 1] == '\n') {
        rest.size--;
    }
    *stat = (struct process_stat){0};
    bool whole = read_field(&rest, &at, 4, &stat->parent_pid) &&
                 read_field(&rest, &at, 10, &stat->minor_faults) &&
                 read_field(&rest, &at, 12, &stat->major_faults) &&
                 read_field(&rest, &at, 14, &stat->user_ticks) &&
                 read_field(&rest, &at, 15, &stat->system_ticks) &&
                 read_field(&rest, &at, 20, &stat->threads) &&
                 read_field(&rest, &at, 22, &stat->start_ticks);
    if (whole && !read_field(&rest, &at, 42, &stat->wait_ticks)) {
        stat->wait_ticks = 0; /* a kernel that does not account for it */
    }
    return whole;
}

bool process_read_memory(struct host *host, uint64_t pid, uint64_t *ret_resident,
                         uint64_t *ret_virtual)
{
    struct hf_slice text;
    uint64_t pages, resident;
    if (!host_read_proc(host, &text, "%" PRIu64 "/statm", pid)) {
        return false;
    }
    errno = EBADMSG;
    if (!host_next_number(&text, &pages) || !host_next_number(&text, &resident)) {
        return false;
    }
    *ret_virtual = pages * host->page_size;
    *ret_resident = resident * host->page_size;
    return true;
}

/* ---- files of lines "key: value" ---- */

struct wanted {
    const char *key;
    unsigned base;
    uint64_t *value;
};

static void read_lines(struct hf_slice text, const struct wanted *wanted, size_t count)
{
    struct hf_slice line, key, value;
    while (host_next_line(&text, &line)) {
        if (!host_next_word(&line, &key) || !host_next_word(&line, &value)) {
            continue;
        }
        for (size_t i = 0; i < count; i++) {
            if (hf_slice_is(key, wanted[i].key) &&
                !host_number_of(value, wanted[i].base, wanted[i].value)) {
                *wanted[i].value = 0;
            }
        }
    }
}

bool process_read_io(struct host *host, uint64_t pid, struct process_io *io)
{
    struct hf_slice text;
    *io = (struct process_io){0};
    const struct wanted wanted[] = {{"syscr:", 10, &io->reads},
                                    {"syscw:", 10, &io->writes},
                                    {"rchar:", 10, &io->read_bytes},
                                    {"wchar:", 10, &io->write_bytes}};
    if (!host_read_proc(host, &text, "%" PRIu64 "/io", pid)) {
        return false;
    }
    read_lines(text, wanted, sizeof(wanted) / sizeof(wanted[0]));
    return true;
}

static void take_status(struct hf_slice text, struct process_status *status)
{
    const struct wanted wanted[] = {
        {"Uid:", 10, &status->uid},
        {"ShdPnd:", 16, &status->pending_signals},
        {"voluntary_ctxt_switches:", 10, &status->voluntary_switches},
        {"nonvoluntary_ctxt_switches:", 10, &status->involuntary_switches}};
    *status = (struct process_status){0};
    read_lines(text, wanted, sizeof(wanted) / sizeof(wanted[0]));
}

bool process_read_status(struct host *host, uint64_t pid, struct process_status *status)
{
    struct hf_slice text;
    if (!host_read_proc(host, &text, STATUS_TEXT, pid)) {
        return false;
    }
    take_status(text, status);
    return true;
}

bool process_read_switches(struct host *host, uint64_t pid, struct process_status *status)
{
    char path[HOST_PATH_MAX + 64];
    uint64_t voluntary = 0, involuntary = 0;
    snprintf(path, sizeof(path), "%s/%" PRIu64 "/task", host->proc, pid);
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return false;
    }
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        struct hf_slice text;
        uint64_t thread;
        if (host_number_of(hf_slice_text(entry->d_name), 10, &thread) &&
            host_read_proc(host, &text, "%" PRIu64 "/task/%" PRIu64 "/status", pid, thread)) {
            take_status(text, status);
            voluntary += status->voluntary_switches;
            involuntary += status->involuntary_switches;
        }
    }
    closedir(folder);
    status->voluntary_switches = voluntary;
    status->involuntary_switches = involuntary;
    return true;
}

/* ---- names ---- */

bool process_read_arguments(struct host *host, uint64_t pid, struct hf_slice *ret_text)
{
    return host_read_proc(host, ret_text, "%" PRIu64 "/cmdline", pid);
}

/* A name that the kernel cut is the beginning of that of the program. */
static void complete_name(struct host *host, uint64_t pid, char *name, size_t room)
{
    struct hf_slice text;
    if (!process_read_arguments(host, pid, &text) || text.size == 0) {
        return;
    }
    size_t size = strnlen((const char *)text.data, text.size);
    const uint8_t *slash = memrchr(text.data, '/', size);
    const uint8_t *base = slash != NULL ? slash + 1 : text.data;
    size_t base_size = (size_t)(text.data + size - base);
    if (base_size < room && base_size >= strlen(name) && memcmp(base, name, strlen(name)) == 0) {
        memcpy(name, base, base_size);
        name[base_size] = '\0';
    }
}

bool process_read_name(struct host *host, uint64_t pid, char *name, size_t room)
{
    struct hf_slice text, line;
    if (!host_read_proc(host, &text, "%" PRIu64 "/comm", pid)) {
        return false;
    }
    if (!host_next_line(&text, &line) || line.size >= room) {
        errno = EBADMSG;
        return false;
    }
    memcpy(name, line.data, line.size);
    name[line.size] = '\0';
    if (line.size >= COMM_SIZE_MAX) {
        complete_name(host, pid, name, room);
    }
    return true;
}

bool process_read_executable(struct host *host, uint64_t pid, char *path, size_t room)
{
    char link[HOST_PATH_MAX + 64];
    snprintf(link, sizeof(link), "%s/%" PRIu64 "/exe", host->proc, pid);
    ssize_t size = readlink(link, path, room - 1);
    path[size > 0 ? size : 0] = '\0';
    return size >= 0 || errno == ENOENT;
}

bool process_count_files(struct host *host, uint64_t pid, uint64_t *ret_count)
{
    char path[HOST_PATH_MAX + 64];
    uint64_t count = 0;
    snprintf(path, sizeof(path), "%s/%" PRIu64 "/fd", host->proc, pid);
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return false;
    }
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        count += entry->d_name[0] != '.';
    }
    closedir(folder);
    *ret_count = count;
    return true;
}
