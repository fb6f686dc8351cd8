#include "docker_images.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "ottl/glob.h"
#include "util/regex/regex.h"

struct pattern {
    const char *literal; /* NULL: the regex decides */
    struct hf_regex *regex;
    bool is_negated;
};

struct hf_docker_images {
    size_t count;
    struct pattern patterns[];
};

static enum hf_status read_pattern(struct pattern *pattern, const char *text, char *reterr)
{
    size_t size = strlen(text);
    pattern->is_negated = text[0] == '!';
    text += pattern->is_negated ? 1 : 0;
    size -= pattern->is_negated ? 1 : 0;
    if (size >= 2 && text[0] == '/' && text[size - 1] == '/') {
        return hf_ottl_regex_new(hf_slice_of((const uint8_t *)text + 1, size - 2), &pattern->regex,
                                 reterr);
    }
    if (strpbrk(text, "*?[]{}!") != NULL) {
        return hf_ottl_glob_new(hf_slice_text(text), &pattern->regex, reterr);
    }
    pattern->literal = text;
    return HF_OK;
}

enum hf_status hf_docker_images_new(const struct hf_string_list *patterns,
                                    struct hf_docker_images **ret_images, char *reterr)
{
    struct hf_docker_images *images =
        calloc(1, sizeof(*images) + patterns->count * sizeof(images->patterns[0]));
    if (images == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    images->count = patterns->count;
    for (size_t i = 0; i < patterns->count; i++) {
        char why[HF_REGEX_ERROR_MAX] = "out of memory";
        enum hf_status status = read_pattern(&images->patterns[i], patterns->items[i], why);
        if (status != HF_OK) {
            snprintf(reterr, HF_ERROR_MAX, "excluded_images[%zu]: %.150s: %s", i,
                     patterns->items[i], why);
            hf_docker_images_free(images);
            return status;
        }
    }
    *ret_images = images;
    return HF_OK;
}

static bool is_match(const struct pattern *pattern, struct hf_slice image)
{
    return pattern->literal != NULL ? hf_slice_is(image, pattern->literal)
                                    : hf_regex_matches(pattern->regex, image);
}

bool hf_docker_images_match(const struct hf_docker_images *images, struct hf_slice image)
{
    bool matches = false;
    for (size_t i = 0; i < images->count; i++) {
        if (is_match(&images->patterns[i], image)) {
            if (images->patterns[i].is_negated) {
                return false;
            }
            matches = true;
        }
    }
    return matches;
}

void hf_docker_images_free(struct hf_docker_images *images)
{
    for (size_t i = 0; images != NULL && i < images->count; i++) {
        hf_regex_free(images->patterns[i].regex);
    }
    free(images);
}
