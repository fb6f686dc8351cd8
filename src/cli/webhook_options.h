/*
 * webhook_options: the options of `holdfast webhook`, a part of the table of commands. Constant.
 */
#pragma once

#include "commands.h"

extern const struct hf_cli_option hf_cli_webhook_options[];
