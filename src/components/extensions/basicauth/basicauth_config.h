/*
 * basicauth_config: the keys of the extension. Immutable after it was read; any thread.
 */
#pragma once

#include <holdfast/field.h>

#include "password_hash.h"
#include "util/time/clock.h"

#define BASIC_CREDENTIALS_MAX PASSWORD_BYTES_MAX /* "user:password" */
#define BASIC_SCHEME "Basic "
#define BASIC_LOOK_NS HF_NS_PER_S /* between two looks at a file */

struct basic_config {
    struct htpasswd_config {
        const char *file, *content;
        struct hf_value provider;
    } htpasswd;
    const struct client_config {
        const char *username, *password, *username_file, *password_file;
        struct hf_value provider;
    } * client;
};

extern const struct hf_field basic_fields[];

/* NULL, or one sentence that names the key. */
const char *basic_check(const void *config);
