#include "drain_cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "config/scalar.h"
#include "control_client.h"
#include "progress_view.h"
#include "service/control_protocol.h"
#include "service/hand_over.h"
#include "util/time/clock.h"

#define ASK_EVERY_NS 200000000L
#define PRINT_EVERY_NS UINT64_C(1000000000)

struct request {
    struct hf_client_place place;
    uint64_t timeout_ns; /* UINT64_MAX: none */
    const char *to;      /* a peer's endpoint; NULL: the backends */
    bool cancel, help;
};

static bool take_timeout(struct request *request, const char *text)
{
    int64_t ns = 0;
    const char *why = "";
    if (!hf_scalar_duration(text, &ns, &why) || ns < 0) {
        fprintf(stderr, "holdfast drain: --timeout %s: expected a duration such as 25s\n", text);
        return false;
    }
    request->timeout_ns = (uint64_t)ns;
    return true;
}

static bool parse(int count, char **arguments, struct request *request)
{
    for (int i = 1; i < count; i++) {
        bool taken = false;
        const char *wrong = hf_client_place_take(&request->place, count, arguments, &i, &taken);
        if (wrong != NULL) {
            fprintf(stderr, "error: %s\n", wrong);
            return false;
        }
        if (taken) {
            continue;
        }
        const char *value;
        if (strcmp(arguments[i], "--help") == 0 || strcmp(arguments[i], "-h") == 0) {
            request->help = true;
        } else if (strcmp(arguments[i], "--cancel") == 0) {
            request->cancel = true;
        } else if ((value = hf_client_value("--to", count, arguments, &i)) != NULL) {
            request->to = value;
        } else if ((value = hf_client_value("--timeout", count, arguments, &i)) == NULL ||
                   !take_timeout(request, value)) {
            return false;
        }
    }
    return true;
}

/* One question; the answer's line, malloc'd, in `ret_line`. */
static enum hf_exit ask(const char *directory, const struct request *request, char **ret_line)
{
    char verb[] = "drain", cancel[] = "--cancel", to[] = "--to";
    char *words[3] = {verb};
    int count = 1;
    char *endpoint = request->to != NULL ? strdup(request->to) : NULL;
    size_t size = 0;
    if (request->cancel) {
        words[count++] = cancel;
    } else if (endpoint != NULL) {
        words[count++] = to;
        words[count++] = endpoint;
    }
    int fd = hf_control_socket(directory, 0);
    if (fd < 0) {
        fprintf(stderr,
                "error: no Holdfast runs on the data directory %s, so nothing drains it; holdfast "
                "queue stat shows what it holds\n",
                directory);
        free(endpoint);
        return HF_EXIT_FAILED;
    }
    FILE *out = open_memstream(ret_line, &size);
    if (out == NULL || (endpoint == NULL && request->to != NULL)) {
        fputs("error: out of memory\n", stderr);
        close(fd);
        free(endpoint);
        return HF_EXIT_FAILED;
    }
    enum hf_exit code = hf_client_ask(fd, count, words, out);
    fclose(out);
    free(endpoint);
    return code;
}

/* The items of a line such as "left: logs for otlp: 20 items, traces for otlp: 5 items". */
static uint64_t items_of(const char *line)
{
    uint64_t sum = 0;
    for (const char *at = line; (at = strstr(at, " items")) != NULL; at++) {
        const char *number = at;
        while (number > line && number[-1] >= '0' && number[-1] <= '9') {
            number--;
        }
        sum += strtoull(number, NULL, 10);
    }
    return sum;
}

/* What is told while it lasts: a bar on a terminal, otherwise a line each second. */
struct telling {
    uint64_t begun_ns, printed_ns, most; /* the most items that were left */
    bool is_bar;
};

static void tell(struct telling *telling, const char *line, bool is_over)
{
    uint64_t now_ns = hf_clock_monotonic_ns();
    uint64_t left = items_of(line);
    telling->most = left > telling->most ? left : telling->most;
    if (is_over && telling->is_bar) {
        hf_progress_bar_clear();
    }
    if (!is_over && telling->is_bar) {
        hf_progress_bar("drain", telling->most - left, telling->most,
                        (double)(now_ns - telling->begun_ns) / 1e9);
    } else if (is_over || now_ns - telling->printed_ns >= PRINT_EVERY_NS) {
        fputs(line, stdout);
        fflush(stdout);
        telling->printed_ns = now_ns;
    }
}

static enum hf_exit wait_until_empty(const char *directory, const struct request *request)
{
    const struct timespec pause = {0, ASK_EVERY_NS};
    struct telling telling = {.begun_ns = hf_clock_monotonic_ns(),
                              .is_bar = hf_progress_view_is_wanted() && isatty(STDOUT_FILENO) != 0};
    for (;;) {
        char *line = NULL;
        enum hf_exit code = ask(directory, request, &line);
        bool over = code != HF_EXIT_NOT_EMPTY ||
                    hf_clock_monotonic_ns() - telling.begun_ns >= request->timeout_ns;
        if (line != NULL) {
            tell(&telling, line, over);
        }
        free(line);
        if (over) {
            return code;
        }
        nanosleep(&pause, NULL);
    }
}

enum hf_exit hf_drain_cli(const struct hf_component *const *components, int count, char **arguments)
{
    struct request request = {.place.components = components, .timeout_ns = UINT64_MAX};
    if (!parse(count, arguments, &request)) {
        hf_cli_help(hf_cli_find("drain"), stderr);
        return HF_EXIT_USAGE;
    }
    const char *wrong = request.to != NULL ? hf_hand_over_check(request.to) : NULL;
    if (wrong != NULL) {
        fprintf(stderr, "holdfast drain: --to %s: %s\n", request.to, wrong);
        return HF_EXIT_USAGE;
    }
    if (request.help) {
        hf_cli_help(hf_cli_find("drain"), stdout);
        return HF_EXIT_OK;
    }
    char *directory = hf_client_find(&request.place);
    if (directory == NULL) {
        return HF_EXIT_FAILED;
    }
    enum hf_exit code = wait_until_empty(directory, &request);
    free(directory);
    return code;
}
