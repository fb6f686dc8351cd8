/*
 * certificate_names: the names a certificate is for, who issued it, and when it ends. Any thread;
 * no state.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#define HF_CERTIFICATE_NAME_MAX 512
#define HF_CERTIFICATE_NAMES_MAX 256u

struct hf_certificate_names {
    int64_t until_s;                           /* Unix time */
    char issuer[HF_CERTIFICATE_NAME_MAX];      /* as RFC 2253 writes it: "CN=a,O=b" */
    char common_name[HF_CERTIFICATE_NAME_MAX]; /* "": none */
    char *names[HF_CERTIFICATE_NAMES_MAX];     /* addresses, URIs, DNS names, mail addresses */
    size_t name_count;
};

/* Of the first certificate of a PEM text. HF_INVALID: there is none. HF_NOMEM. Release it at last,
 * also after a failure. */
HF_MUST_USE enum hf_status hf_certificate_names_read(struct hf_slice pem,
                                                     struct hf_certificate_names *ret_names);
void hf_certificate_names_release(struct hf_certificate_names *names);
