/*
 * webhook_cli: `holdfast webhook`: its options, and the run.
 */
#pragma once

#include "service/service.h"

/* `arguments` begin with "webhook". */
enum hf_exit hf_webhook_cli(int count, char **arguments);
