/*
 * template: the receivers that a component starts while the process runs (`is_templates` in
 * holdfast/field.h), checked as far as is known at load: their types, their keys, and all values
 * without an expression in backticks. Loading thread.
 */
#pragma once

#include <holdfast/field.h>

#include "tree.h"

/* Those of a component at `entry` whose keys are `fields`. Mistakes are reported. */
void hf_template_check(struct hf_load *load, const struct hf_field *fields,
                       const struct hf_key_path *path, const struct hf_yaml_entry *entry);
