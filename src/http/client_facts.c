#include "client_facts.h"

#include <string.h>

#include <curl/curl.h>

#define NS_PER_US UINT64_C(1000)

void hf_http_result_header_each(const struct hf_http_result *result,
                                void (*visit)(void *user, struct hf_slice name,
                                              struct hf_slice value),
                                void *user)
{
    struct curl_header *header = NULL;
    while (result->transfer != NULL &&
           (header = curl_easy_nextheader(result->transfer, CURLH_HEADER, -1, header)) != NULL) {
        visit(user, hf_slice_text(header->name), hf_slice_text(header->value));
    }
}

static uint64_t time_of(CURL *easy, CURLINFO which)
{
    curl_off_t us = 0;
    return curl_easy_getinfo(easy, which, &us) == CURLE_OK && us > 0 ? (uint64_t)us * NS_PER_US : 0;
}

static uint64_t between(uint64_t begin, uint64_t end)
{
    return end > begin ? end - begin : 0;
}

void hf_http_result_facts(const struct hf_http_result *result, struct hf_http_facts *ret_facts)
{
    CURL *easy = result->transfer;
    *ret_facts = (struct hf_http_facts){.certificate = HF_EMPTY_SLICE};
    if (easy == NULL) {
        return;
    }
    uint64_t named = time_of(easy, CURLINFO_NAMELOOKUP_TIME_T);
    uint64_t connected = time_of(easy, CURLINFO_CONNECT_TIME_T);
    uint64_t secured = time_of(easy, CURLINFO_APPCONNECT_TIME_T);
    uint64_t first = time_of(easy, CURLINFO_STARTTRANSFER_TIME_T);
    ret_facts->lookup_ns = named;
    ret_facts->connect_ns = between(named, connected);
    ret_facts->handshake_ns = between(connected, secured);
    ret_facts->request_ns = time_of(easy, CURLINFO_PRETRANSFER_TIME_T);
    ret_facts->response_ns = first != 0 ? between(first, time_of(easy, CURLINFO_TOTAL_TIME_T)) : 0;
    curl_off_t bytes = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
    ret_facts->body_bytes = bytes > 0 ? (uint64_t)bytes : 0;
    struct curl_certinfo *chain = NULL;
    (void)curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain);
    bool has_one = chain != NULL && chain->num_of_certs > 0;
    for (const struct curl_slist *one = has_one ? chain->certinfo[0] : NULL; one != NULL;
         one = one->next) {
        if (strncmp(one->data, "Cert:", 5) == 0) {
            ret_facts->certificate = hf_slice_text(one->data + 5);
        }
    }
}
