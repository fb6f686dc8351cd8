/*
 * password_hash: the hashes of htpasswd files. A slow hash is one of many rounds: apr1, and what
 * the system's libcrypt knows, bcrypt among them. Any thread.
 */
#pragma once

#include <stdbool.h>

struct crypt_data;

#define PASSWORD_BYTES_MAX 512u

/* As long for a wrong secret as for the right one. */
bool password_equal(const char *a, const char *b);

bool password_is_slow(const char *hash);
/* Can it ever match? */
bool password_is_known(const char *hash);
/* Microseconds; a hash that is of no kind is the password itself. */
bool password_matches_fast(const char *hash, const char *password);
/* Milliseconds to seconds. `room` is one caller's at a time. */
bool password_matches_slow(const char *hash, const char *password, struct crypt_data *room);
