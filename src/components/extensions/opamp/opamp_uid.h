/*
 * opamp_uid: the instance_uid of an agent: 16 bytes, written as a UUID or a ULID. Pure, but for the
 * random one. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define OPAMP_UID_SIZE 16
#define OPAMP_UID_TEXT 37 /* with its NUL */

struct opamp_uid {
    uint8_t bytes[OPAMP_UID_SIZE];
};

/* A UUID as 36 characters, or a ULID as 26; false: neither. */
bool opamp_uid_read(const char *text, struct opamp_uid *ret_uid);

/* As a UUID. */
void opamp_uid_print(const struct opamp_uid *uid, char ret_text[OPAMP_UID_TEXT]);

/* A UUID of version 7: its time, then random bits. */
void opamp_uid_make(uint64_t now_unix_ns, struct opamp_uid *ret_uid);
