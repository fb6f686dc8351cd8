#include "progress_view.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "service/queue/progress.h"
#include "util/time/clock.h"

#define MARKED_MAX 64u
#define BAR_WIDTH 30

struct view {
    const char *verb;
    FILE *out;
    uint64_t began_ns;
    bool is_inside, is_shown; /* of a marked line; a line stands on the terminal */
    bool is_middle;           /* of a line of the answer */
    char marked[MARKED_MAX];
    size_t size;
};

bool hf_progress_view_is_wanted(void)
{
    const char *terminal = getenv("TERM");
    return isatty(STDERR_FILENO) != 0 && (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

void hf_progress_bar(const char *verb, unsigned long long done, unsigned long long total,
                     double spent_s)
{
    char bar[BAR_WIDTH + 1];
    done = done < total ? done : total;
    double part = total != 0 ? (double)done / (double)total : 0;
    for (int i = 0; i < BAR_WIDTH; i++) {
        bar[i] = (double)i < part * BAR_WIDTH ? '#' : '.';
    }
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, "\r\x1b[K%s [%s] %3.0f%%  %llu of %llu", verb, bar, part * 100, done, total);
    if (part > 0) {
        fprintf(stderr, "  %.0fs left", spent_s / part - spent_s);
    }
    fflush(stderr);
}

void hf_progress_bar_clear(void)
{
    fputs("\r\x1b[K", stderr);
    fflush(stderr);
}

static void clear(struct view *view)
{
    if (view->is_shown) {
        hf_progress_bar_clear();
        view->is_shown = false;
    }
}

static void show(struct view *view)
{
    unsigned long long done = 0, total = 0;
    if (sscanf(view->marked, "%llu %llu", &done, &total) == 2 && total != 0) {
        double spent_s = (double)(hf_clock_monotonic_ns() - view->began_ns) / 1e9;
        hf_progress_bar(view->verb, done, total, spent_s);
        view->is_shown = true;
    }
}

static void take(struct view *view, char letter)
{
    if (view->is_inside && letter == '\n') {
        view->marked[view->size] = '\0';
        view->is_inside = false;
        show(view);
    } else if (view->is_inside) {
        view->marked[view->size] = letter;
        view->size += view->size + 1 < MARKED_MAX ? 1 : 0;
    } else if (!view->is_middle && letter == HF_PROGRESS_MARK) {
        view->is_inside = true;
        view->size = 0;
    } else {
        clear(view);
        putc(letter, view->out);
        view->is_middle = letter != '\n';
    }
}

static ssize_t put(void *cookie, const char *text, size_t size)
{
    struct view *view = cookie;
    for (size_t i = 0; i < size; i++) {
        take(view, text[i]);
    }
    return fflush(view->out) == 0 ? (ssize_t)size : 0;
}

static int end(void *cookie)
{
    clear(cookie);
    free(cookie);
    return 0;
}

FILE *hf_progress_view_open(const char *verb, FILE *out)
{
    struct view *view = calloc(1, sizeof(*view));
    if (view == NULL) {
        return NULL;
    }
    *view = (struct view){.verb = verb, .out = out, .began_ns = hf_clock_monotonic_ns()};
    FILE *stream = fopencookie(view, "w", (cookie_io_functions_t){.write = put, .close = end});
    if (stream == NULL) {
        free(view);
    }
    return stream;
}
