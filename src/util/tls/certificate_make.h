/*
 * certificate_make: certificates that this program makes itself: an authority, and certificates of
 * servers signed by it (ECDSA, P-256). No state; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/status.h>

/* PEM texts, malloc'd; zeroed at first, hf_certificate_release() at last. */
struct hf_certificate {
    char *certificate, *key;
};

void hf_certificate_release(struct hf_certificate *pair);

/* `name` is its common name. HF_NOMEM, HF_IO. */
HF_MUST_USE enum hf_status hf_certificate_make_authority(const char *name, uint64_t lifetime_s,
                                                         struct hf_certificate *ret);

/* For a server of those DNS names; the first is its common name too, as far as it fits. HF_INVALID:
 * the authority is none. */
HF_MUST_USE enum hf_status hf_certificate_issue(const struct hf_certificate *authority,
                                                const char *const *names, size_t count,
                                                uint64_t lifetime_s, struct hf_certificate *ret);

/* From when until when the first certificate of the text is valid, as Unix seconds. False: it is
 * none. */
HF_MUST_USE bool hf_certificate_window(const char *pem, int64_t *ret_begin_s, int64_t *ret_end_s);

/* Is the key that of the certificate, the certificate signed by one of `authorities`, and for that
 * DNS name? */
HF_MUST_USE bool hf_certificate_fits(const struct hf_certificate *pair, const char *authorities,
                                     const char *name);
