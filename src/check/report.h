/*
 * report: the results of `holdfast check`, gathered line by line and printed as a table or as JSON.
 * Owned by one thread. Zeroed at first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <holdfast/probe.h>

struct hf_check_line {
    const char *component; /* "exporter otlp/gateway" */
    const char *step, *target, *detail;
    enum hf_probe_result result;
};

struct hf_check_report {
    struct hf_check_line *lines;
    size_t count, capacity;
    bool is_incomplete; /* out of memory */
};

/* Copies the texts. */
void hf_check_report_add(struct hf_check_report *report, const struct hf_check_line *line);
size_t hf_check_report_count(const struct hf_check_report *report, enum hf_probe_result result);
void hf_check_report_print(const struct hf_check_report *report, bool json, FILE *out);
void hf_check_report_release(struct hf_check_report *report);
