/*
 * page_validate: /validate: a form for a configuration, and what `holdfast validate` says of it.
 */
#include <string.h>

#include "pages.h"
#include "trial.h"

#define NAME_IN_WORDS "/proc/self/fd/3"

static void put_form(const struct hf_console_view *view, struct hf_console_page *page,
                     const char *text)
{
    hf_console_put(page, "<form method=\"post\" action=\"/validate\">");
    hf_console_put_token(view, page);
    hf_console_put(
        page,
        "<label for=\"pasted\">A configuration in YAML. It is checked in a process of its "
        "own and not used; environment variables are not set there.</label>"
        "<textarea id=\"pasted\" name=\"config\" spellcheck=\"false\" "
        "autocomplete=\"off\" maxlength=\"%u\">\n%s</textarea>"
        "<div class=\"actions\"><button class=\"main\">Check it</button></div></form>\n",
        HF_CONSOLE_TRIAL_BYTES_MAX, text);
}

/* A line as it was said, but the place by the name that people know. */
static void put_line(struct hf_console_page *page, const char *line, size_t size)
{
    const char *name = memmem(line, size, NAME_IN_WORDS, strlen(NAME_IN_WORDS));
    bool is_error = size >= 6 && memcmp(line, "error:", 6) == 0;
    hf_console_put(page, "<li>");
    hf_console_put_state(page, is_error ? "bad" : "warn", is_error ? "error" : "note");
    hf_console_put(page, " ");
    if (name != NULL) {
        const char *behind = name + strlen(NAME_IN_WORDS);
        hf_console_put(page, "line");
        hf_console_escape(page, hf_slice_of(behind, size - (size_t)(behind - line)));
    } else {
        hf_console_escape(page, hf_slice_of(line, size));
    }
    hf_console_put(page, "</li>");
}

static void put_words(struct hf_console_page *page, const struct hf_bytes *words)
{
    const char *at = (const char *)words->data, *end = at + words->size;
    hf_console_put(page, "<ul class=\"matters\">");
    while (at < end) {
        const char *next = memchr(at, '\n', (size_t)(end - at));
        next = next != NULL ? next : end;
        if (next != at) {
            put_line(page, at, (size_t)(next - at));
        }
        at = next + 1;
    }
    hf_console_put(page, "</ul>");
}

static void put_result(struct hf_console_page *page, const char *text)
{
    struct hf_bytes words = {0};
    bool is_valid = false;
    enum hf_status status = hf_console_try(text, &words, &is_valid);
    if (status != HF_OK) {
        hf_console_put(page,
                       "<p class=\"told bad\" role=\"status\">It could not be checked: %s.</p>",
                       status == HF_AGAIN ? "it took too long" : "no process for it");
    } else if (is_valid) {
        hf_console_put(page, "<p class=\"told\" role=\"status\">It is valid.</p>");
        put_words(page, &words);
    } else {
        hf_console_put(page, "<p class=\"told bad\" role=\"status\">It is not valid.</p>");
        put_words(page, &words);
    }
    hf_bytes_release(&words);
}

void hf_console_show_validate(struct hf_console_view *view, struct hf_console_page *page)
{
    hf_console_put(page, "<h1>Validate</h1>\n");
    put_form(view, page, "");
}

void hf_console_run_validate(struct hf_console_view *view, struct hf_console_page *page)
{
    const char *text = hf_console_parameter_or(view->request, "config", "");
    const char *refusal = strlen(text) > HF_CONSOLE_TRIAL_BYTES_MAX
                              ? "it is longer than 512 KiB"
                              : hf_console_trial_refusal(text);
    hf_console_put(page, "<h1>Validate</h1>\n");
    if (refusal != NULL) {
        view->status = 400;
        hf_console_put(page, "<p class=\"told bad\" role=\"status\">It was not checked: %s.</p>",
                       refusal);
    } else {
        put_result(page, text);
    }
    put_form(view, page, text);
}
