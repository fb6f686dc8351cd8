/*
 * digest: hashes of bytes, as lower-case hex. Any thread; no state.
 */
#pragma once

#include <holdfast/slice.h>
#include <holdfast/status.h>

#define HF_SHA1_HEX_SIZE 40u

/* Writes HF_SHA1_HEX_SIZE characters without a NUL. HF_UNSUPPORTED: the system's OpenSSL is set up
 * without SHA-1. */
HF_MUST_USE enum hf_status hf_digest_sha1(struct hf_slice data, char *ret_hex);
