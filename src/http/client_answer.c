/*
 * client_answer: what a transfer came to: an answer, or a failure in words for people.
 */
#include <string.h>
#include <strings.h>

#include "client_internal.h"
#include "util/spoken.h"
#include "util/time/clock.h"

static enum hf_status status_of(CURLcode code, const struct hf_http_call *call)
{
    switch (code) {
    case CURLE_OK:
        return HF_OK;
    case CURLE_OUT_OF_MEMORY:
        return HF_NOMEM;
    case CURLE_OPERATION_TIMEDOUT:
        /* Without a deadline it was the connecting that took too long. */
        return call->deadline_ns != 0 ? HF_DEADLINE : HF_AGAIN;
    default:
        return HF_AGAIN;
    }
}

/* What libcurl's words for a failure mean when the port is for another protocol; or its words. */
static const char *explain(struct http_transfer *transfer, CURLcode code)
{
    /* Of OpenSSL and of GnuTLS, for what is no TLS record. */
    static const char *const no_tls[] = {"wrong version number", "packet length too long",
                                         "http request", "unexpected TLS packet"};
    const char *text = hf_http_transfer_error(transfer, code);
    bool is_tls = strncasecmp(hf_http_transfer_url(transfer), "https:", 6) == 0;
    const struct hf_spoken_port expected = {.is_tls = is_tls};
    const char *sentence = NULL;
    for (size_t i = 0; is_tls && i < sizeof(no_tls) / sizeof(no_tls[0]); i++) {
        if (strstr(text, no_tls[i]) != NULL) {
            return "the server does not speak TLS on this port: set http:// in the endpoint, or "
                   "another port";
        }
    }
    if (transfer->is_unframed) {
        enum hf_spoken spoken = hf_spoken_of(transfer->body.data, transfer->body.size);
        sentence = hf_spoken_of_server(spoken, expected);
        sentence = sentence != NULL ? sentence : "the server's answer is not HTTP/1.1";
    } else if (code == CURLE_GOT_NOTHING && !is_tls) {
        sentence = "the server hung up without an answer; it may want TLS (https:// in the "
                   "endpoint), or speak another protocol on this port";
    }
    return sentence != NULL ? sentence : text;
}

void hf_http_transfer_answer(struct http_transfer *transfer, CURLcode code,
                             struct hf_http_result *ret_result)
{
    struct hf_http_result result = {.status = status_of(code, transfer->call)};
    long response_code = 0;
    char *type = NULL;
    curl_off_t retry_after_s = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &response_code);
    curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    result.code = (int)response_code;
    if (response_code >= 300 && code != CURLE_OPERATION_TIMEDOUT) {
        /* A server that refuses a body may cut its connection before it has read it all: its answer
         * counts. */
        result.status = HF_OK;
    }
    result.content_type = hf_slice_text(type != NULL ? type : "");
    result.transfer = transfer->easy;
    result.has_retry_after = retry_after_s > 0;
    result.retry_after_ns = retry_after_s > 0 ? (uint64_t)retry_after_s * HF_NS_PER_S : 0;
    if (result.status != HF_OK) {
        result.error = explain(transfer, code);
    }
    *ret_result = result;
}

const char *hf_http_result_header(const struct hf_http_result *result, const char *name)
{
    struct curl_header *header = NULL;
    bool is_there =
        result->transfer != NULL &&
        curl_easy_header(result->transfer, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK;
    return is_there ? header->value : NULL;
}
