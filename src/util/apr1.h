/*
 * apr1: the password hash that `htpasswd -m` writes, 1000 rounds of MD5 as published with Apache's
 * server; the system's libcrypt does not know it. Any thread; no state.
 */
#pragma once

#include <holdfast/status.h>

#define HF_APR1_SIZE 38u /* "$apr1$", at most 8 of salt, '$', 22, NUL */

/*
 * Hashes `password` with the salt of `hash`, which begins with "$apr1$"; the whole line of an
 * htpasswd file may be compared with the result. HF_INVALID: `hash` is of another kind.
 * HF_UNSUPPORTED: the system's OpenSSL is set up without MD5.
 */
HF_MUST_USE enum hf_status hf_apr1(const char *password, const char *hash,
                                   char ret_hash[HF_APR1_SIZE]);
