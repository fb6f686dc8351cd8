#include "bearer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "util/time/clock.h"

#define LIFE_MS 15000u       /* as the library is told; it asks again after four fifths of it */
#define PRINCIPAL "holdfast" /* has to be something; it is not sent */

/* The end that the library is told, in Unix milliseconds; 0: the token has ended. */
static int64_t end_ms(const struct hf_kafka_token *token)
{
    uint64_t now_ms = hf_clock_unix_ns() / HF_NS_PER_MS;
    uint64_t end_ms = now_ms + LIFE_MS;
    if (token->end_s != 0 && token->end_s < end_ms / 1000) {
        end_ms = token->end_s * 1000;
    }
    return end_ms > now_ms ? (int64_t)end_ms : 0;
}

static enum hf_status give(struct hf_kafka_bearer *bearer, rd_kafka_t *handle,
                           struct hf_kafka_token *token, char *reterr)
{
    const struct hf_kafka_token_source *source = bearer->source;
    enum hf_status status = source->get(source->user, token, reterr);
    if (status != HF_OK) {
        return status;
    }
    int64_t until_ms = end_ms(token);
    if (until_ms == 0) {
        snprintf(reterr, HF_ERROR_MAX,
                 "the token ended %llu seconds ago, or the clock of this host is wrong",
                 (unsigned long long)(hf_clock_unix_ns() / HF_NS_PER_S - token->end_s));
        return HF_UNAUTHENTICATED;
    }
    rd_kafka_resp_err_t error = bearer->library->oauthbearer_set_token(
        handle, token->text, until_ms, PRINCIPAL, NULL, 0, reterr, HF_ERROR_MAX);
    return error == RD_KAFKA_RESP_ERR_NO_ERROR ? HF_OK : HF_UNAUTHENTICATED;
}

/* The client's background thread. */
static void on_refresh(rd_kafka_t *handle, const char *config, void *opaque)
{
    struct hf_kafka_bearer *bearer = opaque;
    struct hf_kafka_token *token = calloc(1, sizeof(*token));
    char why[HF_ERROR_MAX] = "out of memory";
    (void)config;
    enum hf_status status = token != NULL ? give(bearer, handle, token, why) : HF_NOMEM;
    atomic_store(&bearer->has_token, status == HF_OK);
    bearer->source->tell(bearer->source->user, status == HF_OK ? NULL : why);
    if (status != HF_OK) {
        (void)bearer->library->oauthbearer_set_token_failure(handle, why);
    }
    if (token != NULL) {
        explicit_bzero(token, sizeof(*token));
    }
    free(token);
}

void hf_kafka_bearer_prepare(const struct hf_kafka_library *library, rd_kafka_conf_t *conf)
{
    library->conf_enable_sasl_queue(conf, 1);
    library->conf_set_oauthbearer_token_refresh_cb(conf, on_refresh);
}

bool hf_kafka_bearer_begin(struct hf_kafka_bearer *bearer, rd_kafka_t *handle, char *reterr)
{
    rd_kafka_error_t *error =
        bearer->source != NULL ? bearer->library->sasl_background_callbacks_enable(handle) : NULL;
    if (error == NULL) {
        return true;
    }
    snprintf(reterr, HF_ERROR_MAX, "no thread for the tokens: %s",
             bearer->library->err2str(bearer->library->error_code(error)));
    bearer->library->error_destroy(error);
    return false;
}

void hf_kafka_bearer_note(const struct hf_kafka_bearer *bearer, rd_kafka_resp_err_t error)
{
    bool is_refused = error == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
                      error == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED;
    if (is_refused && bearer->source != NULL && atomic_load(&bearer->has_token)) {
        bearer->source->refused(bearer->source->user);
    }
}
