/*
 * outline: a JSON tree as indented text, in the manner of YAML, for people to read.
 */
#pragma once

#include "page.h"
#include "json/json.h"

/* The members or elements of `value`, escaped; a scalar as it is. */
void hf_console_put_outline(struct hf_console_page *page, const struct hf_json *value);

/* JSON of which lists and maps can be folded away, those deeper than `open` at first. */
void hf_console_put_folded(struct hf_console_page *page, const struct hf_json *value,
                           unsigned open);
