/*
 * testing: runs files of tests of configurations, and tells the results. Main thread.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "config/config.h"

struct hf_testing_options {
    const char *const *files;
    size_t file_count;
    const struct hf_component *const *components; /* the registry */
    const char *junit;                            /* a file for JUnit's XML; NULL: none */
    const char *only;                             /* tests whose name has this text; NULL: all */
    const char *log; /* where the graphs under test log; "/dev/null", "stderr" */
    FILE *out;
};

enum hf_testing_verdict {
    HF_TESTING_PASSED = 0,
    HF_TESTING_FAILED,  /* a test at least */
    HF_TESTING_UNUSABLE /* a file, or its configuration, cannot be used */
};

enum hf_testing_verdict hf_testing_run(const struct hf_testing_options *options);
