#include "file_output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "file_backups.h"
#include "util/sync_directory.h"
#include "util/write_all.h"

/* Telemetry may contain secrets. */
#define FILE_MODE 0600

/* A framed file has to be read from its start to find a torn end; this limits it. */
#define WALK_BYTES_MAX (UINT64_C(256) << 20)

/* Longest line end that is looked at when a file is opened. */
#define TAIL_STEP 65536u

struct hf_file_output {
    struct hf_file_output_options options;
    int fd;
    bool is_regular;
    uint64_t size_before; /* the last write */
};

static void say_errno(char *reterr, const char *what, const char *path)
{
    int error = errno;
    char text[128];
    snprintf(reterr, HF_FILE_ERROR_MAX, "%s %s: %s (uid %u)", what, path,
             strerror_r(error, text, sizeof(text)), (unsigned)getuid());
    errno = error;
}

static enum hf_status status_of_errno(void)
{
    return errno == ENOSPC || errno == EDQUOT ? HF_FULL : HF_IO;
}

/* ---- what a crash left ---- */

/* Is it the beginning of a line of OTLP/JSON? A file of another kind is not ours to cut. */
static bool is_ours(const char *tail, size_t size)
{
    static const char start[] = "{\"resource";
    size_t compared = size < sizeof(start) - 1 ? size : sizeof(start) - 1;
    return memcmp(tail, start, compared) == 0;
}

/* Finds where the last line begins, reading backwards; `size` when the file ends with a newline. */
static HF_MUST_USE bool find_last_line(int fd, uint64_t size, uint64_t *ret_start)
{
    char chunk[TAIL_STEP];
    for (uint64_t end = size; end > 0;) {
        size_t step = end < TAIL_STEP ? (size_t)end : TAIL_STEP;
        if (pread(fd, chunk, step, (off_t)(end - step)) != (ssize_t)step) {
            return false;
        }
        const char *newline = memrchr(chunk, '\n', step);
        if (newline != NULL) {
            *ret_start = end - step + (uint64_t)(newline - chunk) + 1;
            return true;
        }
        end -= step;
    }
    *ret_start = 0;
    return true;
}

static HF_MUST_USE bool mend_lines(struct hf_file_output *output, uint64_t size,
                                   struct hf_file_output_found *found)
{
    char tail[16];
    uint64_t start = 0;
    if (!find_last_line(output->fd, size, &start)) {
        return false;
    }
    size_t left = size - start < sizeof(tail) ? (size_t)(size - start) : sizeof(tail);
    if (left == 0) {
        return true;
    }
    if (pread(output->fd, tail, left, (off_t)start) != (ssize_t)left) {
        return false;
    }
    if (is_ours(tail, left)) {
        found->cut_bytes = size - start;
        return ftruncate(output->fd, (off_t)start) == 0;
    }
    found->completed = true;
    return write(output->fd, "\n", 1) == 1;
}

static HF_MUST_USE bool mend_frames(struct hf_file_output *output, uint64_t size,
                                    struct hf_file_output_found *found)
{
    uint64_t good = 0;
    while (size - good >= 4) {
        uint8_t head[4];
        if (pread(output->fd, head, sizeof(head), (off_t)good) != sizeof(head)) {
            return false;
        }
        uint64_t length =
            (uint64_t)head[0] << 24 | (uint64_t)head[1] << 16 | (uint64_t)head[2] << 8 | head[3];
        if (length > size - good - 4) {
            break;
        }
        good += 4 + length;
    }
    found->cut_bytes = size - good;
    return good == size || ftruncate(output->fd, (off_t)good) == 0;
}

/* ---- opening ---- */

static HF_MUST_USE bool make_directories(const struct hf_file_output_options *options, char *reterr)
{
    char path[PATH_MAX];
    int size = snprintf(path, sizeof(path), "%s", options->path);
    for (char *slash = size > 0 && size < PATH_MAX ? strchr(path + 1, '/') : NULL; slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(path, options->directory_mode) == 0 ? hf_sync_parent(path) != HF_OK
                                                      : errno != EEXIST) {
            say_errno(reterr, "cannot make the directory", path);
            return false;
        }
        *slash = '/';
    }
    return true;
}

static HF_MUST_USE bool open_fd(struct hf_file_output *output, uint64_t *ret_size, char *reterr)
{
    struct stat facts;
    output->fd = open(output->options.path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, FILE_MODE);
    if (output->fd < 0 && errno != ENOENT) {
        /* What can only be written to: a pipe, a terminal. */
        output->fd = open(output->options.path, O_WRONLY | O_APPEND | O_CLOEXEC);
    }
    if (output->fd < 0 || fstat(output->fd, &facts) != 0) {
        say_errno(reterr, "cannot write", output->options.path);
        return false;
    }
    output->is_regular = S_ISREG(facts.st_mode);
    *ret_size = output->is_regular ? (uint64_t)facts.st_size : 0;
    if (output->is_regular && hf_sync_parent(output->options.path) != HF_OK) {
        say_errno(reterr, "cannot sync the directory of", output->options.path);
        return false;
    }
    return true;
}

