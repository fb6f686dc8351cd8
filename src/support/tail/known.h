/*
 * known: the files of a tail by their inode and by their first bytes, while a scan finds out which
 * path leads to which file: thousands of new files are not compared with each other one by one.
 * Made for one scan; a file is taken out before either changes. Owned by the tail's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fingerprint.h"

struct file;

struct hf_known {
    struct file **by_inode, **by_bytes; /* chains; NULL: not made yet */
    size_t count;                       /* of chains of either kind, a power of two */
};

/* Of `files`, with room for `more`. False: no memory. */
bool hf_known_make(struct hf_known *known, struct file *const *files, size_t count, size_t more);
void hf_known_release(struct hf_known *known);

void hf_known_add(struct hf_known *known, struct file *file);
void hf_known_remove(struct hf_known *known, struct file *file);

/* The first file of the chain in which those with this inode, or with these first bytes, are; the
 * next one is behind file->next_inode or file->next_bytes. Others may be among them. */
struct file *hf_known_inode(const struct hf_known *known, uint64_t device, uint64_t inode);
struct file *hf_known_bytes(const struct hf_known *known, const struct hf_fingerprint *bytes);
