/*
 * tail_cli: `holdfast tail`: what passes a point of the running process, until a key or a limit.
 */
#pragma once

#include <holdfast/component.h>

#include "service/service.h"

/* `arguments` begin with the command's name. */
enum hf_exit hf_tail_cli(const struct hf_component *const *components, int count, char **arguments);
