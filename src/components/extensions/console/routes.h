/*
 * routes: which page answers which path. A table of constants; any thread.
 */
#pragma once

#include <stdbool.h>

#include "view.h"

/* NULL: there is no such page for that method; `ret_is_other` tells whether there is for another.
 * GET and HEAD are one. */
const struct hf_console_route *hf_console_route_find(const char *method, const char *path,
                                                     bool *ret_is_other);
