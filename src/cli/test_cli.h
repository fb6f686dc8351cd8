/*
 * test_cli: `holdfast test`: tests of configurations. Main thread.
 */
#pragma once

#include <holdfast/component.h>

#include "service/service.h"

/* `argv[0]` is "test". */
enum hf_exit hf_test_cli(const struct hf_component *const *components, int argc, char **argv);
