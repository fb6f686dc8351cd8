/*
 * screen: `holdfast top` on a terminal: keys, and the page of view.h redrawn at an interval. Only
 * its source knows ncurses.
 */
#pragma once

#include <stdbool.h>

#include "source.h"

/* Until a key ends it. False: the terminal cannot be used so; nothing was drawn. */
bool hf_top_screen(const struct hf_top_source *source, bool has_colours, bool is_ascii);