static HF_MUST_USE enum hf_status rotate(struct hf_file_output *output, char *reterr)
{
    const struct hf_file_output_options *options = &output->options;
    const struct hf_file_backups backups = {.path = options->path,
                                            .localtime = options->localtime,
                                            .max_backups = options->max_backups,
                                            .max_days = options->max_days,
                                            .now = time(NULL)};
    uint64_t size = 0;
    if (!hf_file_backups_move(&backups)) {
        say_errno(reterr, "cannot move aside", options->path);
        return HF_IO;
    }
    if (output->fd >= 0) {
        close(output->fd);
    }
    if (!open_fd(output, &size, reterr)) {
        return HF_IO;
    }
    hf_file_backups_trim(&backups);
    return HF_OK;
}

static HF_MUST_USE enum hf_status repair_end(struct hf_file_output *output, uint64_t size,
                                             struct hf_file_output_found *found, char *reterr)
{
    if (size == 0) {
        return HF_OK;
    }
    if (output->options.fresh || (output->options.framed && size > WALK_BYTES_MAX)) {
        found->set_aside = true;
        return rotate(output, reterr);
    }
    bool ok =
        output->options.framed ? mend_frames(output, size, found) : mend_lines(output, size, found);
    if (!ok || fdatasync(output->fd) != 0) {
        say_errno(reterr, "cannot repair the end of", output->options.path);
        return HF_IO;
    }
    return HF_OK;
}

enum hf_status hf_file_output_open(const struct hf_file_output_options *options,
                                   struct hf_file_output **ret_output,
                                   struct hf_file_output_found *ret_found, char *reterr)
{
    struct hf_file_output_found found = {0};
    struct hf_file_output *output = calloc(1, sizeof(*output));
    uint64_t size = 0;
    if (output == NULL) {
        snprintf(reterr, HF_FILE_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    output->options = *options;
    output->fd = -1;
    enum hf_status status = HF_OK;
    if ((options->create_directory && !make_directories(options, reterr)) ||
        !open_fd(output, &size, reterr)) {
        status = HF_IO;
    }
    if (status == HF_OK) {
        status = repair_end(output, size, &found, reterr);
    }
    if (status != HF_OK) {
        hf_file_output_close(output);
        return status;
    }
    *ret_output = output;
    *ret_found = found;
    return HF_OK;
}

/* ---- writing ---- */

/* The file may have been moved away (by logrotate): then begins a new one. */
static HF_MUST_USE enum hf_status prepare(struct hf_file_output *output, size_t more,
                                          uint64_t *ret_size, char *reterr)
{
    struct stat open_file;
    struct stat named;
    *ret_size = 0;
    if (!output->is_regular && output->fd >= 0) {
        return HF_OK;
    }
    if (output->fd >= 0 && fstat(output->fd, &open_file) == 0 &&
        stat(output->options.path, &named) == 0 && open_file.st_ino == named.st_ino &&
        open_file.st_dev == named.st_dev) {
        *ret_size = (uint64_t)open_file.st_size;
    } else {
        if (output->fd >= 0) {
            close(output->fd);
        }
        if (!open_fd(output, ret_size, reterr)) {
            return status_of_errno();
        }
    }
    uint64_t limit = output->options.max_bytes;
    if (limit == 0 || *ret_size == 0 || *ret_size + more <= limit) {
        return HF_OK;
    }
    *ret_size = 0;
    return rotate(output, reterr);
}

/* If even that fails the next opening cuts it. */
static void cut(struct hf_file_output *output, uint64_t size)
{
    if (output->is_regular && ftruncate(output->fd, (off_t)size) != 0) {
        close(output->fd);
        output->fd = -1;
    }
}

enum hf_status hf_file_output_write(struct hf_file_output *output, struct hf_slice records,
                                    char *reterr)
{
    uint64_t size = 0;
    enum hf_status status = prepare(output, records.size, &size, reterr);
    if (status != HF_OK) {
        return status;
    }
    output->size_before = size;
    if (hf_write_all(output->fd, records) && (!output->is_regular || fdatasync(output->fd) == 0)) {
        return HF_OK;
    }
    status = status_of_errno();
    say_errno(reterr, "cannot write", output->options.path);
    cut(output, size);
    return status;
}

void hf_file_output_take_back(struct hf_file_output *output)
{
    cut(output, output->size_before);
}

void hf_file_output_close(struct hf_file_output *output)
{
    if (output == NULL) {
        return;
    }
    if (output->fd >= 0) {
        close(output->fd);
    }
    free(output);
}
