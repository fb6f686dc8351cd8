#include "credentials.h"

#include <stdio.h>
#include <stdlib.h>

#include "metadata.h"
#include "profile.h"
#include "sts.h"
#include "texts.h"

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static enum hf_status of_environment(struct hf_aws_credentials *ret)
{
    const char *access = getenv("AWS_ACCESS_KEY_ID"), *secret = getenv("AWS_SECRET_ACCESS_KEY");
    *ret = (struct hf_aws_credentials){.expires_s = 0};
    if (!given(access) || !given(secret)) {
        return HF_NOT_FOUND;
    }
    return aws_put_text(access, ret->access_key, sizeof(ret->access_key)) &&
                   aws_put_text(secret, ret->secret_key, sizeof(ret->secret_key)) &&
                   aws_put_text(getenv("AWS_SESSION_TOKEN"), ret->session_token,
                                sizeof(ret->session_token))
               ? HF_OK
               : HF_INVALID;
}

/* A token file and a role of the environment, as EKS sets them. */
static enum hf_status of_web_identity(struct hf_http_fetcher *fetcher,
                                      const struct hf_aws_role *role,
                                      struct hf_aws_credentials *ret, char *reterr)
{
    const struct hf_aws_role own = {.arn = getenv("AWS_ROLE_ARN"),
                                    .session_name = getenv("AWS_ROLE_SESSION_NAME"),
                                    .sts_region = role->sts_region,
                                    .web_identity_token_file =
                                        getenv("AWS_WEB_IDENTITY_TOKEN_FILE")};
    return given(own.arn) && given(own.web_identity_token_file)
               ? aws_sts_web_identity(fetcher, &own, ret, reterr)
               : HF_NOT_FOUND;
}

/* The first that is there. One that is there and fails ends the search: what stands behind it is
 * another identity. */
static enum hf_status find_own(struct hf_http_fetcher *fetcher, const struct hf_aws_role *role,
                               struct hf_aws_credentials *ret, char *reterr)
{
    /* A profile that the configuration names stands before all else. */
    enum hf_status status = given(role->profile)
                                ? aws_profile_read(role->profile, role->profile_file, ret, reterr)
                                : of_environment(ret);
    if (given(role->profile)) {
        return status;
    }
    if (status == HF_INVALID) {
        snprintf(reterr, 512, "the credentials of the environment are too long");
    }
    if (status == HF_NOT_FOUND) {
        status = of_web_identity(fetcher, role, ret, reterr);
    }
    if (status == HF_NOT_FOUND) {
        status = aws_profile_read(role->profile, role->profile_file, ret, reterr);
    }
    if (status == HF_NOT_FOUND) {
        status = aws_container_fetch(fetcher, ret, reterr);
    }
    if (status == HF_NOT_FOUND) {
        status = aws_instance_fetch(fetcher, ret, reterr);
    }
    return status;
}

enum hf_status hf_aws_credentials_find(struct hf_http_fetcher *fetcher,
                                       const struct hf_aws_role *role,
                                       struct hf_aws_credentials *ret, char *reterr)
{
    struct hf_aws_credentials own;
    snprintf(reterr, 512,
             "no credentials: neither in the environment nor in a profile, of a "
             "container or of an instance");
    if (given(role->web_identity_token_file)) {
        return aws_sts_web_identity(fetcher, role, ret, reterr);
    }
    if (!given(role->arn)) {
        return find_own(fetcher, role, ret, reterr);
    }
    enum hf_status status = find_own(fetcher, role, &own, reterr);
    if (status == HF_OK) {
        status = aws_sts_assume_role(fetcher, role, &own, ret, reterr);
    }
    explicit_bzero(&own, sizeof(own));
    return status;
}
