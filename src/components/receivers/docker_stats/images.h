/*
 * images: which images are left out, by `excluded_images`: exact names, `/regular expressions/` and
 * globs; `!` before one takes what it matches out again. Immutable once made; any thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/field.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

struct docker_images;

/* On failure `reterr` (HF_ERROR_MAX) names the pattern. */
HF_MUST_USE enum hf_status docker_images_new(const struct hf_string_list *patterns,
                                             struct docker_images **ret_images, char *reterr);
bool docker_images_match(const struct docker_images *images, struct hf_slice image);
void docker_images_free(struct docker_images *images);
