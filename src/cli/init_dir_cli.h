/*
 * init_dir_cli: `holdfast init-dir`: makes a data directory and gives it to a user, for init
 * containers that run as root before a container that does not.
 */
#pragma once

#include "service/service.h"

/* `arguments[0]` is "init-dir". Prints what was done to standard output, errors to standard error.
 */
enum hf_exit hf_init_dir_cli(int count, char **arguments);
