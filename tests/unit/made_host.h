/*
 * made_host: a silent log, metrics and a data directory of the test's own, as the service has them.
 * It is included, not linked.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "node/node.h"
#include "storage/storage.h"
#include "util/log/log.h"
#include "util/metrics/metrics.h"

static inline void make_host(char ret_directory[64], struct hf_host *ret_host)
{
    char error[512] = "";
    snprintf(ret_directory, 64, "/tmp/hf-test-XXXXXX");
    assert_non_null(mkdtemp(ret_directory));
    const struct hf_log_options log = {.level = HF_LOG_ERROR + 1};
    assert_int_equal(hf_log_new(&log, &ret_host->log, error), HF_OK);
    assert_int_equal(hf_metrics_new(&ret_host->metrics), HF_OK);
    const struct hf_storage_options store = {.directory = ret_directory, .log = ret_host->log};
    assert_int_equal(hf_storage_open(&store, &ret_host->store, error), HF_OK);
}

/* Removes the directory too. */
static inline void free_host(const char *directory, struct hf_host *host)
{
    char command[128];
    hf_storage_close(host->store);
    hf_metrics_free(host->metrics);
    hf_log_free(host->log);
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    assert_int_equal(system(command), 0);
}
