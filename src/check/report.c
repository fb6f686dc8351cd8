#include "report.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "util/escape.h"

static const char *const words[] = {"ok", "warning", "failed"};
static const char *const titles[] = {"COMPONENT", "STEP", "TARGET"};

#define COLUMNS 3u
#define WIDTH_MAX 48u

static const char *column(const struct hf_check_line *line, size_t i)
{
    return i == 0 ? line->component : i == 1 ? line->step : line->target;
}

static void free_line(struct hf_check_line *line)
{
    free((char *)(uintptr_t)line->component);
    free((char *)(uintptr_t)line->step);
    free((char *)(uintptr_t)line->target);
    free((char *)(uintptr_t)line->detail);
}

void hf_check_report_add(struct hf_check_report *report, const struct hf_check_line *line)
{
    if (report->count == report->capacity) {
        size_t capacity = report->capacity != 0 ? 2 * report->capacity : 32;
        struct hf_check_line *lines = realloc(report->lines, capacity * sizeof(*lines));
        if (lines == NULL) {
            report->is_incomplete = true;
            return;
        }
        report->lines = lines;
        report->capacity = capacity;
    }
    struct hf_check_line copy = {strdup(line->component), strdup(line->step), strdup(line->target),
                                 strdup(line->detail), line->result};
    if (copy.component == NULL || copy.step == NULL || copy.target == NULL || copy.detail == NULL) {
        free_line(&copy);
        report->is_incomplete = true;
        return;
    }
    report->lines[report->count++] = copy;
}

size_t hf_check_report_count(const struct hf_check_report *report, enum hf_probe_result result)
{
    size_t count = 0;
    for (size_t i = 0; i < report->count; i++) {
        count += report->lines[i].result == result ? 1 : 0;
    }
    return count;
}

static void print_cell(const char *text, size_t width, FILE *out)
{
    hf_escape_print(HF_ESCAPE_LINE, hf_slice_text(text), out);
    for (size_t size = strlen(text); size < width; size++) {
        fputc(' ', out);
    }
    fputs("  ", out);
}

static void print_table(const struct hf_check_report *report, FILE *out)
{
    size_t widths[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++) {
        widths[i] = strlen(titles[i]);
        for (size_t l = 0; l < report->count; l++) {
            size_t size = strlen(column(&report->lines[l], i));
            widths[i] = size > widths[i] && size <= WIDTH_MAX ? size : widths[i];
        }
    }
    for (size_t i = 0; i < COLUMNS; i++) {
        print_cell(titles[i], widths[i], out);
    }
    fputs("RESULT   DETAIL\n", out);
    for (size_t l = 0; l < report->count; l++) {
        const struct hf_check_line *line = &report->lines[l];
        for (size_t i = 0; i < COLUMNS; i++) {
            print_cell(column(line, i), widths[i], out);
        }
        fprintf(out, "%-7s  ", words[line->result]);
        hf_escape_print(HF_ESCAPE_LINE, hf_slice_text(line->detail), out);
        fputc('\n', out);
    }
    fprintf(out, "ok: %zu, warnings: %zu, failed: %zu\n",
            hf_check_report_count(report, HF_PROBE_OK),
            hf_check_report_count(report, HF_PROBE_WARNING),
            hf_check_report_count(report, HF_PROBE_FAILED));
}

static void print_member(const char *key, const char *text, FILE *out)
{
    fprintf(out, "\"%s\":\"", key);
    hf_escape_print(HF_ESCAPE_JSON, hf_slice_text(text), out);
    fputs("\"", out);
}

static void print_json(const struct hf_check_report *report, FILE *out)
{
    fprintf(out, "{\"ok\":%s,\"checks\":[",
            hf_check_report_count(report, HF_PROBE_FAILED) == 0 ? "true" : "false");
    for (size_t l = 0; l < report->count; l++) {
        const struct hf_check_line *line = &report->lines[l];
        fputs(l != 0 ? ",\n{" : "\n{", out);
        print_member("component", line->component, out);
        fputc(',', out);
        print_member("step", line->step, out);
        fputc(',', out);
        print_member("target", line->target, out);
        fputc(',', out);
        print_member("result", words[line->result], out);
        fputc(',', out);
        print_member("detail", line->detail, out);
        fputc('}', out);
    }
    fputs("\n]}\n", out);
}

void hf_check_report_print(const struct hf_check_report *report, bool json, FILE *out)
{
    if (json) {
        print_json(report, out);
    } else {
        print_table(report, out);
    }
}

void hf_check_report_release(struct hf_check_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        free_line(&report->lines[i]);
    }
    free(report->lines);
    *report = (struct hf_check_report){0};
}
