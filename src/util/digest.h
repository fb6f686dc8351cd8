/*
 * digest: hashes of bytes, as lower-case hex. Any thread; no state.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#define HF_SHA1_HEX_SIZE 40u
#define HF_SHA256_HEX_SIZE 64u
#define HF_SHA512_HEX_SIZE 128u
#define HF_MD5_HEX_SIZE 32u

/* All write their HEX_SIZE characters without a NUL. HF_UNSUPPORTED: the system's OpenSSL is set
 * up without that hash. */
HF_MUST_USE enum hf_status hf_digest_sha1(struct hf_slice data, char *ret_hex);
HF_MUST_USE enum hf_status hf_digest_sha256(struct hf_slice data, char *ret_hex);

enum hf_digest_kind {
    HF_DIGEST_MD5 = 0,
    HF_DIGEST_SHA1,
    HF_DIGEST_SHA256,
    HF_DIGEST_SHA512,
    HF_DIGEST_SHA3_256
};

#define HF_DIGEST_HEX_MAX 128u
#define HF_SHA256_SIZE 32u

/* Of pieces, taken as one text. HF_UNSUPPORTED likewise. */
HF_MUST_USE enum hf_status hf_digest_sha256_pieces(const struct hf_slice *pieces, size_t count,
                                                   char *ret_hex);
/* As bytes. HF_UNSUPPORTED likewise. */
HF_MUST_USE enum hf_status hf_digest_hmac_sha256(struct hf_slice key, struct hf_slice data,
                                                 uint8_t ret_bytes[HF_SHA256_SIZE]);

/* Of any kind; `ret_hex` has room for HF_DIGEST_HEX_MAX, `ret_size` tells how much of it is used.
 * HF_UNSUPPORTED likewise. */
HF_MUST_USE enum hf_status hf_digest_hex(enum hf_digest_kind kind, struct hf_slice data,
                                         char *ret_hex, size_t *ret_size);
HF_MUST_USE enum hf_status hf_digest_hmac_hex(enum hf_digest_kind kind, struct hf_slice key,
                                              struct hf_slice data, char *ret_hex,
                                              size_t *ret_size);
HF_MUST_USE enum hf_status hf_digest_sha512(struct hf_slice data, char *ret_hex);
HF_MUST_USE enum hf_status hf_digest_md5(struct hf_slice data, char *ret_hex);
