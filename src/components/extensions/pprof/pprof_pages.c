#include "pprof_pages.h"

#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profile_writer.h"
#include "util/time/clock.h"

#define THREADS_MAX 1024u
#define SYMBOLS_MAX 10000u

/* ---- CPU ---- */

enum hf_status hf_pprof_cpu(const struct hf_cpu_profile *profile, struct hf_bytes *out)
{
    const struct hf_stacks *stacks = hf_cpu_profile_stacks(profile);
    struct hf_profile_about about = {
        .values = {{"samples", "count"}, {"cpu", "nanoseconds"}},
        .period_type = "cpu",
        .period_unit = "nanoseconds",
        .period = HF_NS_PER_S / HF_CPU_PROFILE_HZ,
    };
    struct hf_profile_writer *writer = NULL;
    char lost[64];
    hf_cpu_profile_times(profile, &about.time_unix_ns, &about.duration_ns);
    enum hf_status status = hf_profile_writer_new(&about, &writer);
    if (status != HF_OK) {
        return status;
    }
    for (size_t i = 0; i < stacks->room; i++) {
        const struct hf_stack *stack = &stacks->places[i];
        const int64_t values[] = {(int64_t)stack->count, (int64_t)(stack->count * about.period)};
        if (stack->count != 0) {
            hf_profile_add_stack(writer, stack->addresses, stack->depth, values,
                                 hf_cpu_profile_thread_name(profile, stack->thread_id));
        }
    }
    if (stacks->lost != 0) {
        snprintf(lost, sizeof(lost), "%llu samples were lost", (unsigned long long)stacks->lost);
        hf_profile_comment(writer, lost);
    }
    status = hf_profile_finish(writer, out);
    hf_profile_writer_free(writer);
    return status;
}

/* ---- heap ---- */

enum hf_status hf_pprof_heap(struct hf_bytes *out)
{
    const struct mallinfo2 heap = mallinfo2();
    const struct hf_profile_about about = {
        .values = {{"objects", "count"}, {"space", "bytes"}},
        .period_type = "space",
        .period_unit = "bytes",
        .period = 1,
        .time_unix_ns = hf_clock_unix_ns(),
    };
    const struct {
        const char *name;
        size_t count, bytes;
    } rows[] = {
        {"allocated in the heap", 0, heap.uordblks},
        {"allocated by mmap", heap.hblks, heap.hblkhd},
        {"free in the heap", heap.ordblks, heap.fordblks},
        {"free in fast bins", heap.smblks, heap.fsmblks},
    };
    struct hf_profile_writer *writer = NULL;
    enum hf_status status = hf_profile_writer_new(&about, &writer);
    if (status != HF_OK) {
        return status;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const int64_t values[] = {(int64_t)rows[i].count, (int64_t)rows[i].bytes};
        hf_profile_add_named(writer, rows[i].name, values);
    }
    hf_profile_comment(writer, "by mallinfo2: the allocator does not know who asked for it");
    status = hf_profile_finish(writer, out);
    hf_profile_writer_free(writer);
    return status;
}

/* Closes a stream into memory and appends what was written. */
static enum hf_status take_text(FILE *file, char **text, size_t *size, struct hf_bytes *out)
{
    bool good = file != NULL && !ferror(file);
    good = file != NULL && fclose(file) == 0 && good;
    enum hf_status status = good ? hf_bytes_append(out, hf_slice_of(*text, *size)) : HF_NOMEM;
    free(*text);
    return status;
}

enum hf_status hf_pprof_heap_text(struct hf_bytes *out)
{
    const struct mallinfo2 heap = mallinfo2();
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    if (file != NULL) {
        fprintf(file,
                "allocated in the heap: %zu bytes\n"
                "allocated by mmap: %zu bytes in %zu pieces\n"
                "free in the heap: %zu bytes in %zu pieces\n"
                "free in fast bins: %zu bytes in %zu pieces\n"
                "free at the top, which can be given back: %zu bytes\n"
                "from the system: %zu bytes\n\n",
                heap.uordblks, heap.hblkhd, heap.hblks, heap.fordblks, heap.ordblks, heap.fsmblks,
                heap.smblks, heap.keepcost, heap.arena + heap.hblkhd);
        if (malloc_info(0, file) != 0) {
            fputs("malloc_info failed\n", file);
        }
    }
    return take_text(file, &text, &size, out);
}

/* ---- threads ---- */

struct thread_row {
    char name[32];
    uint64_t count, cpu_ns;
};

