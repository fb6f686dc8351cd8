/*
 * admission_fuzz: the input is an AdmissionReview.
 * Must reach: hf_review_read, hf_review_answer, hf_inject_wish, hf_choose, hf_inject_hindrance,
 * hf_inject, hf_json_write_value.
 *
 * Whatever is a review gets an answer that is JSON, and a pod a patch that is a list.
 */
#include "check.h"
#include "webhook/choice.h"
#include "webhook/inject.h"
#include "webhook/review.h"
#include <stdint.h>

#define ARENA_BYTES_MAX (4u << 20)

static void inject(const struct hf_review *review, bool is_native, struct hf_bytes *patch)
{
    static const struct hf_webhook_settings settings = {.image = "holdfast:1",
                                                        .own_namespace = "observability",
                                                        .config_map = "holdfast-sidecar",
                                                        .queue_size = "4Gi"};
    const struct hf_inject_config config = {.text = hf_slice_text("receivers: {}\n"),
                                            .about = hf_slice_text("a test"),
                                            .env = hf_json_get(review->pod, "spec"),
                                            .resources = hf_json_get(review->pod, "metadata")};
    const struct hf_inject_options options = {.settings = &settings,
                                              .config = &config,
                                              .pod = review->pod,
                                              .namespace = review->namespace,
                                              .is_native = is_native};
    bool is_there = hf_inject_is_there(review->pod);
    (void)is_there; /* a second one is put in all the same here */
    (void)hf_inject_hindrance(review->pod, is_native);
    check(hf_inject(&options, patch) == HF_OK);
}

static void check_json(struct hf_bytes *text, enum hf_json_kind kind)
{
    struct hf_arena arena = {.limit = 16 * ARENA_BYTES_MAX};
    const struct hf_json *value = NULL;
    char error[HF_JSON_ERROR_MAX];
    enum hf_status status =
        hf_json_read(hf_slice_of(text->data, text->size), &arena, &value, error);
    /* What was deep already is too deep within the patch. */
    check(status == HF_INVALID || (status == HF_OK && value->kind == kind));
    hf_arena_release(&arena);
    text->size = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_arena arena = {.limit = ARENA_BYTES_MAX};
    struct hf_review review;
    struct hf_choice choice;
    struct hf_bytes patch = {0}, answer = {0};
    char error[HF_JSON_ERROR_MAX];
    if (hf_review_read(hf_slice_of(data, size), &arena, &review, error) == HF_OK) {
        struct hf_slice wish = hf_inject_wish(review.pod);
        bool is_name = hf_choose(wish, hf_annotation(review.pod, "namespace"), &choice);
        check(!is_name || choice.name.size <= 253);
        for (int native = 0; native < 2 && review.pod != NULL; native++) {
            inject(&review, native != 0, &patch);
            check_json(&patch, HF_JSON_LIST);
        }
        check(hf_review_answer(&review, wish, "why", &answer) == HF_OK);
        check_json(&answer, HF_JSON_MAP);
    }
    hf_bytes_release(&patch);
    hf_bytes_release(&answer);
    hf_arena_release(&arena);
    return 0;
}
