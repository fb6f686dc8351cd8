/*
 * basicauth_users: who may send here: the entries of an htpasswd file and of an inline part, read
 * again when the file changes. One thread at a time, by the caller's lock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/node.h>

#include "basicauth_config.h"
#include "util/file_watch.h"

struct basic_entry {
    const char *user, *hash; /* into the text */
    char *matched;           /* the password that did, NULL: none yet */
};

struct basic_users {
    struct hf_node *node;
    const struct htpasswd_config *config;
    uint64_t secret; /* random; stands for an unknown name, not known outside */
    struct hf_file_watch watched;
    char *text; /* of the file and the inline part, its lines cut */
    struct basic_entry *entries;
    size_t count;
};

/* Reads all entries of a zeroed one. HF_NOMEM and others with a sentence in `reterr`
 * (HF_ERROR_MAX). */
HF_MUST_USE enum hf_status basic_users_open(struct basic_users *users, struct hf_node *node,
                                            const struct htpasswd_config *config, char *reterr);
void basic_users_close(struct basic_users *users);
/* Reads the file again when it has changed; failures are logged. */
void basic_users_refresh(struct basic_users *users);

/* The entry of that name, NULL: none. */
struct basic_entry *basic_users_find(const struct basic_users *users, const char *user);
/* The entry whose hash stands for that of an unknown name, always the same one: its kind and cost
 * are those of a real one. NULL: there is none at all. */
struct basic_entry *basic_users_double(const struct basic_users *users, const char *user);
/* Is there a hash that takes long to check, or may the next version of the file have one? */
bool basic_users_need_time(const struct basic_users *users);