/* Reads a thread's name, and its CPU time from its stat file. False: it has ended. */
static bool read_thread(const char *id, struct thread_row *ret_row)
{
    char path[300], line[1024] = "";
    unsigned long long user = 0, system = 0;
    snprintf(path, sizeof(path), "/proc/self/task/%.32s/stat", id);
    FILE *file = fopen(path, "re");
    bool good = file != NULL && fgets(line, sizeof(line), file) != NULL;
    if (file != NULL) {
        fclose(file);
    }
    char *begin = good ? strchr(line, '(') : NULL;
    char *end = good ? strrchr(line, ')') : NULL;
    if (begin == NULL || end == NULL) {
        return false;
    }
    *end = '\0';
    if (sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system) !=
        2) {
        return false;
    }
    snprintf(ret_row->name, sizeof(ret_row->name), "%s", begin + 1);
    ret_row->count = 1;
    ret_row->cpu_ns = (user + system) * (HF_NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
    return true;
}

/* By name. Returns how many names; `rows` has THREADS_MAX. */
static size_t read_threads(struct thread_row *rows)
{
    DIR *folder = opendir("/proc/self/task");
    size_t count = 0;
    struct thread_row row;
    if (folder == NULL) {
        return 0;
    }
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        size_t at = 0;
        if (entry->d_name[0] == '.' || !read_thread(entry->d_name, &row)) {
            continue;
        }
        while (at < count && strcmp(rows[at].name, row.name) != 0) {
            at++;
        }
        if (at < count) {
            rows[at].count++;
            rows[at].cpu_ns += row.cpu_ns;
        } else if (count < THREADS_MAX) {
            rows[count++] = row;
        }
    }
    closedir(folder);
    return count;
}

enum hf_status hf_pprof_threads(struct hf_bytes *out)
{
    const struct hf_profile_about about = {
        .values = {{"threadcreate", "count"}, {"cpu", "nanoseconds"}},
        .period_type = "threadcreate",
        .period_unit = "count",
        .period = 1,
        .time_unix_ns = hf_clock_unix_ns(),
    };
    struct hf_profile_writer *writer = NULL;
    struct thread_row *rows = calloc(THREADS_MAX, sizeof(*rows));
    enum hf_status status = rows != NULL ? hf_profile_writer_new(&about, &writer) : HF_NOMEM;
    size_t count = status == HF_OK ? read_threads(rows) : 0;
    for (size_t i = 0; i < count; i++) {
        const int64_t values[] = {(int64_t)rows[i].count, (int64_t)rows[i].cpu_ns};
        hf_profile_add_named(writer, rows[i].name, values);
    }
    if (status == HF_OK) {
        status = hf_profile_finish(writer, out);
    }
    hf_profile_writer_free(writer);
    free(rows);
    return status;
}

enum hf_status hf_pprof_threads_text(struct hf_bytes *out)
{
    char *text = NULL;
    size_t size = 0;
    struct thread_row *rows = calloc(THREADS_MAX, sizeof(*rows));
    FILE *file = rows != NULL ? open_memstream(&text, &size) : NULL;
    size_t count = file != NULL ? read_threads(rows) : 0;
    for (size_t i = 0; i < count; i++) {
        fprintf(file, "%llu\t%.2fs\t%s\n", (unsigned long long)rows[i].count,
                (double)rows[i].cpu_ns / 1e9, rows[i].name);
    }
    free(rows);
    return take_text(file, &text, &size, out);
}

/* ---- symbols ---- */

enum hf_status hf_pprof_symbols(struct hf_slice addresses, struct hf_bytes *out)
{
    static const struct hf_profile_about about = {.values = {{NULL, NULL}}};
    struct hf_profile_writer *writer = NULL;
    char *text = NULL, *names = NULL;
    size_t size = 0;
    enum hf_status status = hf_profile_writer_new(&about, &writer);
    if (status != HF_OK) {
        return status;
    }
    char *list = strndup(addresses.size != 0 ? (const char *)addresses.data : "", addresses.size);
    FILE *file = list != NULL ? open_memstream(&names, &size) : NULL;
    if (file != NULL) {
        fputs("num_symbols: 1\n", file);
    }
    text = list;
    for (size_t i = 0; file != NULL && i < SYMBOLS_MAX && *text != '\0'; i++) {
        char *end;
        unsigned long long address = strtoull(text, &end, 16);
        const char *name = end != text ? hf_profile_function(writer, address) : NULL;
        if (name != NULL) {
            fprintf(file, "%#llx %s\n", address, name);
        }
        end += strcspn(end, "+");
        text = *end == '+' ? end + 1 : end;
    }
    free(list);
    hf_profile_writer_free(writer);
    return take_text(file, &names, &size, out);
}
