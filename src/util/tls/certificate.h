/*
 * certificate: when a certificate expires. Any thread; no state.
 */
#pragma once

#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#define HF_CERTIFICATE_SUBJECT_MAX 256

struct hf_certificate_look {
    uint64_t from_s, until_s; /* Unix time: valid between these */
    uint64_t last_until_s;    /* of several, until when the last one is valid */
    char subject[HF_CERTIFICATE_SUBJECT_MAX];
};

/*
 * Reads a PEM text; of several certificates the one that expires first is told. HF_INVALID: there
 * is no certificate in it. HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_certificate_read(struct hf_slice pem,
                                               struct hf_certificate_look *ret_look);
/* Likewise a file. HF_IO: errno tells. HF_TOO_LARGE: it is no certificate. */
HF_MUST_USE enum hf_status hf_certificate_read_file(const char *path,
                                                    struct hf_certificate_look *ret_look);
