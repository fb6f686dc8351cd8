/*
 * service: the running program: data directory, graph, signals, reload. One a process; main thread.
 */
#pragma once

#include <stdbool.h>

#include "config/config.h"

struct hf_service_options {
    struct hf_config_options config;
    const char *data_directory; /* --data-dir; NULL: as the environment and the configuration say */
    const char *default_directory; /* without an option or a key for it; NULL: /var/lib/holdfast,
                                      else ./holdfast-data */
    const char *const *gates;      /* --feature-gates, each given: a warning for each */
    size_t gate_count;
    bool show_status;    /* print a status line every few seconds */
    bool watches_config; /* reload when a file of the configuration has changed */
};

/* Exit codes, documented in --help. */
enum hf_exit {
    HF_EXIT_OK = 0,
    HF_EXIT_FAILED = 1,
    HF_EXIT_USAGE = 2,
    HF_EXIT_DAMAGED = 3,
    HF_EXIT_NOT_EMPTY = 4, /* of `drain` */
    HF_EXIT_LAST = HF_EXIT_NOT_EMPTY
};

/* Runs until SIGTERM or SIGINT; SIGHUP reloads. Returns the exit code; errors were printed to
 * standard error. */
enum hf_exit hf_service_run(const struct hf_service_options *options);

/* The default data directories: the first, or the second where the first cannot be made. */
#define HF_SERVICE_SYSTEM_DIRECTORY "/var/lib/holdfast"
#define HF_SERVICE_LOCAL_DIRECTORY "./holdfast-data"

/* The data directory that these options and this configuration (may be NULL) mean. Malloc'd; NULL:
 * out of memory. */
char *hf_service_data_directory(const char *given, const char *fallback,
                                const struct hf_config *config);

/* Prints findings to standard error, one a line. True when there is an error among them. */
bool hf_service_print_findings(const struct hf_finding *findings, size_t count);
