/*
 * control_client: how a command of the command line finds the data directory and asks the process
 * that has it.
 */
#pragma once

#include <stdio.h>

#include "service/service.h"

#define HF_CLIENT_CONFIGS_MAX 64

/* What a command line says about the place of the queues. Borrows its arguments. */
struct hf_client_place {
    const struct hf_component *const *components; /* those that are built in; NULL ends them */
    const char *data_directory;
    struct hf_config_source configs[HF_CLIENT_CONFIGS_MAX];
    size_t config_count;
};

/* The value of `option` ("--to"), as `--to VALUE` or `--to=VALUE`, at `arguments[*at]`; `*at` is
 * the last word taken. "" when none follows; NULL: that word is another. */
const char *hf_client_value(const char *option, int count, char **arguments, int *at);

/* Takes --data-dir or --config, as `--name VALUE` or `--name=VALUE`, at `arguments[*at]`; `*at` is
 * the last word taken. NULL, or what is wrong. */
const char *hf_client_place_take(struct hf_client_place *place, int count, char **arguments,
                                 int *at, bool *ret_taken);

/* False: the configuration is not valid, and its errors were printed. NULL in `ret_config`: none
 * was named. */
HF_MUST_USE bool hf_client_load(const struct hf_client_place *place, struct hf_config **ret_config);

/*
 * Where the queues are: as the service finds them, but that nothing is made; without any word of
 * it, a ./holdfast-data that is there. Malloc'd; NULL: out of memory.
 */
char *hf_client_directory(const struct hf_client_place *place, const struct hf_config *config);

/* The same of a place: loads its configuration for that. Malloc'd; NULL: an error was printed. */
char *hf_client_find(const struct hf_client_place *place);

/*
 * Sends the words over a connection of hf_control_socket(), which is closed, and copies the answer
 * to `out`. Returns the exit code of the answer; without one HF_EXIT_FAILED, and an error was
 * printed to standard error.
 */
enum hf_exit hf_client_ask(int fd, int count, char *const *words, FILE *out);

/*
 * Asks the process that has that data directory, and waits a few seconds at most. The whole answer,
 * malloc'd; not HF_OK: `reterr` (`room` bytes) says why there is none. Prints nothing.
 */
HF_MUST_USE enum hf_status hf_client_fetch(const char *directory, int count, char *const *words,
                                           char **ret_text, size_t *ret_size, char *reterr,
                                           size_t room);
