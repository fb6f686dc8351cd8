/*
 * results: what became of each test, as a table for people and as JUnit's XML. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct hf_test_result {
    char *file, *name, *why; /* `why` NULL: passed */
    uint64_t duration_ns;
};

struct hf_test_results {
    struct hf_test_result *items;
    size_t count, failed;
};

/* Texts are copied. False: out of memory. */
bool hf_test_results_add(struct hf_test_results *results, const char *file, const char *name,
                         const char *why, uint64_t duration_ns);
void hf_test_results_release(struct hf_test_results *results);

void hf_test_results_print(const struct hf_test_results *results, FILE *out);
/* False: the file cannot be written; errno tells. */
bool hf_test_results_junit(const struct hf_test_results *results, const char *path);
