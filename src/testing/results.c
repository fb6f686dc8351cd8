#include "results.h"

#include <stdlib.h>
#include <string.h>

#include "util/escape.h"

bool hf_test_results_add(struct hf_test_results *results, const char *file, const char *name,
                         const char *why, uint64_t duration_ns)
{
    struct hf_test_result *items = reallocarray(results->items, results->count + 1, sizeof(*items));
    if (items == NULL) {
        return false;
    }
    results->items = items;
    struct hf_test_result *result = &items[results->count++];
    *result = (struct hf_test_result){strdup(file), strdup(name), why != NULL ? strdup(why) : NULL,
                                      duration_ns};
    results->failed += why != NULL;
    return result->file != NULL && result->name != NULL && (why == NULL || result->why != NULL);
}

void hf_test_results_release(struct hf_test_results *results)
{
    for (size_t i = 0; i < results->count; i++) {
        free(results->items[i].file);
        free(results->items[i].name);
        free(results->items[i].why);
    }
    free(results->items);
    *results = (struct hf_test_results){0};
}

static double seconds(uint64_t ns)
{
    return (double)ns / 1e9;
}

void hf_test_results_print(const struct hf_test_results *results, FILE *out)
{
    for (size_t i = 0; i < results->count; i++) {
        const struct hf_test_result *result = &results->items[i];
        fprintf(out, "%s  %6.2fs  ", result->why == NULL ? "ok    " : "FAILED",
                seconds(result->duration_ns));
        hf_escape_print(HF_ESCAPE_LINE, hf_slice_text(result->name), out);
        fputc('\n', out);
        if (result->why != NULL) {
            fputs("          ", out);
            hf_escape_print(HF_ESCAPE_LINE, hf_slice_text(result->why), out);
            fputc('\n', out);
        }
    }
    fprintf(out, "%zu passed, %zu failed\n", results->count - results->failed, results->failed);
}

/* A text as an attribute or as content. */
static void print_xml(const char *text, FILE *out)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '&') {
            fputs("&amp;", out);
        } else if (byte == '<') {
            fputs("&lt;", out);
        } else if (byte == '>') {
            fputs("&gt;", out);
        } else if (byte == '"') {
            fputs("&quot;", out);
        } else if (byte < ' ') {
            fprintf(out, byte == '\n' || byte == '\t' ? "&#%u;" : "?", byte);
        } else {
            fputc(byte, out);
        }
    }
}

bool hf_test_results_junit(const struct hf_test_results *results, const char *path)
{
    FILE *out = fopen(path, "we");
    if (out == NULL) {
        return false;
    }
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
            "<testsuite name=\"holdfast test\" tests=\"%zu\" failures=\"%zu\">\n",
            results->count, results->failed);
    for (size_t i = 0; i < results->count; i++) {
        const struct hf_test_result *result = &results->items[i];
        fputs("<testcase classname=\"", out);
        print_xml(result->file, out);
        fputs("\" name=\"", out);
        print_xml(result->name, out);
        fprintf(out, "\" time=\"%.3f\">", seconds(result->duration_ns));
        if (result->why != NULL) {
            fputs("<failure message=\"", out);
            print_xml(result->why, out);
            fputs("\"/>", out);
        }
        fputs("</testcase>\n", out);
    }
    fputs("</testsuite>\n</testsuites>\n", out);
    bool good = !ferror(out);
    return fclose(out) == 0 && good;
}
