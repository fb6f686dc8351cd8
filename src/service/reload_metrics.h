/*
 * reload_metrics: how the configuration that was given last fared. The main thread.
 */
#pragma once

#include <stdbool.h>

#include "util/metrics/metrics.h"

/* After the start, and after each reload. */
void hf_reload_show(struct hf_metrics *metrics, bool succeeded);
