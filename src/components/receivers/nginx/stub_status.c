#include "stub_status.h"

#include <ctype.h>

const struct hf_metric_row nginx_rows[] = {NGINX_METRICS(HF_METRIC_ROW)};

static void skip_blanks(struct hf_slice *rest)
{
    while (rest->size != 0 && isspace(rest->data[0])) {
        *rest = hf_slice_of(rest->data + 1, rest->size - 1);
    }
}

static bool take_word(struct hf_slice *rest, struct hf_slice *ret_word)
{
    size_t size = 0;
    skip_blanks(rest);
    while (size < rest->size && !isspace(rest->data[size])) {
        size++;
    }
    *ret_word = hf_slice_of(rest->data, size);
    *rest = hf_slice_of(rest->data + size, rest->size - size);
    return size != 0;
}

static bool take_number(struct hf_slice *rest, int64_t *ret_number)
{
    struct hf_slice word;
    return take_word(rest, &word) && hf_read_int(word, ret_number) && *ret_number >= 0;
}

/* The words of `text`, whatever blanks are between them. */
static bool take_text(struct hf_slice *rest, const char *text)
{
    struct hf_slice wanted = hf_slice_text(text), one, word;
    while (take_word(&wanted, &one)) {
        if (!take_word(rest, &word) || !hf_slice_equal(one, word)) {
            return false;
        }
    }
    return true;
}

bool stub_status_read(struct hf_slice page, struct stub_status *ret_status)
{
    struct stub_status *status = ret_status;
    bool is_it = take_text(&page, "Active connections:") && take_number(&page, &status->active) &&
                 take_text(&page, "server accepts handled requests") &&
                 take_number(&page, &status->accepted) && take_number(&page, &status->handled) &&
                 take_number(&page, &status->requests) && take_text(&page, "Reading:") &&
                 take_number(&page, &status->reading) && take_text(&page, "Writing:") &&
                 take_number(&page, &status->writing) && take_text(&page, "Waiting:") &&
                 take_number(&page, &status->waiting);
    skip_blanks(&page);
    return is_it && page.size == 0;
}

void stub_status_add(const struct stub_status *status, struct hf_points *points)
{
    const struct {
        const char *state;
        int64_t value;
    } states[] = {{"active", status->active},
                  {"reading", status->reading},
                  {"writing", status->writing},
                  {"waiting", status->waiting}};
    hf_points_int(points, NGINX_REQUESTS, status->requests, NULL, 0);
    hf_points_int(points, NGINX_ACCEPTED, status->accepted, NULL, 0);
    hf_points_int(points, NGINX_HANDLED, status->handled, NULL, 0);
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        const struct hf_points_attribute state = {.key = "state",
                                                  .text = hf_slice_text(states[i].state)};
        hf_points_int(points, NGINX_CURRENT, states[i].value, &state, 1);
    }
}
