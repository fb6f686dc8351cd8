#include "top_cli.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "commands.h"
#include "config/scalar.h"
#include "control_client.h"
#include "top/once.h"
#include "top/screen.h"
#include "util/time/clock.h"

#define INTERVAL_MIN_NS (100 * HF_NS_PER_MS)
#define WIDTH_DEFAULT 80u
#define WIDTH_MAX 1000u

struct request {
    struct hf_client_place place;
    uint64_t interval_ns;
    bool once, json, help;
};

static bool take_interval(struct request *request, const char *text)
{
    int64_t ns = 0;
    const char *why = "";
    if (!hf_scalar_duration(text, &ns, &why) || (uint64_t)ns < INTERVAL_MIN_NS || ns < 0) {
        fputs("error: --interval needs a duration of at least 100ms, such as 2s\n", stderr);
        return false;
    }
    request->interval_ns = (uint64_t)ns;
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
        } else if (strcmp(arguments[i], "--once") == 0) {
            request->once = true;
        } else if (strcmp(arguments[i], "--json") == 0) {
            request->json = true;
        } else if ((value = hf_client_value("--interval", count, arguments, &i)) == NULL ||
                   !take_interval(request, value)) {
            return false;
        }
    }
    return request->once || !request->json;
}

static enum hf_status ask(void *user, char **ret_text, size_t *ret_size, char *reterr)
{
    char verb[] = "status";
    char *words[] = {verb};
    return hf_client_fetch(user, 1, words, ret_text, ret_size, reterr, HF_TOP_WHY_MAX);
}

static size_t width_of_output(void)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    unsigned long width = columns != NULL ? strtoul(columns, NULL, 10) : 0;
    if (width == 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
        width = size.ws_col;
    }
    width = width == 0 ? WIDTH_DEFAULT : width;
    return width < WIDTH_MAX ? width : WIDTH_MAX;
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0';
}

static int show(const struct request *request, char *directory)
{
    const struct hf_top_source source = {ask, directory, request->interval_ns};
    const char *terminal = getenv("TERM");
    setlocale(LC_CTYPE, "");
    bool is_ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
    if (request->once) {
        return hf_top_once(&source, request->json, width_of_output(), is_ascii, stdout);
    }
    bool is_dumb = terminal == NULL || terminal[0] == '\0' || strcmp(terminal, "dumb") == 0 ||
                   isatty(STDOUT_FILENO) == 0 || isatty(STDIN_FILENO) == 0;
    if (!is_dumb && hf_top_screen(&source, !is_set("NO_COLOR"), is_ascii)) {
        return 0;
    }
    return hf_top_repeat(&source, width_of_output(), is_ascii, stdout);
}

enum hf_exit hf_top_cli(const struct hf_component *const *components, int count, char **arguments)
{
    struct request request = {.place.components = components, .interval_ns = HF_NS_PER_S};
    if (!parse(count, arguments, &request)) {
        hf_cli_help(hf_cli_find("top"), stderr);
        return HF_EXIT_USAGE;
    }
    if (request.help) {
        hf_cli_help(hf_cli_find("top"), stdout);
        return HF_EXIT_OK;
    }
    char *directory = hf_client_find(&request.place);
    int code = directory != NULL ? show(&request, directory) : 1;
    free(directory);
    return code == 0 ? HF_EXIT_OK : HF_EXIT_FAILED;
}
