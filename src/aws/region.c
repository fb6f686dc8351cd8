#include "region.h"

#include <stdio.h>
#include <stdlib.h>

#include "http/fetch.h"
#include "metadata.h"
#include "texts.h"

#define ERROR_MAX 512u
#define ANSWER_BYTES_MAX 4096u

static enum hf_status ask_instance(char *ret_region, char *reterr)
{
    struct hf_http_fetcher *fetcher = NULL;
    const struct hf_http_client_options options = {.response_bytes_max = ANSWER_BYTES_MAX};
    char why[ERROR_MAX] = "";
    enum hf_status status = hf_http_fetcher_new(&options, &fetcher, why);
    if (status == HF_OK) {
        status = aws_instance_region(fetcher, ret_region, HF_AWS_REGION_MAX, why);
    }
    if (status != HF_OK) {
        snprintf(reterr, ERROR_MAX,
                 "region: set it here or in AWS_REGION, as the instance tells none: %.300s", why);
    }
    hf_http_fetcher_free(fetcher);
    return status;
}

enum hf_status hf_aws_region_find(bool asks_instance, char ret_region[HF_AWS_REGION_MAX],
                                  char *reterr)
{
    static const char *const names[] = {"AWS_REGION", "AWS_DEFAULT_REGION"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *region = getenv(names[i]);
        if (region != NULL && region[0] != '\0' &&
            aws_put_text(region, ret_region, HF_AWS_REGION_MAX)) {
            return HF_OK;
        }
    }
    if (!asks_instance) {
        snprintf(reterr, ERROR_MAX, "region: set it here or in AWS_REGION");
        return HF_NOT_FOUND;
    }
    return ask_instance(ret_region, reterr);
}
