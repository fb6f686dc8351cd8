#include "host.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/blank.h"
#include "util/hex.h"
#include "util/time/clock.h"

#define READ_SIZE 8192u

/* The environment's word, or else the folder below the root. */
static bool set_folder(char *folder, const char *variable, const char *root, const char *name)
{
    const char *word = getenv(variable);
    int size = word != NULL && word[0] != '\0'
                   ? snprintf(folder, HOST_PATH_MAX, "%s", word)
                   : snprintf(folder, HOST_PATH_MAX, "%s%s", root, name);
    return size < HOST_PATH_MAX;
}

bool host_init(struct host *host, const char *root_path)
{
    *host = (struct host){.ticks = (double)sysconf(_SC_CLK_TCK),
                          .page_size = (uint64_t)sysconf(_SC_PAGESIZE)};
    const char *root = root_path != NULL ? root_path : "";
    size_t size = strlen(root);
    while (size > 0 && root[size - 1] == '/') {
        size--;
    }
    if (size >= sizeof(host->root)) {
        return false;
    }
    memcpy(host->root, root, size);
    return set_folder(host->proc, "HOST_PROC", host->root, "/proc") &&
           set_folder(host->sys, "HOST_SYS", host->root, "/sys") &&
           set_folder(host->dev, "HOST_DEV", host->root, "/dev");
}

void host_release(struct host *host)
{
    hf_bytes_release(&host->text);
}

/* ---- files ---- */

static bool read_all(struct host *host, int fd)
{
    for (;;) {
        if (host->text.size >= HOST_FILE_MAX) {
            errno = EFBIG;
            return false;
        }
        if (hf_bytes_reserve(&host->text, host->text.size + READ_SIZE) != HF_OK) {
            errno = ENOMEM;
            return false;
        }
        ssize_t size =
            read(fd, host->text.data + host->text.size, host->text.capacity - host->text.size);
        if (size < 0 && errno == EINTR) {
            continue;
        }
        if (size <= 0) {
            return size == 0;
        }
        host->text.size += (size_t)size;
    }
}

bool host_read(struct host *host, const char *path, struct hf_slice *ret_text)
{
    host->text.size = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool done = read_all(host, fd);
    int reason = errno;
    close(fd);
    errno = reason;
    if (done) {
        *ret_text = hf_slice_of(host->text.data, host->text.size);
    }
    return done;
}

bool host_read_proc(struct host *host, struct hf_slice *ret_text, const char *format, ...)
{
    char path[HOST_PATH_MAX + 64];
    va_list arguments;
    int size = snprintf(path, sizeof(path), "%s/", host->proc);
    va_start(arguments, format);
    int more = vsnprintf(path + size, sizeof(path) - (size_t)size, format, arguments);
    va_end(arguments);
    if (more < 0 || (size_t)(size + more) >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return false;
    }
    return host_read(host, path, ret_text);
}

bool host_read_boot_time(struct host *host)
{
    struct hf_slice text, line;
    uint64_t seconds;
    if (!host_read_proc(host, &text, "stat")) {
        return false;
    }
    while (host_next_line(&text, &line)) {
        if (host_starts_with(line, "btime ") && host_skip_words(&line, 1) &&
            host_next_number(&line, &seconds)) {
            host->boot_ns = seconds * HF_NS_PER_S;
            return true;
        }
    }
    errno = EBADMSG;
    return false;
}

/* ---- texts ---- */

bool host_next_line(struct hf_slice *text, struct hf_slice *ret_line)
{
    if (text->size == 0) {
        return false;
    }
    const uint8_t *end = memchr(text->data, '\n', text->size);
    size_t size = end != NULL ? (size_t)(end - text->data) : text->size;
    *ret_line = hf_slice_of(text->data, size);
    size_t used = end != NULL ? size + 1 : size;
    *text = hf_slice_of(text->data + used, text->size - used);
    return true;
}

bool host_next_word(struct hf_slice *line, struct hf_slice *ret_word)
{
    size_t start = 0;
    while (start < line->size && hf_is_blank(line->data[start])) {
        start++;
    }
    size_t end = start;
    while (end < line->size && !hf_is_blank(line->data[end])) {
        end++;
    }
    if (end == start) {
        return false;
    }
    *ret_word = hf_slice_of(line->data + start, end - start);
    *line = hf_slice_of(line->data + end, line->size - end);
    return true;
}

bool host_skip_words(struct hf_slice *line, unsigned count)
{
    struct hf_slice word;
    for (unsigned i = 0; i < count; i++) {
        if (!host_next_word(line, &word)) {
            return false;
        }
    }
    return true;
}

bool host_number_of(struct hf_slice word, unsigned base, uint64_t *ret_number)
{
    uint64_t number = 0;
    for (size_t i = 0; i < word.size; i++) {
        int digit = hf_hex_digit(word.data[i]);
        if (digit < 0 || (unsigned)digit >= base || __builtin_mul_overflow(number, base, &number) ||
            __builtin_add_overflow(number, (unsigned)digit, &number)) {
            return false;
        }
    }
    if (word.size == 0) {
        return false;
    }
    *ret_number = number;
    return true;
}

bool host_next_number(struct hf_slice *line, uint64_t *ret_number)
{
    struct hf_slice word;
    return host_next_word(line, &word) && host_number_of(word, 10, ret_number);
}

bool host_starts_with(struct hf_slice text, const char *prefix)
{
    size_t size = strlen(prefix);
    return text.size >= size && memcmp(text.data, prefix, size) == 0;
}

/* ---- processors ---- */

static uint64_t count_lines(struct hf_slice text, const char *prefix, bool with_digit)
{
    struct hf_slice line;
    uint64_t count = 0;
    size_t size = strlen(prefix);
    while (host_next_line(&text, &line)) {
        bool starts = host_starts_with(line, prefix);
        count += starts && (!with_digit || (line.size > size && isdigit(line.data[size]) != 0));
    }
    return count;
}

uint64_t host_logical_cpus(struct host *host)
{
    struct hf_slice text;
    uint64_t count =
        host_read_proc(host, &text, "cpuinfo") ? count_lines(text, "processor", false) : 0;
    if (count == 0 && host_read_proc(host, &text, "stat")) {
        count = count_lines(text, "cpu", true);
    }
    return count > 0 ? count : 1;
}
