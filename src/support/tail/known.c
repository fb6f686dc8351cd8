#include "known.h"

#include <stdlib.h>

#include "tail_internal.h"
#include "util/hash.h"

static struct file **inode_chain(const struct hf_known *known, uint64_t device, uint64_t inode)
{
    uint64_t key[2] = {device, inode};
    return &known->by_inode[hf_hash_64(hf_slice_of(key, sizeof(key))) & (known->count - 1)];
}

static struct file **bytes_chain(const struct hf_known *known, const struct hf_fingerprint *bytes)
{
    uint64_t key[2] = {bytes->hash[0], bytes->hash[1]};
    return &known->by_bytes[hf_hash_64(hf_slice_of(key, sizeof(key))) & (known->count - 1)];
}

bool hf_known_make(struct hf_known *known, struct file *const *files, size_t count, size_t more)
{
    size_t chains = 64;
    while (chains < count + more) {
        chains *= 2;
    }
    known->by_inode = calloc(2 * chains, sizeof(*known->by_inode));
    if (known->by_inode == NULL) {
        return false;
    }
    known->by_bytes = known->by_inode + chains;
    known->count = chains;
    for (size_t i = 0; i < count; i++) {
        hf_known_add(known, files[i]);
    }
    return true;
}

void hf_known_release(struct hf_known *known)
{
    free(known->by_inode);
    *known = (struct hf_known){0};
}

void hf_known_add(struct hf_known *known, struct file *file)
{
    struct file **chain = inode_chain(known, file->device, file->inode);
    file->next_inode = *chain;
    *chain = file;
    chain = bytes_chain(known, &file->fingerprint);
    file->next_bytes = *chain;
    *chain = file;
}

void hf_known_remove(struct hf_known *known, struct file *file)
{
    struct file **at = inode_chain(known, file->device, file->inode);
    while (*at != file) {
        at = &(*at)->next_inode;
    }
    *at = file->next_inode;
    at = bytes_chain(known, &file->fingerprint);
    while (*at != file) {
        at = &(*at)->next_bytes;
    }
    *at = file->next_bytes;
}

struct file *hf_known_inode(const struct hf_known *known, uint64_t device, uint64_t inode)
{
    return *inode_chain(known, device, inode);
}

struct file *hf_known_bytes(const struct hf_known *known, const struct hf_fingerprint *bytes)
{
    return *bytes_chain(known, bytes);
}
