/*
 * top_cli: `holdfast top`: the pipelines, queues and exporters of a running process, on a terminal
 * or once for scripts.
 */
#pragma once

#include <holdfast/component.h>

#include "service/service.h"

/* `arguments` begin with the command's name. */
enum hf_exit hf_top_cli(const struct hf_component *const *components, int count, char **arguments);
