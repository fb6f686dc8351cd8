#include "once.h"

#include <stdlib.h>
#include <time.h>

#include "top.h"
#include "util/escape.h"
#include "view.h"
#include "json/json_out.h"

#define NS_PER_S 1000000000ull

static void pause_ns(unsigned long long ns)
{
    const struct timespec pause = {.tv_sec = (time_t)(ns / NS_PER_S),
                                   .tv_nsec = (long)(ns % NS_PER_S)};
    nanosleep(&pause, NULL);
}

/* False, with a sentence in `reterr`: no answer, or none that is understood. */
static bool take(const struct hf_top_source *source, struct hf_top *top, char *reterr)
{
    char *text = NULL;
    size_t size = 0;
    if (source->ask(source->user, &text, &size, reterr) != HF_OK) {
        return false;
    }
    enum hf_status status = hf_top_take(top, hf_slice_of(text, size));
    free(text);
    if (status != HF_OK) {
        snprintf(reterr, HF_TOP_WHY_MAX, "%s",
                 status == HF_NOMEM ? "out of memory" : "the answer is of another version");
    }
    return status == HF_OK;
}

static void put_number(struct hf_json_out *json, const char *key, double number)
{
    if (number >= 0) {
        hf_json_out_double(json, key, number);
    } else {
        hf_json_out_text(json, key, NULL);
    }
}

static void put_row(struct hf_json_out *json, const struct hf_top_row *row)
{
    hf_json_out_map(json, NULL);
    hf_json_out_text(json, "name", row->name);
    hf_json_out_text(json, "state", row->state[0] != '\0' ? row->state : NULL);
    hf_json_out_text(json, "detail", row->detail[0] != '\0' ? row->detail : NULL);
    put_number(json, "in_items_per_second", row->in_per_s);
    put_number(json, "out_items_per_second", row->out_per_s);
    put_number(json, "queued_items", row->queued_items);
    put_number(json, "queued_records", row->queued_records);
    put_number(json, "oldest_age_seconds", row->oldest_s);
    put_number(json, "disk_bytes", row->disk_bytes);
    put_number(json, "disk_bytes_max", row->disk_max_bytes);
    put_number(json, "commit_seconds", row->commit_s);
    put_number(json, "full_in_seconds", row->until_full_s);
    put_number(json, "dead_items", row->dead_items);
    put_number(json, "in_flight", row->in_flight);
    hf_json_out_end_map(json);
}

static void put_json(const struct hf_top *top, FILE *out)
{
    static const char *const keys[HF_TOP_PART_COUNT] = {"pipelines", "queues", "exporters"};
    struct hf_json_out json = {.out = out};
    const struct hf_top_process *process = &top->process;
    hf_json_out_map(&json, NULL);
    hf_json_out_number(&json, "protocol", 1);
    hf_json_out_double(&json, "time_seconds", top->time_s);
    hf_json_out_double(&json, "interval_seconds", top->interval_s);
    hf_json_out_text(&json, "version", process->version);
    hf_json_out_text(&json, "data_directory", process->directory);
    hf_json_out_bool(&json, "ready", process->why[0] == '\0');
    hf_json_out_text(&json, "why_not_ready", process->why[0] != '\0' ? process->why : NULL);
    for (size_t part = 0; part < HF_TOP_PART_COUNT; part++) {
        hf_json_out_list(&json, keys[part]);
        for (size_t i = 0; i < top->parts[part].count; i++) {
            put_row(&json, &top->parts[part].items[i]);
        }
        hf_json_out_end_list(&json);
    }
    hf_json_out_end_map(&json);
    fputc('\n', out);
}

static void put_tables(struct hf_top *top, struct hf_page *page, bool is_ascii, FILE *out)
{
    const struct hf_view view = {.is_one = true, .is_ascii = is_ascii};
    (void)hf_view_draw(&view, top, page);
    for (size_t i = 0; i < page->count; i++) {
        size_t size = 0;
        for (size_t at = 0; page->lines[i].text[at] != '\0'; at++) {
            size = page->lines[i].text[at] != ' ' ? at + 1 : size;
        }
        fwrite(page->lines[i].text, 1, size, out);
        fputc('\n', out);
    }
}

int hf_top_once(const struct hf_top_source *source, bool json, size_t width, bool is_ascii,
                FILE *out)
{
    char why[HF_TOP_WHY_MAX] = "";
    struct hf_top top = {.time_s = 0};
    struct hf_page page = {.width = width};
    bool done = take(source, &top, why);
    if (done) {
        pause_ns(source->interval_ns);
        done = take(source, &top, why);
    }
    if (!done) {
        fputs("error: ", stderr);
        hf_escape_print(HF_ESCAPE_LINE, hf_slice_text(why), stderr);
        fputc('\n', stderr);
    } else if (json) {
        put_json(&top, out);
    } else {
        put_tables(&top, &page, is_ascii, out);
    }
    hf_page_release(&page);
    hf_top_release(&top);
    return done && fflush(out) == 0 ? 0 : 1;
}

int hf_top_repeat(const struct hf_top_source *source, size_t width, bool is_ascii, FILE *out)
{
    struct hf_top top = {.time_s = 0};
    struct hf_page page = {.width = width};
    while (!ferror(out)) {
        char why[HF_TOP_WHY_MAX] = "";
        if (take(source, &top, why)) {
            put_tables(&top, &page, is_ascii, out);
        } else {
            fputs("NO ANSWER: ", out);
            hf_escape_print(HF_ESCAPE_LINE, hf_slice_text(why), out);
            fputc('\n', out);
        }
        fputc('\n', out);
        fflush(out);
        pause_ns(source->interval_ns);
    }
    hf_page_release(&page);
    hf_top_release(&top);
    return 0;
}
