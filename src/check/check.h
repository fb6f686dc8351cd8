/*
 * check: `holdfast check`: does what a configuration needs of the world outside work? Each
 * component in use says what that is (holdfast/probe.h), exporters send an empty request, the data
 * directory is looked at. Nothing listens afterwards, no queue is opened. Main thread.
 */
#pragma once

#include <stdio.h>

#include "config/config.h"

struct hf_check_options {
    const struct hf_config *config;
    const char *directory; /* the data directory */
    uint64_t timeout_ns;   /* of each step that waits for another machine */
    bool json;             /* in place of a table */
    FILE *out;
};

/* Prints the results. True: nothing has failed. */
HF_MUST_USE bool hf_check(const struct hf_check_options *options);
