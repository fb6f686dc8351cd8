/* hf_service_print_findings() of service.h. */
#include "service.h"

#include <stdio.h>
#include <string.h>

#include "util/escape.h"

/* A line, and those of the excerpt below it. */
static void print_lines(const char *text)
{
    while (text != NULL) {
        size_t size = strcspn(text, "\n");
        hf_escape_print(HF_ESCAPE_LINE, hf_slice_of(text, size), stderr);
        fputc('\n', stderr);
        text = text[size] == '\n' ? text + size + 1 : NULL;
    }
}

bool hf_service_print_findings(const struct hf_finding *findings, size_t count)
{
    static const char *const kinds[] = {"error", "warning", "not built in"};
    bool failed = false;
    for (size_t i = 0; i < count; i++) {
        fprintf(stderr, "%s: ", kinds[findings[i].kind]);
        print_lines(findings[i].text);
        failed = failed || findings[i].kind == HF_FINDING_ERROR;
    }
    return failed;
}
