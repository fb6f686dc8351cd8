/*
 * exposition_text: one line of the text format or of OpenMetrics. For exposition.c only.
 */
#pragma once

#include "exposition.h"

enum hf_expo_item hf_expo_next_line(struct hf_expo_reader *reader);
