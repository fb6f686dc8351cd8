/*
 * images: which images are left out, by `excluded_images`: exact names, `/regular expressions/` and
 * globs; `!` before one takes what it matches out again. Immutable once made; any thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/field.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

struct hf_docker_images;

/* On failure `reterr` (HF_ERROR_MAX) names the pattern. */
HF_MUST_USE enum hf_status hf_docker_images_new(const struct hf_string_list *patterns,
                                                struct hf_docker_images **ret_images, char *reterr);
bool hf_docker_images_match(const struct hf_docker_images *images, struct hf_slice image);
void hf_docker_images_free(struct hf_docker_images *images);
