#include "debug_output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <holdfast/ref.h>

#include "util/compress/compress.h"

/* What a pipe that reports room surely takes at once (PIPE_BUF). */
#define STEP_BYTES 4096u

struct hf_debug_output {
    struct hf_loop *loop;
    struct hf_io io;
    int fd;
    bool is_own; /* opened here, without blocking; otherwise shared with other writers, which may
                    block */
    bool is_watched; /* by the loop, until it takes more */
    struct hf_bytes waiting;
    uint64_t left_out; /* lines, since the last that was kept */
};

/* How many bytes of `text` were written without waiting. A broken output takes all of them: it has
 * no reader.
 */
static size_t write_some(struct hf_debug_output *output, struct hf_slice text)
{
    size_t written = 0;
    while (written < text.size) {
        size_t step = text.size - written;
        if (!output->is_own) {
            struct pollfd room = {.fd = output->fd, .events = POLLOUT};
            if (poll(&room, 1, 0) != 1) {
                return written;
            }
            step = step < STEP_BYTES ? step : STEP_BYTES;
        }
        ssize_t size = write(output->fd, text.data + written, step);
        if (size < 0 && errno == EINTR) {
            continue;
        }
        if (size < 0) {
            return errno == EAGAIN ? written : text.size;
        }
        written += (size_t)size;
    }
    return written;
}

static void watch(struct hf_debug_output *output)
{
    /* A shared descriptor is not watched: it would stay with the loop after it is closed here. */
    bool wanted = output->is_own && output->waiting.size > 0;
    if (wanted && !output->is_watched) {
        output->is_watched = hf_loop_add(output->loop, output->fd, EPOLLOUT, &output->io) == HF_OK;
    } else if (!wanted && output->is_watched) {
        hf_loop_remove(output->loop, output->fd, &output->io);
        output->is_watched = false;
    }
}

static void keep(struct hf_debug_output *output, struct hf_slice text)
{
    if (output->waiting.size + text.size <= HF_DEBUG_WAITING_MAX &&
        hf_bytes_append(&output->waiting, text) == HF_OK) {
        return;
    }
    for (size_t i = 0; i < text.size; i++) {
        output->left_out += text.data[i] == '\n';
    }
}

static void drain(struct hf_debug_output *output)
{
    size_t size = write_some(output, hf_slice_of(output->waiting.data, output->waiting.size));
    output->waiting.size -= size;
    if (size > 0 && output->waiting.size > 0) {
        memmove(output->waiting.data, output->waiting.data + size, output->waiting.size);
    }
    if (output->waiting.size == 0 && output->left_out > 0) {
        char note[96];
        int length =
            snprintf(note, sizeof(note), "... %llu lines left out: this output is too slow\n",
                     (unsigned long long)output->left_out);
        output->left_out = 0;
        keep(output, hf_slice_of(note, (size_t)length));
    }
}

static void drain_when_ready(struct hf_io *io, uint32_t events)
{
    struct hf_debug_output *output = HF_CONTAINER(io, struct hf_debug_output, io);
    (void)events;
    drain(output);
    watch(output);
}

void hf_debug_output_write(struct hf_debug_output *output, struct hf_slice text)
{
    if (output->waiting.size > 0 || output->left_out > 0) {
        drain(output);
    }
    size_t written = output->waiting.size == 0 ? write_some(output, text) : 0;
    if (written > 0 && written < text.size) {
        /* The line that was begun is ended, whatever else is left out. */
        const uint8_t *newline = memchr(text.data + written, '\n', text.size - written);
        size_t rest = newline != NULL ? (size_t)(newline - text.data) + 1 : text.size;
        keep(output, hf_slice_of(text.data + written, rest - written));
        written = rest;
    }
    if (written < text.size) {
        keep(output, hf_slice_of(text.data + written, text.size - written));
    }
    watch(output);
}

/*
 * A description of its own can be non-blocking without others noticing, which a duplicate could
 * not. An output that cannot be opened again (a socket, another user's terminal) is shared and
 * polled before each write. So is a file, which never blocks: two positions in one file would
 * overwrite each other.
 */
static int open_standard(int number, bool *ret_is_own)
{
    char path[32];
    struct stat facts;
    int fd = -1;
    if (fstat(number, &facts) == 0 && !S_ISREG(facts.st_mode)) {
        snprintf(path, sizeof(path), "/proc/self/fd/%d", number);
        fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    }
    *ret_is_own = fd >= 0;
    return fd >= 0 ? fd : fcntl(number, F_DUPFD_CLOEXEC, 3);
}

enum hf_status hf_debug_output_open(struct hf_loop *loop, const char *path,
                                    struct hf_debug_output **ret_output)
{
    struct hf_debug_output *output = calloc(1, sizeof(*output));
    if (output == NULL) {
        return HF_NOMEM;
    }
    output->loop = loop;
    output->io.ready = drain_when_ready;
    output->is_own = true;
    if (strcmp(path, "stdout") == 0) {
        output->fd = open_standard(STDOUT_FILENO, &output->is_own);
    } else if (strcmp(path, "stderr") == 0) {
        output->fd = open_standard(STDERR_FILENO, &output->is_own);
    } else {
        output->fd =
            open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0600);
    }
    if (output->fd < 0) {
        free(output);
        return HF_IO;
    }
    *ret_output = output;
    return HF_OK;
}

void hf_debug_output_close(struct hf_debug_output *output)
{
    if (output == NULL) {
        return;
    }
    drain(output);
    /* Watched or not: with its only description the loop forgets it, and its thread has ended. */
    close(output->fd);
    hf_bytes_release(&output->waiting);
    free(output);
}
